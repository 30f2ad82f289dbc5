/* SPDX-License-Identifier: Apache-2.0 */
/* The short way through a run of fields: known names, each once, in the order that records of the type had before. */
#ifndef AUDITPACK_RECORDS_FIELDS_H
#define AUDITPACK_RECORDS_FIELDS_H

#include "emit.h"

enum run_kind { RUN_FIELDS, RUN_MESSAGE, RUN_TAIL };

/* What a SYSCALL keeps back for later. */
struct syscall_notes {
	struct slice arch, syscall, arguments[4]; /* a0 to a3, in order of arrival */
	unsigned count;                           /* of the arguments, which may be more */
};

/* Writes fields from the run's start on and returns where it stopped: at the run's end, or at the first word of a field that is for
 * records_value() and the writer's own ways. RUN_TAIL has no kinds: all is plain. `notes` is NULL but for a SYSCALL's fields. */
const char *records_fields(struct writer *w, struct shape *shape, struct slice run, enum run_kind what, struct syscall_notes *notes,
			   struct buf *scratch);

static inline bool is_argument(struct slice name)
{
	return name.n == 2 && name.p[0] == 'a' && name.p[1] >= '0' && name.p[1] <= '3';
}

#endif
