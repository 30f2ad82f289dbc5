/* SPDX-License-Identifier: Apache-2.0 */
/* What emit_ecs.c asks of an event's decoded records (emit_ecs.py, _View). */
#include "ecs.h"

struct view view_of(const struct ecs_event *x)
{
	struct view v = {.arena = x->arena, .records = x->records, .count = x->count, .main = &x->records[0]};
	const struct ecs_record *uring = NULL;

	for (uint32_t i = 0; i < x->count; i++) {
		const struct ecs_record *r = &x->records[i];

		if (r->number == AUDIT_SYSCALL) {
			v.main = r;
			v.syscall = r->object;
			return v;
		}
		if (r->number == AUDIT_URINGOP && uring == NULL)
			uring = r;
	}
	if (uring != NULL) {
		v.main = uring;
		v.syscall = uring->object;
	}
	return v;
}

const struct object_value *view_type(const struct view *v, uint16_t number)
{
	for (uint32_t i = 0; i < v->count; i++)
		if (v->records[i].number == number)
			return v->records[i].object;
	return NULL;
}

const struct value *view_message(const struct view *v, uint16_t field)
{
	for (uint32_t i = 0; i < v->count; i++) {
		const struct value *message = object_get_field(v->records[i].object, F_MSG), *found;

		if (message == NULL)
			continue;
		for (const struct value *each = message->repeated ? message->first : message; each != NULL; each = each->next) {
			found = each->type == VALUE_OBJECT ? object_get_field(each->object, field) : NULL;
			if (found != NULL)
				return found;
			if (!message->repeated)
				break;
		}
	}
	return NULL;
}

const struct value *view_first(const struct view *v, uint16_t field)
{
	const struct value *value = object_get_field(v->main->object, field);

	if (value == NULL || value->type == VALUE_NULL)
		value = view_message(v, field);
	if (value != NULL && value->type == VALUE_LIST && value->first != NULL)
		value = value->first;
	return value == NULL || value->type == VALUE_NULL ? NULL : value;
}

struct slice view_string(const struct view *v, uint16_t field)
{
	const struct value *value = view_first(v, field);

	return is_text(value) ? value->text : (struct slice){NULL, 0};
}

const struct value *view_vector(const struct view *v, uint16_t number, uint16_t field)
{
	const struct object_value *o = view_type(v, number);
	const struct value *value = o == NULL ? NULL : object_get_field(o, field);

	if (value != NULL && value->repeated)
		value = value->first;
	return value != NULL && value->type == VALUE_LIST ? value : NULL;
}

struct slice view_result(const struct view *v)
{
	static const uint16_t names[] = {F_SUCCESS, F_RES, F_RESULT};
	struct slice text = {NULL, 0};

	for (size_t i = 0; i < 3 && text.p == NULL; i++)
		text = view_string(v, names[i]);
	return text;
}

struct slice known_name(struct slice name)
{
	if (name.p == NULL || SLICE_IS(name, "unset") || (name.n >= 8 && memcmp(name.p, "unknown(", 8) == 0))
		return (struct slice){NULL, 0};
	return name;
}

struct identity view_identity(const struct view *v, uint16_t uid, uint16_t uid_name, uint16_t gid, uint16_t gid_name)
{
	const struct value *number = view_first(v, uid);
	struct identity ret = {0};

	if (is_number(number) && number->number != UNSET_ID) {
		ret.id = number->text;
		ret.name = known_name(view_string(v, uid_name));
		if (ret.name.n == 0)
			ret.name.p = NULL;
	}
	number = gid == FIELD_NONE ? NULL : view_first(v, gid);
	if (is_number(number)) {
		ret.group_id = number->text;
		ret.group_name = known_name(view_string(v, gid_name));
		if (ret.group_name.n == 0)
			ret.group_name.p = NULL;
	}
	return ret;
}

static bool same(struct slice a, struct slice b)
{
	return (a.p == NULL) == (b.p == NULL) && a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool same_identity(const struct identity *a, const struct identity *b)
{
	return same(a->id, b->id) && same(a->name, b->name) && same(a->group_id, b->group_id) && same(a->group_name, b->group_name);
}

bool has_identity(const struct identity *a)
{
	return a->id.p != NULL || a->name.p != NULL || a->group_id.p != NULL;
}
