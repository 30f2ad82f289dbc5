/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON value under construction, in an arena. What the `ecs` format makes of a record, and asks it about. */
#ifndef AUDITPACK_VALUE_H
#define AUDITPACK_VALUE_H

#include "arena.h"
#include "tables.h"

enum value_type { VALUE_NULL, VALUE_TEXT, VALUE_NUMBER, VALUE_LIST, VALUE_OBJECT, VALUE_JSON };

struct object_value;

struct value {
	enum value_type type;
	bool repeated;       /* a list of the values of a name that came more than once */
	struct slice text;   /* TEXT: UTF-8; NUMBER: its digits; JSON: as it is to be written */
	int64_t number;      /* saturated */
	struct value *first, *last; /* LIST */
	struct value *next;  /* in its list */
	struct object_value *object;
};

struct member_value {
	struct slice name; /* UTF-8 */
	uint64_t hash;
	uint16_t field; /* index in field_entries, or FIELD_NONE */
	struct value *value;
	struct member_value *next, *chain;
};

struct object_value {
	struct member_value *first, *last;
	struct member_value **buckets; /* of members that are in no table; NULL as long as there are few */
	unsigned others;
	uint64_t seen[MAX_FIELD_NAMES / 64];
};

/* A name: of the table (field) or any other text. */
struct key {
	struct slice name;
	uint16_t field;
};

struct value *value_null(struct arena *a);
struct value *value_text(struct arena *a, struct slice text);
struct value *value_number(struct arena *a, struct slice digits);
struct value *value_json(struct arena *a, struct slice json);
struct value *value_list(struct arena *a);
struct value *value_object(struct arena *a);
void value_append(struct value *list, struct value *item);

struct key key_of_field(uint16_t field);
struct key key_of_name(struct slice name); /* eight bytes from its start must be readable */

/* The value of a name; NULL when there is none. */
struct value *object_get(const struct object_value *o, struct key key);

static inline struct value *object_get_field(const struct object_value *o, uint16_t field)
{
	if ((o->seen[field / 64] >> field % 64 & 1) == 0)
		return NULL;
	for (const struct member_value *m = o->first;; m = m->next)
		if (m->field == field)
			return m->value;
}

/* Sets a name; met a second time it becomes a repeated list of its values. */
void object_put(struct arena *a, struct object_value *o, struct key key, struct value *value);

void put_value_json(struct buf *to, const struct value *v);
void put_object_json(struct buf *to, const struct object_value *o);

/* A JSON string of text that may have no BUF_SLACK. */
void put_text_copy(struct arena *a, struct buf *to, struct slice text);

static inline bool is_text(const struct value *v)
{
	return v != NULL && v->type == VALUE_TEXT;
}

static inline bool is_number(const struct value *v)
{
	return v != NULL && v->type == VALUE_NUMBER;
}

static inline bool is_object(const struct value *v)
{
	return v != NULL && v->type == VALUE_OBJECT;
}

#endif
