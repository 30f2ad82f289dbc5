/* SPDX-License-Identifier: Apache-2.0 */
/* filter: which streams get an event, by the rules of filter.py. filter_program.c reads the rules, filter_facts.c the fields they ask
 * for, limit.c counts groups. */
#ifndef AUDITPACK_FILTER_H
#define AUDITPACK_FILTER_H

#include "decode_execve.h"
#include "labels.h"
#include "limit.h"

#define FILTER_MAX_RULES 256u
#define FILTER_MAX_GROUP 1024u
#define FILTER_MAX_LABELS 16u

enum filter_action { FILTER_DROP, FILTER_MOVE, FILTER_COPY, FILTER_KEEP, FILTER_COUNT, FILTER_LABEL, FILTER_LIMIT, FILTER_AGGREGATE };
#define FILTER_ACTIONS 8u

enum filter_field {
	FILTER_TYPE, FILTER_KEY, FILTER_EXE, FILTER_COMM, FILTER_ARGV, FILTER_SYSCALL, FILTER_PATH, FILTER_UNIT, FILTER_CONTAINER,
	FILTER_LABELS, FILTER_AUID, FILTER_UID, FILTER_SADDR,
};
#define FILTER_FIELDS 13u

/* The fields that limits and aggregates may count by, as bits of filter_rule.per: config.GROUPINGS. */
enum filter_grouping { BY_KEY, BY_EXE, BY_COMM, BY_SYSCALL, BY_AUID, BY_UID, BY_TYPE, BY_UNIT, BY_CONTAINER };
#define FILTER_GROUPINGS 9u

struct filter_value {
	bool negative;
	uint8_t family, bits; /* of a network; family 0 is any */
	uint16_t low_port, high_port;
	struct slice pattern; /* of a text: with * and ? */
	int64_t low, high;    /* of a number */
	unsigned char address[16];
};

struct filter_condition {
	enum filter_field field;
	const struct filter_value *values;
	uint32_t count;
	bool positive; /* one of them must match */
};

struct filter_rule {
	enum filter_action action;
	bool raw; /* an expression of Python's to ask at last */
	uint16_t per;
	uint32_t outputs, to;
	double rate, burst, window;
	struct slice label;
	const struct filter_condition *conditions;
	uint32_t count;
	struct groups groups;
	uint64_t matched, held;
};

/* A field's first token in the event, copied. */
struct single {
	size_t at, n;
	bool there;
};

enum { SINGLE_EXE, SINGLE_COMM, SINGLE_AUID, SINGLE_UID, SINGLE_SYSCALL, SINGLE_ARCH, SINGLES };

/* What rules ask of one event. */
struct filter_facts {
	const struct event *event;
	struct slice unit, container; /* of the process; n == 0 for none */
	struct slice labels[MAX_LABELS]; /* of the process */
	size_t label_count;
	struct slice given[FILTER_MAX_LABELS]; /* labels by rules */
	size_t given_count;
	bool have_singles, have_argv, has_argv;
	struct single singles[SINGLES];
	struct buf tokens, argv, parts, scratch, group;
	struct execve execve;
};

/* Whether rule `rule`'s expression is found in a raw line of the event. */
typedef bool filter_match_raw(void *ctx, uint32_t rule, const struct event *e);

struct filter {
	const struct allocator *alloc;
	struct buf program;
	struct filter_rule *rules;
	struct filter_condition *conditions;
	struct filter_value *values;
	uint32_t count;
	uint32_t every; /* a bit for each stream */
	filter_match_raw *match_raw;
	void *ctx;
	struct filter_facts facts;
	struct repeats repeats;
};

/* Reads filter_rules.encode()'s bytes; false: they are none, or no memory. filter_free() in any case. */
bool filter_init(struct filter *f, struct slice program, uint32_t streams, filter_match_raw *match_raw, void *ctx,
		 const struct allocator *alloc);
void filter_free(struct filter *f);

/* filter_program.c */
bool filter_read(struct filter *f);

/* The streams, as bits, that get the event; `to` are those it goes to without rules. Labels given: f->facts.given. */
uint32_t filter_event(struct filter *f, const struct event *e, uint32_t to, double now);

/* Ends aggregates whose window is over, or all. */
void filter_expire(struct filter *f, double now, bool everything);

/* filter_facts.c: each text of a field to `take`, until it returns false. */
typedef bool facts_take(void *ctx, struct slice text);
void facts_init(struct filter_facts *x, const struct allocator *alloc);
void facts_free(struct filter_facts *x);
void facts_begin(struct filter_facts *x, const struct event *e);
void facts_texts(struct filter_facts *x, enum filter_field field, facts_take *take, void *ctx);
bool facts_number(struct filter_facts *x, enum filter_field field, int64_t *ret);
bool facts_in_networks(struct filter_facts *x, const struct filter_condition *c, bool negative);
struct slice facts_group(struct filter_facts *x, uint16_t per);

#endif
