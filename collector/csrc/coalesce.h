/* SPDX-License-Identifier: Apache-2.0 */
/* coalesce: records -> events, by the rules that coalesce.py states. */
#ifndef AUDITPACK_COALESCE_H
#define AUDITPACK_COALESCE_H

#include "scan.h"

#define MAX_OPEN_EVENTS 1024u
#define MAX_OPEN_BYTES ((size_t)16 << 20)
#define MAX_EVENT_BYTES ((size_t)4 << 20)
#define MAX_EVENT_RECORDS 4096u
#define MAX_ENDED 4096u
#define MAX_SERIAL_GAP ((uint64_t)1 << 20)
#define MAX_NODES 4096u

/* An event's identity. `digits` tells 01.5:7 from 1.05:7: how many digits each number was written with. */
struct event_id {
	uint64_t sec, serial, node; /* node: hash of its name, 0 without */
	uint32_t ms, digits;
};

/* One record: where its line lies in the event's `lines`, and its parts relative to the line. */
struct record {
	uint32_t line, line_len;
	uint32_t type, body; /* the body ends with the line */
	uint16_t type_len;
	uint16_t number; /* AUDIT_… of the type's name, 0 when the tables lack it */
};

struct event {
	struct event_id id;
	struct buf lines;
	struct record *records;
	uint32_t count, capacity;
	uint32_t id_at, id_len, node_len; /* in the first line; the node stands behind "node=" */
	double started;
	uint64_t size; /* raw bytes */
	int64_t items;
	uint32_t paths;
	bool syscall, title, eoe, late, complete;
	struct event *chain;         /* same hash bucket */
	struct event *older, *newer; /* by arrival */
};

struct coalesce_counters {
	uint64_t late, forced, serial_gaps, no_memory;
};

struct ended;
struct node_serial;

struct coalesce {
	const struct allocator *alloc;
	double timeout;
	uint64_t last_serial; /* what the first serial is held against, 0 = nothing */
	struct coalesce_counters counters;
	size_t open, bytes;
	struct event **buckets;
	struct event *oldest, *newest, *last;
	struct event *spare;
	size_t spares;
	struct ended *ended; /* a ring */
	uint16_t *ended_buckets;
	uint32_t ended_count, ended_next;
	struct node_serial *serials;
	unsigned serial_bits; /* 2^bits slots */
	uint32_t nodes;
	struct buf scratch;
	bool eoe_seen;
};

/* Takes an event that has ended; the memory is coalesce's. */
typedef void event_sink(void *ctx, struct event *e);

bool coalesce_init(struct coalesce *c, double timeout, uint64_t last_serial, const struct allocator *alloc);
void coalesce_free(struct coalesce *c);
void coalesce_add(struct coalesce *c, const char *line, size_t n, const struct head *head, double now, event_sink *sink, void *ctx);
void coalesce_expire(struct coalesce *c, double now, bool everything, event_sink *sink, void *ctx);

static inline struct slice event_id_text(const struct event *e)
{
	return (struct slice){e->lines.data + e->records[0].line + e->id_at, e->id_len};
}

static inline struct slice event_node(const struct event *e)
{
	return (struct slice){e->lines.data + e->records[0].line + 5, e->node_len};
}

static inline struct slice record_line(const struct event *e, const struct record *r)
{
	return (struct slice){e->lines.data + r->line, r->line_len};
}

static inline struct slice record_type(const struct event *e, const struct record *r)
{
	return (struct slice){e->lines.data + r->line + r->type, r->type_len};
}

static inline struct slice record_body(const struct event *e, const struct record *r)
{
	return (struct slice){e->lines.data + r->line + r->body, r->line_len - r->body};
}

#endif
