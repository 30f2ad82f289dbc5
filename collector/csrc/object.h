/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON object whose names may repeat: values of one name become a list (emit_records.py, put). */
#ifndef AUDITPACK_OBJECT_H
#define AUDITPACK_OBJECT_H

#include "buf.h"

struct member {
	uint64_t hash;
	size_t name, name_len;   /* raw bytes in text */
	size_t value, value_len; /* JSON in text */
	uint32_t chain;          /* next in bucket, counted from 1 */
	uint32_t repeat, last;   /* next value of the same name; last one (of a first member), counted from 1 */
	bool repeats;            /* not the first of its name */
};

#define OBJECT_BUCKETS 256u

struct object {
	const struct allocator *alloc;
	struct buf text;
	struct member *members;
	uint32_t count, capacity;
	uint32_t buckets[OBJECT_BUCKETS];
	bool failed;
};

void object_init(struct object *o, const struct allocator *alloc);
void object_free(struct object *o);
void object_clear(struct object *o);

/* Opens a member; its value is what is appended to the returned buf until object_end(). */
struct buf *object_begin(struct object *o, struct slice name);
void object_end(struct object *o);
bool object_has(const struct object *o, struct slice name);

/* Appends {…} to `to`; names are written by put_name. */
void object_write(const struct object *o, struct buf *to, void (*put_name)(struct buf *to, struct slice name));

#endif
