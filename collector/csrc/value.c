/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"

#include "decode.h"

#define FEW_OTHERS 16u
#define OTHER_BUCKETS 1024u

static struct value *new_value(struct arena *a, enum value_type type)
{
	struct value *v = arena_take(a, sizeof(*v));

	*v = (struct value){.type = type};
	return v;
}

struct value *value_null(struct arena *a)
{
	return new_value(a, VALUE_NULL);
}

struct value *value_text(struct arena *a, struct slice text)
{
	struct value *v = new_value(a, VALUE_TEXT);

	v->text = text;
	return v;
}

struct value *value_number(struct arena *a, struct slice digits)
{
	struct value *v = new_value(a, VALUE_NUMBER);

	v->text = digits;
	v->number = token_number(digits);
	return v;
}

struct value *value_json(struct arena *a, struct slice json)
{
	struct value *v = new_value(a, VALUE_JSON);

	v->text = json;
	return v;
}

struct value *value_list(struct arena *a)
{
	return new_value(a, VALUE_LIST);
}

struct value *value_object(struct arena *a)
{
	struct value *v = new_value(a, VALUE_OBJECT);

	v->object = arena_take(a, sizeof(*v->object));
	*v->object = (struct object_value){0};
	return v;
}

void value_append(struct value *list, struct value *item)
{
	item->next = NULL;
	if (list->last != NULL)
		list->last->next = item;
	else
		list->first = item;
	list->last = item;
}

struct key key_of_field(uint16_t field)
{
	const struct field_entry *entry = &field_entries[field];

	return (struct key){{entry->json + 1, entry->len}, field};
}

struct key key_of_name(struct slice name)
{
	const struct field_entry *entry = field_find(name);

	return (struct key){name, entry == NULL ? FIELD_NONE : entry->index};
}

static uint64_t hash_name(struct slice name)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * 0x100000001b3u;
	return h;
}

static struct member_value *find_other(const struct object_value *o, struct slice name, uint64_t hash)
{
	struct member_value *m = o->buckets != NULL ? o->buckets[hash % OTHER_BUCKETS] : o->first;

	if (o->others == 0)
		return NULL;
	for (; m != NULL; m = o->buckets != NULL ? m->chain : m->next)
		if (m->field == FIELD_NONE && m->hash == hash && slice_is(m->name, name.p, name.n))
			return m;
	return NULL;
}

static struct member_value *find(const struct object_value *o, struct key key)
{
	if (key.field == FIELD_NONE)
		return find_other(o, key.name, hash_name(key.name));
	if ((o->seen[key.field / 64] >> key.field % 64 & 1) == 0)
		return NULL;
	for (struct member_value *m = o->first;; m = m->next)
		if (m->field == key.field)
			return m;
}

struct value *object_get(const struct object_value *o, struct key key)
{
	const struct member_value *m = find(o, key);

	return m == NULL ? NULL : m->value;
}

static void chain_other(struct object_value *o, struct member_value *m)
{
	struct member_value **bucket = &o->buckets[m->hash % OTHER_BUCKETS];

	m->chain = *bucket;
	*bucket = m;
}

static void add_other(struct arena *a, struct object_value *o, struct member_value *m)
{
	o->others++;
	if (o->buckets != NULL) {
		chain_other(o, m);
	} else if (o->others > FEW_OTHERS) {
		o->buckets = arena_take(a, OTHER_BUCKETS * sizeof(struct member_value *));
		memset(o->buckets, 0, OTHER_BUCKETS * sizeof(struct member_value *));
		for (struct member_value *each = o->first; each != NULL; each = each->next)
			if (each->field == FIELD_NONE)
				chain_other(o, each);
	}
}

void object_put(struct arena *a, struct object_value *o, struct key key, struct value *value)
{
	struct member_value *m = find(o, key);

	if (m != NULL) {
		if (!m->value->repeated) {
			struct value *list = value_list(a);

			list->repeated = true;
			value_append(list, m->value);
			m->value = list;
		}
		value_append(m->value, value);
		return;
	}
	m = arena_take(a, sizeof(*m));
	*m = (struct member_value){.name = key.name, .field = key.field, .value = value};
	if (o->last != NULL)
		o->last->next = m;
	else
		o->first = m;
	o->last = m;
	if (key.field != FIELD_NONE) {
		o->seen[key.field / 64] |= (uint64_t)1 << key.field % 64;
		return;
	}
	m->hash = hash_name(key.name);
	add_other(a, o, m);
}

void put_object_json(struct buf *to, const struct object_value *o)
{
	buf_putc(to, '{');
	for (const struct member_value *m = o->first; m != NULL; m = m->next) {
		if (m != o->first)
			buf_putc(to, ',');
		if (m->field != FIELD_NONE) {
			buf_put(to, field_entries[m->field].json, field_entries[m->field].len + 3u);
		} else {
			put_json_text(to, m->name);
			buf_putc(to, ':');
		}
		put_value_json(to, m->value);
	}
	buf_putc(to, '}');
}

/* Depth is bounded: a record holds objects (msg, saddr) of lists of texts, and lists of those where names repeat. */
void put_value_json(struct buf *to, const struct value *v)
{
	switch (v->type) {
	case VALUE_NULL:
		BUF_LITERAL(to, "null");
		break;
	case VALUE_TEXT:
		put_json_text(to, v->text);
		break;
	case VALUE_NUMBER:
	case VALUE_JSON:
		buf_put(to, v->text.p, v->text.n);
		break;
	case VALUE_LIST:
		buf_putc(to, '[');
		for (const struct value *item = v->first; item != NULL; item = item->next) {
			if (item != v->first)
				buf_putc(to, ',');
			put_value_json(to, item);
		}
		buf_putc(to, ']');
		break;
	case VALUE_OBJECT:
		put_object_json(to, v->object);
		break;
	}
}

void put_text_copy(struct arena *a, struct buf *to, struct slice text)
{
	char *copy = arena_take(a, text.n);

	memcpy(copy, text.p, text.n);
	put_json_text(to, (struct slice){copy, text.n});
}
