/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDITPACK_RECORDS_TRANSLATE_H
#define AUDITPACK_RECORDS_TRANSLATE_H

#include "decode_sockaddr.h"
#include "emit.h"

/* What a record's translation replaces, found before the record is written (emit_records.py, _translate). */
struct translation {
	const struct arch_entry *arch;
	const char *syscall;
	bool address;
	struct sockaddr_parts parts;
};

void translation_of_syscall(struct translation *t, struct slice arch, struct slice syscall);
struct translation translation_of_record(const struct record *r, struct slice fields, struct buf *scratch);

/* True for a member that the translation takes the place of. */
bool translation_replaces(const struct translation *t, struct slice name);
void translation_put(struct writer *w, const struct translation *t);

#endif
