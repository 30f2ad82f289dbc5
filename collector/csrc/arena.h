/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of one event: taken in pieces, given back at once. Out of memory jumps to *failed, so that users need no checks; nothing but
 * the arena may be held across a take. */
#ifndef AUDITPACK_ARENA_H
#define AUDITPACK_ARENA_H

#include <setjmp.h>

#include "buf.h"

struct arena_block;

struct arena {
	const struct allocator *alloc;
	struct arena_block *first, *current;
	char *next;
	size_t left;
	jmp_buf *failed;
};

void arena_init(struct arena *a, const struct allocator *alloc);
void arena_free(struct arena *a);

/* Forgets all that was taken; keeps one block. */
void arena_reset(struct arena *a);
void *arena_more(struct arena *a, size_t size);

/* `size` bytes, aligned to 8, with 16 writable bytes behind them. */
static inline void *arena_take(struct arena *a, size_t size)
{
	size_t whole = (size + 16 + 7) & ~(size_t)7; /* sizes are bounded by MAX_EVENT_BYTES times a small number */
	void *p = a->next;

	if (whole > a->left)
		return arena_more(a, whole);
	a->next += whole;
	a->left -= whole;
	return p;
}

#endif
