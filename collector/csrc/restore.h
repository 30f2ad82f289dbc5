/* SPDX-License-Identifier: Apache-2.0 */
/* Events that carry their raw lines -> those lines: the quick half of restore.py. */
#ifndef AUDITPACK_RESTORE_H
#define AUDITPACK_RESTORE_H

#include "buf.h"

struct restored {
	size_t bytes, lines; /* taken from the start of the data */
};

/* Takes events as this collector writes them, one after the other, until the first that it leaves to restore.py: one without raw lines,
 * with anything odd in them, or without its newline. Looks at the raw lines alone. Out of memory (out->failed) takes nothing more. */
struct restored restore_lines(const char *data, size_t n, struct buf *out);

#endif
