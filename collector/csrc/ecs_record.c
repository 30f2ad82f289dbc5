/* SPDX-License-Identifier: Apache-2.0 */
/* One element of auditd.records, by the rules of ecs_record.py. */
#include "decode.h"
#include "ecs.h"

/* A name with an ending, as a key. */
static struct key with_ending(struct arena *a, struct slice name, const char *ending)
{
	size_t n = strlen(ending);
	char *text = arena_take(a, name.n + n);

	memcpy(text, name.p, name.n);
	memcpy(text + name.n, ending, n);
	return key_of_name((struct slice){text, name.n + n});
}

/* How a field's name is written, and its kind. */
struct naming {
	struct key key;
	enum ecs_kind kind;
	const struct field_entry *entry; /* of the name as it stands; NULL: not in the table */
};

static struct naming naming_of(struct arena *a, struct slice name)
{
	const struct field_entry *entry;
	struct slice lower, text;
	char *p;

	if (name.n == 0)
		name = (struct slice){"text\0\0\0\0", 4};
	entry = field_find(name);
	if (entry != NULL && memchr(name.p, '.', name.n) == NULL)
		return (struct naming){key_of_field(entry->lower), entry->ecs_kind, entry};
	p = arena_take(a, name.n);
	for (size_t i = 0; i < name.n; i++)
		p[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] | 0x20 : name.p[i]);
	lower = (struct slice){p, name.n};
	entry = field_find(lower);
	text = ecs_text(a, lower);
	p = arena_take(a, text.n);
	for (size_t i = 0; i < text.n; i++)
		p[i] = text.p[i] == '.' ? '_' : text.p[i];
	return (struct naming){key_of_name((struct slice){p, text.n}), entry == NULL ? ECS_PLAIN : entry->ecs_kind, NULL};
}

static struct value *syscall_value(struct ecs_event *x, struct slice token)
{
	const char *name = NULL;

	if (!token_is_decimal(token))
		return ecs_plain(x->arena, token);
	if (x->arch != NULL && token.p[0] != '-')
		name = syscall_name(x->arch, (uint64_t)token_number(token));
	return name != NULL ? ecs_own_text(x->arena, name) : value_text(x->arena, token);
}

static bool is_null_token(struct slice token)
{
	return SLICE_IS(token, "(null)") || SLICE_IS(token, "?");
}

/* The value of a token; may give the key another ending. */
static struct value *field_value(struct ecs_event *x, const struct naming *n, struct slice token, struct key *key)
{
	struct arena *a = x->arena;
	struct slice bytes;

	switch (n->kind) {
	case ECS_DECIMAL:
		if (key->field == F_SYSCALL)
			return syscall_value(x, token);
		if (token_is_decimal(token))
			return value_number(a, token);
		break;
	case ECS_HEX:
		if (key->field == F_ARCH && arch_find(token) != NULL)
			return ecs_own_text(a, arch_find(token)->name);
		return ecs_hex(a, token);
	case ECS_OCTAL:
		if (token_octal(token, &bytes)) {
			char *text = arena_take(a, bytes.n + 1);

			text[0] = '0';
			memcpy(text + 1, bytes.p, bytes.n);
			return value_text(a, (struct slice){text, bytes.n + 1});
		}
		break;
	case ECS_KEY:
		return ecs_encoded(a, token, &bytes) ? ecs_split(a, bytes, 1) : value_list(a);
	case ECS_TITLE:
		return ecs_encoded(a, token, &bytes) ? ecs_split(a, bytes, 0) : value_null(a);
	case ECS_SADDR:
		return ecs_address(a, token, x->arch != NULL && strcmp(x->arch->name, "s390x") == 0);
	case ECS_BRACES:
		return ecs_braces(a, token);
	case ECS_ENCODED:
		return ecs_encoded(a, token, &bytes) ? value_text(a, ecs_text(a, bytes)) : value_null(a);
	case ECS_RESULT:
	case ECS_PLAIN:
		return ecs_plain(a, token);
	}
	/* a number that is none */
	if (is_null_token(token))
		return value_null(a);
	*key = with_ending(a, key->name, "_text");
	return ecs_plain(a, token);
}

static void put_field(struct ecs_event *x, struct object_value *o, const struct field *f)
{
	struct arena *a = x->arena;
	struct naming naming = naming_of(a, f->name);
	struct key key = naming.key;
	struct value *value = field_value(x, &naming, f->token, &key), *wrapped, *keys;

	if (key.field == F_MSG) {
		wrapped = value_object(a);
		object_put(a, wrapped->object, key_of_field(F_TEXT), value);
		value = wrapped;
	} else if (key.field == F_TYPE) {
		key = key_of_field(F_TYPE_FIELD);
	}
	keys = key.field == F_KEY ? object_get(o, key) : NULL;
	if (keys != NULL) {
		while (value->first != NULL) {
			struct value *item = value->first;

			value->first = item->next;
			value_append(keys, item);
		}
		return;
	}
	object_put(a, o, key, value);
	if (key.field == F_EXIT && value->type == VALUE_NUMBER && value->number < 0 && value->number > -(int64_t)errno_count &&
	    errno_names[-value->number] != NULL)
		object_put(a, o, key_of_field(F_EXIT_NAME), ecs_own_text(a, errno_names[-value->number]));
}

static void put_fields(struct ecs_event *x, struct object_value *o, struct slice run)
{
	struct walk walk = walk_run(run);
	struct field f;

	while (walk_next(&walk, &f))
		put_field(x, o, &f);
}

static struct key beside(struct arena *a, const struct naming *n)
{
	if (n->entry != NULL && n->entry->beside != FIELD_NONE)
		return key_of_field(n->entry->beside);
	return with_ending(a, n->key.name, "_name");
}

static void put_tail(struct ecs_event *x, struct object_value *o, struct walk walk)
{
	struct field f;

	while (walk_next(&walk, &f)) {
		struct naming naming = naming_of(x->arena, f.name);
		struct value *value = ecs_plain(x->arena, f.token);

		if (naming.key.field == F_ARCH || naming.key.field == F_SYSCALL) {
			const struct value *own = object_get(o, naming.key);

			/* None == None too: Python's out.get(key) of a missing name */
			if (value->type == VALUE_NULL ? own == NULL || own->type == VALUE_NULL
						      : is_text(own) && slice_is(own->text, value->text.p, value->text.n))
				continue;
		}
		object_put(x->arena, o, beside(x->arena, &naming), value);
	}
}

/* <name>_name of user and group numbers that auditd has not resolved. */
static void put_names(struct ecs_event *x, struct object_value *o, struct slice run)
{
	struct walk walk = walk_run(run);
	struct field f;

	if (x->m->translate != TRANSLATE_ALL)
		return;
	while (walk_next(&walk, &f)) {
		const struct field_entry *entry = field_find(f.name);
		struct slice name;
		struct key key;

		if (entry == NULL || entry->flags == 0 || !token_is_decimal(f.token))
			continue;
		key = key_of_field(entry->beside);
		if (object_get(o, key) != NULL)
			continue;
		name = names_of(x->m->names, entry->flags == FIELD_GROUP, f.token, x->m->now);
		if (name.n < 8 || memcmp(name.p, "unknown(", 8) != 0)
			object_put(x->arena, o, key, value_text(x->arena, ecs_copy(x->arena, name)));
	}
}

/* The parts of a record; what scan_parts joins in scratch moves to the arena. */
static struct parts parts_of(struct ecs_event *x, const struct record *r)
{
	struct buf *scratch = &x->m->scratch;
	struct parts parts;

	scratch->len = 0;
	parts = scan_parts(record_body(x->event, r), scratch);
	if (scratch->len > 0)
		parts.fields = ecs_copy(x->arena, parts.fields);
	return parts;
}

static void put_message(struct ecs_event *x, struct object_value *o, const struct parts *parts)
{
	struct value *message;

	if (!parts->has_message)
		return;
	message = value_object(x->arena);
	put_fields(x, message->object, parts->message);
	put_names(x, message->object, parts->message);
	object_put(x->arena, o, key_of_field(F_MSG), message);
}

static const struct arch_entry *arch_of(struct ecs_event *x, const struct record *r)
{
	struct walk walk = walk_run(parts_of(x, r).fields);
	struct field f;

	while (walk_next(&walk, &f))
		if (SLICE_IS(f.name, "arch"))
			return arch_find(f.token);
	return NULL;
}

static void decode_record(struct ecs_event *x, struct object_value *o, const struct record *r)
{
	struct parts parts = parts_of(x, r);
	const struct arch_entry *arch = x->arch;

	if (r->number == AUDIT_SECCOMP) /* it comes without a SYSCALL record */
		x->arch = arch_of(x, r);
	put_fields(x, o, parts.fields);
	put_message(x, o, &parts);
	if (parts.tail.n > 0)
		put_tail(x, o, walk_tail(parts.tail, r->number == AUDIT_SOCKADDR));
	put_names(x, o, parts.fields);
	ecs_put_flags(x, o, r->number, parts.fields);
	x->arch = arch;
}

static struct value *argument_value(struct arena *a, const struct execve *execve, struct slice argument)
{
	if (argument.p == execve->joined.data) /* its memory serves the next one too */
		argument = ecs_copy(a, argument);
	return value_text(a, ecs_text(a, argument));
}

static void decode_execve(struct ecs_event *x, struct object_value *o)
{
	struct arena *a = x->arena;
	struct execve *execve = &x->m->execve;
	struct value *list = value_list(a);
	struct slice argument;

	if (!execve_read(execve, x->event))
		longjmp(*a->failed, 1);
	for (size_t i = 0; i < execve->count; i++)
		value_append(list, execve_argument(execve, i, &argument) ? argument_value(a, execve, argument) : value_null(a));
	if (execve->joined.failed)
		longjmp(*a->failed, 1);
	x->whole = execve->whole;
	object_put(a, o, key_of_field(F_ARGS), list);
	for (size_t i = 0; i < execve->rest_count; i++)
		put_field(x, o, &execve->rest[i].field);
	for (uint32_t i = 0; i < x->event->count; i++) {
		struct parts parts;

		if (x->event->records[i].number != AUDIT_EXECVE)
			continue;
		parts = parts_of(x, &x->event->records[i]);
		put_message(x, o, &parts);
		if (parts.tail.n > 0)
			put_tail(x, o, walk_run(parts.tail));
	}
}

void ecs_decode(struct ecs_event *x)
{
	const struct event *e = x->event;
	bool has_execve = false;

	x->whole = true;
	x->records = arena_take(x->arena, e->count * sizeof(*x->records));
	for (uint32_t i = 0; i < e->count; i++)
		if (e->records[i].number == AUDIT_SYSCALL) {
			x->arch = arch_of(x, &e->records[i]);
			break;
		}
	for (uint32_t i = 0; i < e->count; i++) {
		const struct record *r = &e->records[i];
		struct value *object;

		if (r->number == AUDIT_EXECVE && has_execve)
			continue;
		object = value_object(x->arena);
		x->records[x->count++] = (struct ecs_record){r->number, record_type(e, r), object->object};
		object_put(x->arena, object->object, key_of_field(F_TYPE), value_text(x->arena, record_type(e, r)));
		if (r->number == AUDIT_EXECVE) {
			has_execve = true;
			decode_execve(x, object->object);
		} else {
			decode_record(x, object->object, r);
		}
	}
}
