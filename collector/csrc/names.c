/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "decode.h"

void names_init(struct names *n, names_resolve *resolve, void *ctx, const struct allocator *alloc)
{
	*n = (struct names){.alloc = alloc, .resolve = resolve, .ctx = ctx};
}

/* The slots, made when first needed: many runs translate no name. */
static struct cached_name *slots_of(struct names *n)
{
	if (n->slots == NULL) {
		n->slots = n->alloc->resize(n->alloc->ctx, NULL, NAMES_SLOTS * sizeof(*n->slots) + BUF_SLACK);
		for (size_t i = 0; n->slots != NULL && i < NAMES_SLOTS; i++)
			n->slots[i].len = 0;
	}
	return n->slots;
}

void names_free(struct names *n)
{
	if (n->slots != NULL)
		n->alloc->resize(n->alloc->ctx, n->slots, 0);
	n->slots = NULL;
}

/* "unknown(n)" */
static struct slice unknown_name(struct names *n, struct slice token)
{
	memcpy(n->unknown, "unknown(", 8);
	memcpy(n->unknown + 8, token.p, token.n); /* at most 20 bytes: token_is_decimal() */
	n->unknown[8 + token.n] = ')';
	return (struct slice){n->unknown, token.n + 9};
}

struct slice names_of(struct names *n, bool group, struct slice token, double now)
{
	static const char unset[BUF_SLACK] = "unset", none[BUF_SLACK] = "?";
	int64_t id = token_number(token);
	struct cached_name *slot;
	size_t len;

	if (id == UNSET_ID)
		return (struct slice){unset, 5};
	if (id < 0 || id > UNSET_ID)
		return unknown_name(n, token);
	if (slots_of(n) == NULL)
		return (struct slice){none, 1};
	slot = &n->slots[((uint64_t)id * 2 + group) * 0x9e3779b97f4a7c15u >> 54];
	if (slot->len > 0 && slot->id == id && slot->group == group && now >= slot->asked && now - slot->asked < NAMES_MAX_AGE)
		return (struct slice){slot->name, slot->len};
	len = n->resolve(n->ctx, group, id, now, slot->name);
	if (len == 0 || len > NAME_MAX_BYTES) { /* only when memory is short */
		slot->len = 0;
		return (struct slice){none, 1};
	}
	slot->id = id;
	slot->group = group;
	slot->asked = now;
	slot->len = (uint16_t)len;
	return (struct slice){slot->name, len};
}
