/* SPDX-License-Identifier: Apache-2.0 */
/* emit: an ended event -> one JSON line in the output buffer. One emitter per pipeline; its buffers are reused. */
#ifndef AUDITPACK_EMIT_H
#define AUDITPACK_EMIT_H

#include "arena.h"
#include "coalesce.h"
#include "decode_execve.h"
#include "names.h"
#include "object.h"
#include "tables.h"

enum format { FORMAT_ECS, FORMAT_RECORDS };
enum translate { TRANSLATE_NONE, TRANSLATE_UNIVERSAL, TRANSLATE_ALL };

struct enricher;

/* A JSON object being written. The fast way writes known names straight to the output and gives up when a name is unknown or comes
 * twice; the slow way then collects members in `members`, which knows how to merge repeats. */
struct writer {
	struct buf *to;
	uint64_t seen[MAX_FIELD_NAMES / 64]; /* by field_entry.index */
	struct object *members;              /* NULL: the fast way */
	bool comma, gave_up;
};

/* What filters and redaction add to an event. */
struct marks {
	const struct slice *labels;
	size_t label_count;
	uint64_t redacted; /* values taken out */
};

/* The fields that a record of some type had last time, by their place: a guess, for speed alone. */
#define SHAPE_FIELDS 32u
#define SHAPES 64u

struct shape {
	uint16_t fields[SHAPE_FIELDS]; /* indices in field_entries */
};

struct emitter {
	struct enricher *enrich; /* NULL: nothing is added */
	const struct marks *marks; /* NULL: none */
	enum translate translate;
	bool original;
	struct names *names;
	struct buf *out;
	struct buf scratch; /* decoded bytes of one record */
	struct object members, message_members;
	struct execve execve;
	struct arena arena;   /* of one event, for ecs */
	struct buf hostname;  /* JSON text */
	uint64_t second;      /* of the last time stamp; has_second: there was one */
	uint32_t ms;
	bool has_second;
	char second_text[24];
	double now;
	struct shape shapes[SHAPES];
};

struct pipeline_options;

void emitter_init(struct emitter *m, const struct pipeline_options *options, struct names *names, struct buf *out, const struct allocator *alloc);
void emitter_free(struct emitter *m);

/* After a line: true when it is whole, else it is taken back from `start` on. */
bool emitter_check(struct emitter *m, size_t start);

/* Members that say what filters and redaction added, each with a comma before it; for ecs in the ecs_text of the arena. */
void put_marks(struct emitter *m, bool ecs);

/* Members of a `records` object that are ours: the value is appended to what begin returns. `name` has at most 15 bytes. */
struct buf *records_member(struct writer *w, const char *name);
void records_member_end(struct writer *w);

/* Append a line; false, and nothing appended, when there is no memory. An event whose argument vector is not whole becomes incomplete. */
bool emit_records_event(struct emitter *m, struct event *e);
bool emit_records_malformed(struct emitter *m, struct slice raw, const char *reason);
bool emit_ecs_event(struct emitter *m, struct event *e);
bool emit_ecs_malformed(struct emitter *m, struct slice raw, const char *reason);

#endif
