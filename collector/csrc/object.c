/* SPDX-License-Identifier: Apache-2.0 */
#include "object.h"

static uint64_t hash_name(struct slice name)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * 0x100000001b3u;
	return h;
}

void object_init(struct object *o, const struct allocator *alloc)
{
	*o = (struct object){.alloc = alloc};
	buf_init(&o->text, alloc);
}

void object_free(struct object *o)
{
	buf_free(&o->text);
	if (o->members != NULL)
		o->alloc->resize(o->alloc->ctx, o->members, 0);
	object_init(o, o->alloc);
}

void object_clear(struct object *o)
{
	o->text.len = 0;
	o->text.failed = o->failed = false;
	o->count = 0;
	memset(o->buckets, 0, sizeof(o->buckets));
}

/* The first member of a name, counted from 1; 0: none. */
static uint32_t find(const struct object *o, struct slice name, uint64_t hash)
{
	uint32_t at = o->failed || o->text.failed ? 0 : o->buckets[hash % OBJECT_BUCKETS]; /* failed: names may be missing */

	for (; at != 0; at = o->members[at - 1].chain) {
		const struct member *m = &o->members[at - 1];

		if (m->hash == hash && slice_is(name, o->text.data + m->name, m->name_len))
			break;
	}
	return at;
}

bool object_has(const struct object *o, struct slice name)
{
	return find(o, name, hash_name(name)) != 0;
}

static bool grow(struct object *o)
{
	uint32_t capacity = o->capacity == 0 ? 64 : o->capacity * 2;
	struct member *members;
	size_t size;

	if (capacity < o->capacity || __builtin_mul_overflow((size_t)capacity, sizeof(*members), &size))
		return false;
	members = o->alloc->resize(o->alloc->ctx, o->members, size);
	if (members == NULL)
		return false;
	o->members = members;
	o->capacity = capacity;
	return true;
}

struct buf *object_begin(struct object *o, struct slice name)
{
	uint64_t hash = hash_name(name);
	uint32_t first, at;
	struct member *m;

	if (o->count == o->capacity && !grow(o)) {
		o->failed = o->text.failed = true;
		return &o->text;
	}
	first = find(o, name, hash);
	m = &o->members[o->count];
	at = ++o->count;
	*m = (struct member){.hash = hash, .name = o->text.len, .name_len = name.n, .last = at};
	if (first == 0) {
		uint32_t *bucket = &o->buckets[hash % OBJECT_BUCKETS];

		m->chain = *bucket;
		*bucket = at;
		buf_put(&o->text, name.p, name.n);
	} else {
		m->repeats = true;
		o->members[o->members[first - 1].last - 1].repeat = at;
		o->members[first - 1].last = at;
	}
	m->value = o->text.len;
	return &o->text;
}

void object_end(struct object *o)
{
	struct member *m;

	if (o->failed || o->text.failed || o->count == 0) {
		o->failed = true;
		return;
	}
	m = &o->members[o->count - 1];
	m->value_len = o->text.len - m->value;
}

static void put_value(const struct object *o, struct buf *to, const struct member *m)
{
	buf_put(to, o->text.data + m->value, m->value_len);
}

void object_write(const struct object *o, struct buf *to, void (*put_name)(struct buf *to, struct slice name))
{
	bool comma = false;

	if (o->failed) {
		to->failed = true;
		return;
	}
	buf_putc(to, '{');
	for (uint32_t i = 0; i < o->count; i++) {
		const struct member *m = &o->members[i];

		if (m->repeats)
			continue;
		if (comma)
			buf_putc(to, ',');
		comma = true;
		put_name(to, (struct slice){o->text.data + m->name, m->name_len});
		buf_putc(to, ':');
		if (m->repeat != 0)
			buf_putc(to, '[');
		put_value(o, to, m);
		for (uint32_t next = m->repeat; next != 0; next = o->members[next - 1].repeat) {
			buf_putc(to, ',');
			put_value(o, to, &o->members[next - 1]);
		}
		if (m->repeat != 0)
			buf_putc(to, ']');
	}
	buf_putc(to, '}');
}
