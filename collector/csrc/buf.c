/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include <stdlib.h>

/* The process's own allocator. */
void *allocator_system(void *ctx, void *old, size_t size)
{
	(void)ctx;
	if (size == 0) {
		free(old);
		return NULL;
	}
	return realloc(old, size);
}

void buf_init(struct buf *b, const struct allocator *alloc)
{
	*b = (struct buf){.alloc = alloc};
}

void buf_free(struct buf *b)
{
	if (b->data != NULL)
		b->alloc->resize(b->alloc->ctx, b->data, 0);
	buf_init(b, b->alloc);
}

/* Makes room for `more` bytes behind len, at least doubling; false (and failed set) when there is no memory. */
bool buf_grow(struct buf *b, size_t more)
{
	size_t want, doubled, total;
	char *data;

	if (b->failed)
		return false;
	if (__builtin_add_overflow(b->len, more, &want))
		goto fail;
	if (want < 256)
		want = 256;
	if (!__builtin_mul_overflow(b->cap, (size_t)2, &doubled) && doubled > want)
		want = doubled;
	if (__builtin_add_overflow(want, (size_t)BUF_SLACK, &total))
		goto fail;
	data = b->alloc->resize(b->alloc->ctx, b->data, total);
	if (data == NULL)
		goto fail;
	b->data = data;
	b->cap = want;
	return true;

fail:
	b->failed = true;
	return false;
}
