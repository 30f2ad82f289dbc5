/* SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

static uint64_t hash_name(struct slice name)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

	for (size_t i = 0; i < name.n; i++)
		hash = (hash ^ (unsigned char)name.p[i]) * 0x100000001b3u;
	return hash;
}

static struct group **bucket_of(struct groups *g, uint64_t hash)
{
	return &g->buckets[(hash ^ hash >> 32) % LIMIT_BUCKETS];
}

static struct group *find(struct groups *g, struct slice name, uint64_t hash)
{
	struct group *each = g->buckets != NULL ? *bucket_of(g, hash) : NULL;

	while (each != NULL && (each->hash != hash || each->n != name.n ||
				(name.n > 0 && memcmp(each->name, name.p, name.n) != 0)))
		each = each->chain;
	return each;
}

static void link_newest(struct groups *g, struct group *each)
{
	each->newer = NULL;
	each->older = g->newest;
	*(g->newest != NULL ? &g->newest->newer : &g->oldest) = each;
	g->newest = each;
}

static void unlink_group(struct groups *g, struct group *each)
{
	*(each->older != NULL ? &each->older->newer : &g->oldest) = each->newer;
	*(each->newer != NULL ? &each->newer->older : &g->newest) = each->older;
}

/* The newest group of all; NULL: no memory. */
static struct group *add(struct groups *g, struct slice name, uint64_t hash, const struct allocator *alloc)
{
	struct group *each;

	if (g->buckets == NULL) {
		g->buckets = alloc->resize(alloc->ctx, NULL, LIMIT_BUCKETS * sizeof(*g->buckets));
		if (g->buckets == NULL)
			return NULL;
		memset(g->buckets, 0, LIMIT_BUCKETS * sizeof(*g->buckets));
	}
	each = alloc->resize(alloc->ctx, NULL, sizeof(*each) + name.n);
	if (each == NULL)
		return NULL;
	*each = (struct group){.chain = *bucket_of(g, hash), .hash = hash, .n = name.n};
	if (name.n > 0)
		memcpy(each->name, name.p, name.n);
	*bucket_of(g, hash) = each;
	link_newest(g, each);
	g->count++;
	return each;
}

static void drop(struct groups *g, struct group *each, const struct allocator *alloc)
{
	struct group **link = bucket_of(g, each->hash);

	while (*link != each)
		link = &(*link)->chain;
	*link = each->chain;
	unlink_group(g, each);
	g->count--;
	alloc->resize(alloc->ctx, each, 0);
}

void groups_free(struct groups *g, const struct allocator *alloc)
{
	while (g->oldest != NULL)
		drop(g, g->oldest, alloc);
	if (g->buckets != NULL)
		alloc->resize(alloc->ctx, g->buckets, 0);
	*g = (struct groups){0};
}

bool limit_passes(struct groups *g, struct slice name, double now, double rate, double burst, const struct allocator *alloc)
{
	uint64_t hash = hash_name(name);
	struct group *each = find(g, name, hash);

	if (each == NULL) {
		each = add(g, name, hash, alloc);
		if (each == NULL)
			return true;
		each->tokens = burst;
	} else {
		if (now > each->then) {
			double tokens = each->tokens + (now - each->then) * rate;

			each->tokens = burst < tokens ? burst : tokens;
		}
		unlink_group(g, each);
		link_newest(g, each);
	}
	each->then = now;
	if (g->count > LIMIT_MAX_GROUPS)
		drop(g, g->oldest, alloc);
	if (each->tokens < 1.0)
		return false;
	each->tokens -= 1.0;
	return true;
}

/* Notes the oldest aggregate, if it held anything, and forgets it. */
static void end_oldest(struct groups *g, uint32_t rule, struct repeats *ended, const struct allocator *alloc)
{
	struct group *oldest = g->oldest;
	size_t at = ended->names.len;

	if (oldest->events > 1) {
		if (ended->count == ended->capacity) {
			size_t capacity = ended->capacity == 0 ? 16 : ended->capacity * 2;
			struct repeat *list = alloc->resize(alloc->ctx, ended->list, capacity * sizeof(*list));

			if (list != NULL) {
				ended->list = list;
				ended->capacity = capacity;
			}
		}
		buf_put(&ended->names, oldest->name, oldest->n);
		if (ended->names.failed || ended->count == ended->capacity) {
			ended->names.failed = false;
			ended->names.len = at;
			ended->lost++;
		} else {
			ended->list[ended->count++] = (struct repeat){rule, oldest->first, oldest->last, oldest->events, at, oldest->n};
		}
	}
	drop(g, oldest, alloc);
}

void aggregate_expire(struct groups *g, double now, bool everything, double window, uint32_t rule, struct repeats *ended,
		      const struct allocator *alloc)
{
	while (g->oldest != NULL) {
		if (g->oldest->then > now)
			g->oldest->then = now; /* the clock went back */
		if (!everything && now - g->oldest->then < window)
			return;
		end_oldest(g, rule, ended, alloc);
	}
}

bool aggregate_passes(struct groups *g, struct slice name, double now, double window, struct stamp stamp, uint32_t rule,
		      struct repeats *ended, const struct allocator *alloc)
{
	uint64_t hash = hash_name(name);
	struct group *each;

	aggregate_expire(g, now, false, window, rule, ended, alloc);
	each = find(g, name, hash);
	if (each != NULL) {
		each->events++;
		each->last = stamp;
		return false;
	}
	each = add(g, name, hash, alloc);
	if (each == NULL)
		return true;
	each->then = now;
	each->first = each->last = stamp;
	each->events = 1;
	if (g->count > LIMIT_MAX_GROUPS)
		end_oldest(g, rule, ended, alloc);
	return true;
}
