/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#define BLOCK_BYTES 65536u

struct arena_block {
	struct arena_block *next;
	size_t size;
};

void arena_init(struct arena *a, const struct allocator *alloc)
{
	*a = (struct arena){.alloc = alloc};
}

static void free_blocks(struct arena *a, struct arena_block *block)
{
	while (block != NULL) {
		struct arena_block *next = block->next;

		a->alloc->resize(a->alloc->ctx, block, 0);
		block = next;
	}
}

void arena_free(struct arena *a)
{
	free_blocks(a, a->first);
	arena_init(a, a->alloc);
}

void arena_reset(struct arena *a)
{
	if (a->first == NULL)
		return;
	free_blocks(a, a->first->next);
	a->first->next = NULL;
	a->current = a->first;
	a->next = (char *)(a->first + 1);
	a->left = a->first->size;
}

void *arena_more(struct arena *a, size_t size)
{
	size_t bytes = size > BLOCK_BYTES ? size : BLOCK_BYTES;
	struct arena_block *block = a->alloc->resize(a->alloc->ctx, NULL, sizeof(*block) + bytes);
	char *p;

	if (block == NULL)
		longjmp(*a->failed, 1);
	*block = (struct arena_block){NULL, bytes};
	if (a->current != NULL)
		a->current->next = block;
	else
		a->first = block;
	a->current = block;
	p = (char *)(block + 1);
	a->next = p + size;
	a->left = bytes - size;
	return p;
}
