/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer over an injected allocator. Running out of memory is sticky: later writes are dropped and `failed` stays set,
 * so that a writer checks once, at the end of an event, and takes the event back. */
#ifndef AUDITPACK_BUF_H
#define AUDITPACK_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Readable (and, in a buffer, writable) bytes behind the last one, so that scanners and writers may move 16 bytes at once. */
#define BUF_SLACK 64u

/* resize(ctx, old, size): like realloc; size 0 frees and returns NULL. */
struct allocator {
	void *(*resize)(void *ctx, void *old, size_t size);
	void *ctx;
};

struct buf {
	char *data;
	size_t len;
	size_t cap; /* without the slack */
	const struct allocator *alloc;
	bool failed;
};

struct slice {
	const char *p;
	size_t n;
};

void *allocator_system(void *ctx, void *old, size_t size);

void buf_init(struct buf *b, const struct allocator *alloc);
void buf_free(struct buf *b);
bool buf_grow(struct buf *b, size_t more);

/* True when `more` bytes (and the slack) may be written behind len. */
static inline bool buf_room(struct buf *b, size_t more)
{
	return (b->cap - b->len >= more && b->data != NULL) || buf_grow(b, more);
}

static inline void buf_put(struct buf *b, const void *p, size_t n)
{
	if (n > 0 && buf_room(b, n)) {
		memcpy(b->data + b->len, p, n);
		b->len += n;
	}
}

static inline void buf_putc(struct buf *b, char c)
{
	if (buf_room(b, 1))
		b->data[b->len++] = c;
}

static inline void buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

static inline struct slice slice_of(const char *s)
{
	return (struct slice){s, strlen(s)};
}

static inline bool slice_is(struct slice s, const char *literal, size_t n)
{
	return s.n == n && (n == 0 || memcmp(s.p, literal, n) == 0);
}

#define SLICE_IS(s, literal) slice_is((s), (literal), sizeof(literal) - 1)
#define BUF_LITERAL(b, literal) buf_put((b), (literal), sizeof(literal) - 1)

#endif
