/* SPDX-License-Identifier: Apache-2.0 */
/* limit: token buckets and repeat aggregation by group, by the rules of limit.py. Memory is bounded by LIMIT_MAX_GROUPS a rule. */
#ifndef AUDITPACK_LIMIT_H
#define AUDITPACK_LIMIT_H

#include "buf.h"

#define LIMIT_MAX_GROUPS 4096u
#define LIMIT_BUCKETS 4096u

struct stamp {
	uint64_t sec;
	uint32_t ms;
};

struct group {
	struct group *chain;         /* same bucket */
	struct group *older, *newer; /* by last use (limit) or start (aggregate) */
	double tokens, then;         /* limit: as of `then`; aggregate: started at `then` */
	struct stamp first, last;
	uint64_t events;
	uint64_t hash;
	size_t n;
	char name[];
};

struct groups {
	struct group **buckets; /* NULL until the first group */
	struct group *oldest, *newest;
	size_t count;
};

/* An aggregate that ended. */
struct repeat {
	uint32_t rule;
	struct stamp first, last;
	uint64_t events;
	size_t at, n; /* its group, in repeats.names */
};

struct repeats {
	struct repeat *list;
	size_t count, capacity;
	struct buf names;
	uint64_t lost; /* for lack of memory */
};

void groups_free(struct groups *g, const struct allocator *alloc);

/* True: within the rate. Without memory for a new group too: nothing is held back for lack of it. */
bool limit_passes(struct groups *g, struct slice name, double now, double rate, double burst, const struct allocator *alloc);

/* True: the first of its group within the window. */
bool aggregate_passes(struct groups *g, struct slice name, double now, double window, struct stamp stamp, uint32_t rule,
		      struct repeats *ended, const struct allocator *alloc);
void aggregate_expire(struct groups *g, double now, bool everything, double window, uint32_t rule, struct repeats *ended,
		      const struct allocator *alloc);

#endif
