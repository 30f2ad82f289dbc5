/* SPDX-License-Identifier: Apache-2.0 */
#include "coalesce.h"

#include "decode.h"
#include "tables.h"

#define EVENT_BUCKETS 2048u
#define ENDED_BUCKETS 8192u
#define NODE_BITS 4u
#define NODE_SLOTS (1u << NODE_BITS) /* at first: most logs are of one node; at least twice the nodes, for open addressing */

/* An ended event keeps its memory for the next one, within these bounds. */
#define SPARE_BYTES 65536u
#define SPARE_EVENTS 64u

/* An id that has ended, to tell a late record from a new event. */
struct ended {
	struct event_id id;
	uint16_t chain; /* next in bucket, counted from 1 */
};

struct node_serial {
	uint64_t node, highest;
	bool used;
};

static uint64_t hash_bytes(struct slice bytes)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < bytes.n; i++)
		h = (h ^ (unsigned char)bytes.p[i]) * 0x100000001b3u;
	return bytes.n == 0 ? 0 : h | 1;
}

static struct event_id id_of(const struct head *head)
{
	return (struct event_id){
		.sec = head->sec,
		.serial = head->serial,
		.node = hash_bytes(head->node),
		.ms = head->ms,
		.digits = head->digits,
	};
}

static inline bool same_id(const struct event_id *a, const struct event_id *b)
{
	return a->serial == b->serial && a->sec == b->sec && a->ms == b->ms && a->digits == b->digits && a->node == b->node;
}

static uint32_t hash_id(const struct event_id *id)
{
	return (uint32_t)(((id->serial ^ id->sec << 17 ^ (uint64_t)id->ms << 41 ^ id->node) * 0x9e3779b97f4a7c15u) >> 40);
}

static void *take_zeroed(struct coalesce *c, size_t count, size_t size)
{
	void *p = c->alloc->resize(c->alloc->ctx, NULL, count * size); /* constants of this file: no overflow */

	if (p != NULL)
		memset(p, 0, count * size);
	return p;
}

static void release(struct coalesce *c, void *p)
{
	if (p != NULL)
		c->alloc->resize(c->alloc->ctx, p, 0);
}

bool coalesce_init(struct coalesce *c, double timeout, uint64_t last_serial, const struct allocator *alloc)
{
	*c = (struct coalesce){.alloc = alloc, .timeout = timeout, .last_serial = last_serial};
	buf_init(&c->scratch, alloc);
	c->buckets = take_zeroed(c, EVENT_BUCKETS, sizeof(*c->buckets));
	c->ended = take_zeroed(c, MAX_ENDED, sizeof(*c->ended));
	c->ended_buckets = take_zeroed(c, ENDED_BUCKETS, sizeof(*c->ended_buckets));
	c->serials = take_zeroed(c, NODE_SLOTS, sizeof(*c->serials));
	c->serial_bits = NODE_BITS;
	if (c->buckets != NULL && c->ended != NULL && c->ended_buckets != NULL && c->serials != NULL)
		return true;
	coalesce_free(c);
	return false;
}

static void free_events(struct coalesce *c, struct event *e)
{
	while (e != NULL) {
		struct event *next = e->newer;

		buf_free(&e->lines);
		release(c, e->records);
		release(c, e);
		e = next;
	}
}

void coalesce_free(struct coalesce *c)
{
	free_events(c, c->oldest);
	free_events(c, c->spare);
	release(c, c->buckets);
	release(c, c->ended);
	release(c, c->ended_buckets);
	release(c, c->serials);
	buf_free(&c->scratch);
	*c = (struct coalesce){.alloc = c->alloc};
}

static struct event *find(struct coalesce *c, const struct event_id *id)
{
	struct event *e = c->last;

	if (e != NULL && same_id(&e->id, id))
		return e;
	e = c->buckets[hash_id(id) % EVENT_BUCKETS];
	while (e != NULL && !same_id(&e->id, id))
		e = e->chain;
	return e;
}

/* An event that is not yet among the open ones; NULL: no memory. */
static struct event *new_event(struct coalesce *c, const struct event_id *id, double now)
{
	struct event *e = c->spare;
	struct buf lines;
	struct record *records = NULL;
	uint32_t capacity = 0;

	if (e != NULL) {
		c->spare = e->newer;
		c->spares--;
		lines = e->lines;
		records = e->records;
		capacity = e->capacity;
		lines.len = 0;
	} else {
		e = c->alloc->resize(c->alloc->ctx, NULL, sizeof(*e));
		if (e == NULL)
			return NULL;
		buf_init(&lines, c->alloc);
	}
	*e = (struct event){.id = *id, .lines = lines, .records = records, .capacity = capacity, .started = now, .complete = true};
	return e;
}

static void recycle(struct coalesce *c, struct event *e)
{
	e->newer = NULL;
	if (c->spares >= SPARE_EVENTS || e->lines.cap > SPARE_BYTES || e->capacity > SPARE_BYTES / sizeof(*e->records)) {
		free_events(c, e);
		return;
	}
	e->newer = c->spare;
	c->spare = e;
	c->spares++;
}

static void link_open(struct coalesce *c, struct event *e)
{
	struct event **bucket = &c->buckets[hash_id(&e->id) % EVENT_BUCKETS];

	e->chain = *bucket;
	*bucket = e;
	e->older = c->newest;
	*(c->newest != NULL ? &c->newest->newer : &c->oldest) = e;
	c->newest = e;
	c->open++;
}

static void unlink_open(struct coalesce *c, struct event *e)
{
	struct event **link = &c->buckets[hash_id(&e->id) % EVENT_BUCKETS];

	while (*link != e)
		link = &(*link)->chain;
	*link = e->chain;
	*(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
	*(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
	if (c->last == e)
		c->last = NULL;
	c->open--;
}

static bool has_ended(const struct coalesce *c, const struct event_id *id)
{
	uint32_t at = c->ended_buckets[hash_id(id) % ENDED_BUCKETS];

	while (at != 0 && !same_id(&c->ended[at - 1].id, id))
		at = c->ended[at - 1].chain;
	return at != 0;
}

static void remember(struct coalesce *c, const struct event_id *id)
{
	struct ended *slot = &c->ended[c->ended_next];
	uint16_t *link;

	if (c->ended_count == MAX_ENDED) { /* the oldest goes */
		link = &c->ended_buckets[hash_id(&slot->id) % ENDED_BUCKETS];
		while (*link != c->ended_next + 1)
			link = &c->ended[*link - 1].chain;
		*link = slot->chain;
	} else {
		c->ended_count++;
	}
	link = &c->ended_buckets[hash_id(id) % ENDED_BUCKETS];
	*slot = (struct ended){*id, *link};
	*link = (uint16_t)(c->ended_next + 1);
	c->ended_next = (c->ended_next + 1) % MAX_ENDED;
}

/* auditd counts its own events, from a random number on. */
static bool is_daemon(struct slice type)
{
	return type.n >= 7 && memcmp(type.p, "DAEMON_", 7) == 0;
}

/* The node's slot, or the empty one for it. */
static struct node_serial *serial_slot(struct node_serial *slots, unsigned bits, uint64_t node)
{
	uint64_t at = node * 0x9e3779b97f4a7c15u >> (64 - bits);

	while (slots[at].used && slots[at].node != node)
		at = (at + 1) & (((uint64_t)1 << bits) - 1);
	return &slots[at];
}

static bool grow_serials(struct coalesce *c)
{
	unsigned bits = c->serial_bits + 1; /* <= 13: MAX_NODES */
	struct node_serial *slots = take_zeroed(c, (size_t)1 << bits, sizeof(*slots));

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < (size_t)1 << c->serial_bits; i++)
		if (c->serials[i].used)
			*serial_slot(slots, bits, c->serials[i].node) = c->serials[i];
	release(c, c->serials);
	c->serials = slots;
	c->serial_bits = bits;
	return true;
}

/* Serials of a node rise by one per event; see Coalescer._count_serial. */
static void count_serial(struct coalesce *c, const struct event_id *id)
{
	struct node_serial *s = serial_slot(c->serials, c->serial_bits, id->node);

	if (!s->used) {
		if (c->nodes == MAX_NODES)
			return;
		if (2 * (c->nodes + 1) > (uint32_t)1 << c->serial_bits) {
			if (!grow_serials(c)) /* this record is kept, only its node's gaps are not counted yet */
				return;
			s = serial_slot(c->serials, c->serial_bits, id->node);
		}
		c->nodes++;
		*s = (struct node_serial){id->node, c->last_serial != 0 ? c->last_serial : id->serial, true};
		c->last_serial = 0;
	}
	if (id->serial > s->highest) {
		uint64_t step = id->serial - s->highest;

		s->highest = id->serial;
		if (step <= MAX_SERIAL_GAP)
			c->counters.serial_gaps += step - 1;
	} else if (id->serial < s->highest) {
		if (s->highest - id->serial >= MAX_ENDED)
			s->highest = id->serial; /* a new boot counts from the start */
		else if (c->counters.serial_gaps > 0)
			c->counters.serial_gaps--;
	}
}

/* The value of the first field `items` of a SYSCALL. The kernel writes "items=N ppid=" before any quote, where a search finds it;
 * anything else is walked field by field. */
static int64_t items_of(struct slice body, int64_t before, struct buf *scratch)
{
	const char *p = body.p, *end = body.p + body.n;
	struct slice token = {"", 0};
	struct parts parts;
	struct walk w;
	struct field f;

	if (end - p >= 6 && (memcmp(p, " arch=", 6) == 0 || memcmp(p, " uring", 6) == 0))
		while ((p = text_find3(p + 1, end, 'i', '"', ENRICHED_SEPARATOR)) < end && *p == 'i') {
			if (p[-1] != ' ' || end - p < 6 || memcmp(p, "items=", 6) != 0)
				continue;
			token = (struct slice){p + 6, (size_t)(text_find2(p + 6, end, ' ', ENRICHED_SEPARATOR) - p - 6)};
			p = token.p + token.n;
			if (end - p >= 6 && memcmp(p, " ppid=", 6) == 0 && token_is_decimal(token) &&
			    memchr(body.p, '\'', (size_t)(p - body.p)) == NULL)
				return token_number(token);
			break;
		}
	scratch->len = 0;
	parts = scan_parts(body, scratch);
	w = walk_run(parts.fields);
	while (walk_next(&w, &f))
		if (SLICE_IS(f.name, "items"))
			return token_is_decimal(f.token) ? token_number(f.token) : 0;
	return before;
}

static bool grow_records(struct coalesce *c, struct event *e)
{
	uint32_t capacity = e->capacity == 0 ? 8 : e->capacity * 2; /* <= 2 * (MAX_EVENT_RECORDS + 1) */
	struct record *records = c->alloc->resize(c->alloc->ctx, e->records, capacity * sizeof(*records));

	if (records == NULL)
		return false;
	e->records = records;
	e->capacity = capacity;
	return true;
}

/* Copies the line into the event; false: no memory, nothing changed. */
static bool add_record(struct coalesce *c, struct event *e, const char *line, size_t n, const struct head *head, uint16_t number)
{
	struct record *r;

	if (number == AUDIT_EOE) {
		e->size += n;
		e->eoe = true;
		return true;
	}
	if (e->count == e->capacity && !grow_records(c, e))
		return false;
	if (!buf_room(&e->lines, n)) {
		e->lines.failed = false;
		return false;
	}
	r = &e->records[e->count];
	*r = (struct record){
		.line = (uint32_t)e->lines.len,
		.line_len = (uint32_t)n,
		.type = (uint32_t)(head->type.p - line),
		.body = head->body,
		.type_len = (uint16_t)head->type.n,
		.number = number,
	};
	buf_put(&e->lines, line, n);
	e->size += n;
	if (e->count++ == 0) {
		e->id_at = (uint32_t)(head->id.p - line);
		e->id_len = (uint32_t)head->id.n;
		e->node_len = (uint32_t)head->node.n;
	}
	if (number == AUDIT_PATH) {
		e->paths++;
	} else if (number == AUDIT_SYSCALL || number == AUDIT_URINGOP) {
		e->syscall = true;
		e->items = items_of(record_body(e, r), e->items, &c->scratch);
	} else if (number == AUDIT_PROCTITLE) {
		e->title = true;
	}
	return true;
}

static inline bool promised(const struct event *e)
{
	return e->paths >= e->items && (e->syscall || !e->eoe);
}

static void end_event(struct coalesce *c, struct event *e, event_sink *sink, void *ctx)
{
	unlink_open(c, e);
	c->bytes -= e->size;
	remember(c, &e->id);
	if (!promised(e))
		e->complete = false;
	if (e->count > 0)
		sink(ctx, e);
	recycle(c, e);
}

static void force_end(struct coalesce *c, struct event *e, event_sink *sink, void *ctx)
{
	c->counters.forced++;
	e->complete = false;
	end_event(c, e, sink, ctx);
}

/* An event of one record, which is whole as soon as it is there. */
static void pass_single(struct coalesce *c, struct event *e, event_sink *sink, void *ctx)
{
	sink(ctx, e);
	recycle(c, e);
}

/* Takes one record (line must have BUF_SLACK behind it) and gives the sink the events that it ends. */
void coalesce_add(struct coalesce *c, const char *line, size_t n, const struct head *head, double now, event_sink *sink, void *ctx)
{
	uint16_t number = head->number;
	struct event_id id = id_of(head);
	struct event *e = find(c, &id);
	bool late = false, single = false, known = e != NULL;

	if (number == AUDIT_EOE)
		c->eoe_seen = true;
	if (!known) {
		late = has_ended(c, &id);
		if (late && number == AUDIT_EOE)
			return;
		single = !late && type_is_single(head->type, number);
		e = new_event(c, &id, now);
		if (e == NULL) {
			c->counters.no_memory++;
			return;
		}
		e->late = late;
	}
	if (!add_record(c, e, line, n, head, number)) {
		c->counters.no_memory++;
		if (!known)
			recycle(c, e);
		else
			e->complete = false;
		return;
	}
	if (late) {
		c->counters.late++;
		pass_single(c, e, sink, ctx);
		return;
	}
	if (!known && !is_daemon(head->type))
		count_serial(c, &id);
	if (single) {
		remember(c, &id);
		pass_single(c, e, sink, ctx);
		return;
	}
	if (!known)
		link_open(c, e);
	c->last = e;
	c->bytes += n;
	if (e->syscall && promised(e) && (e->eoe || (e->title && !c->eoe_seen)))
		end_event(c, e, sink, ctx);
	else if (e->size > MAX_EVENT_BYTES || e->count > MAX_EVENT_RECORDS)
		force_end(c, e, sink, ctx);
	while (c->open > MAX_OPEN_EVENTS || c->bytes > MAX_OPEN_BYTES)
		force_end(c, c->oldest, sink, ctx);
}

/* Ends events older than the timeout, or all. A clock that went back makes an event new again. */
void coalesce_expire(struct coalesce *c, double now, bool everything, event_sink *sink, void *ctx)
{
	while (c->oldest != NULL) {
		struct event *e = c->oldest;

		if (e->started > now)
			e->started = now;
		if (!everything && now - e->started < c->timeout)
			return;
		end_event(c, e, sink, ctx);
	}
}
