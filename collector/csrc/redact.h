/* SPDX-License-Identifier: Apache-2.0 */
/* redact: secrets out of the raw lines of an event. What is one, Python says (redact.py); this finds the events to ask about and puts
 * the new lines in place. */
#ifndef AUDITPACK_REDACT_H
#define AUDITPACK_REDACT_H

#include "coalesce.h"

/* The lines of an event, one behind the other. */
struct new_lines {
	struct buf bytes;
	uint32_t *lengths; /* one for each record */
	uint32_t count, capacity;
};

/* How many values were taken out; *to holds all lines when that is not 0. False: no answer. */
typedef bool redact_ask(void *ctx, const struct event *e, struct new_lines *to, uint64_t *ret_values);

struct redact {
	redact_ask *ask; /* NULL: nothing is redacted */
	void *ctx;
	struct new_lines lines;
};

void redact_init(struct redact *r, redact_ask *ask, void *ctx, const struct allocator *alloc);
void redact_free(struct redact *r);

/* For the one who answers: room for `count` lengths; false: no memory. */
bool new_lines_room(struct new_lines *lines, uint32_t count);

/* False: the event may hold secrets and must not go out. */
bool redact_event(struct redact *r, struct event *e, uint64_t *ret_values);

#endif
