/* SPDX-License-Identifier: Apache-2.0 */
/* <field>_name members of flags, modes and commands (ecs_record.py, flags.py). */
#include "decode.h"
#include "ecs.h"
#include "flags.h"

struct target {
	struct arena *arena;
	struct object_value *object;
};

static void put_name(void *ctx, uint16_t field, struct slice json)
{
	struct target *to = ctx;
	struct key key = key_of_field(field_entries[field].beside);

	if (object_get(to->object, key) == NULL)
		object_put(to->arena, to->object, key, value_json(to->arena, ecs_copy(to->arena, json)));
}

/* The keys in the first `data` of a TTY record. */
static void put_keys(struct arena *a, struct object_value *o, struct slice fields)
{
	static const struct allocator none = {NULL, NULL};
	struct walk walk = walk_run(fields);
	struct key key = key_of_field(field_entries[F_DATA].beside);
	struct slice bytes;
	struct field f;

	while (walk_next(&walk, &f)) {
		struct buf text;

		if (!SLICE_IS(f.name, "data"))
			continue;
		if (!ecs_encoded(a, f.token, &bytes) || object_get(o, key) != NULL)
			return;
		text = (struct buf){.data = arena_take(a, bytes.n * FLAGS_KEY_MAX + BUF_SLACK), .cap = bytes.n * FLAGS_KEY_MAX, .alloc = &none};
		flags_put_keys(&text, bytes);
		object_put(a, o, key, value_text(a, ecs_text(a, (struct slice){text.data, text.len})));
		return;
	}
}

void ecs_put_flags(struct ecs_event *x, struct object_value *o, uint16_t number, struct slice fields)
{
	struct target to = {x->arena, o};
	const struct value *call = number == AUDIT_SYSCALL ? object_get_field(o, F_SYSCALL) : NULL;

	flags_of_record(number, fields, x->arch, is_text(call) ? call->text : (struct slice){NULL, 0}, put_name, &to);
	if (number == AUDIT_TTY || number == AUDIT_USER_TTY)
		put_keys(x->arena, o, fields);
}
