/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich_ecs.h"

#include "decode.h"
#include "ecs_value.h"

/* Writes members; `first` stands before the first one. */
struct members {
	struct buf *to;
	struct arena *arena;
	const char *first;
	bool any;
};

static struct buf *name_member(struct members *o, const char *name)
{
	buf_puts(o->to, o->any ? "," : o->first);
	o->any = true;
	buf_putc(o->to, '"');
	buf_puts(o->to, name);
	BUF_LITERAL(o->to, "\":");
	return o->to;
}

/* Raw bytes; none when there are none. */
static void text_member(struct members *o, const char *name, struct slice text)
{
	if (text.n > 0)
		put_json_text(name_member(o, name), ecs_text(o->arena, ecs_copy(o->arena, text)));
}

static void guid_member(struct members *o, const struct enricher *n, const struct process *p)
{
	static const struct allocator none = {NULL, NULL};
	struct buf text;
	size_t room = n->options.boot.n + 2 * PROCESS_ID_BYTES;

	if (!n->options.guid)
		return;
	text = (struct buf){.data = arena_take(o->arena, room + BUF_SLACK), .cap = room, .alloc = &none};
	enrich_guid(n, p, &text);
	text_member(o, "entity_id", (struct slice){text.data, text.len});
}

void enrich_put_parent(const struct enricher *n, struct arena *a, struct buf *to)
{
	const struct process *parent = n->current.process == NULL ? NULL : n->current.parent;
	struct members o = {to, a, ",", false};

	if (parent == NULL || !n->options.parent)
		return;
	guid_member(&o, n, parent);
	text_member(&o, "name", parent->comm);
	text_member(&o, "executable", parent->exe);
}

void enrich_put_process(const struct enricher *n, struct arena *a, struct buf *to, bool with_parent)
{
	const struct enrichment *found = &n->current;
	struct members o = {to, a, ",", false};
	struct slice text;
	size_t at = 0;

	if (found->process == NULL)
		return;
	if (with_parent && found->parent != NULL && n->options.parent) {
		BUF_LITERAL(name_member(&o, "parent"), "{\"pid\":");
		put_number(to, (uint64_t)found->parent->pid);
		enrich_put_parent(n, a, to);
		buf_putc(to, '}');
	}
	guid_member(&o, n, found->process);
	if (enrich_next_text(&found->hash, &at, &text)) {
		BUF_LITERAL(name_member(&o, "hash"), "{\"sha256\":");
		put_json_text(to, ecs_text(a, ecs_copy(a, text)));
		buf_putc(to, '}');
	}
	if (found->environment.len > 0) {
		name_member(&o, "env_vars");
		at = 0;
		for (bool any = false; enrich_next_text(&found->environment, &at, &text); any = true) {
			buf_putc(to, any ? ',' : '[');
			put_json_text(to, ecs_text(a, ecs_copy(a, text)));
		}
		buf_putc(to, ']');
	}
}

void enrich_put_machine(const struct enricher *n, struct arena *a, struct buf *to, bool comma)
{
	struct members o = {to, a, comma ? "," : "", false};

	text_member(&o, "id", n->options.machine[0]);
	if (n->options.machine[1].n > 0) {
		BUF_LITERAL(name_member(&o, "boot"), "{\"id\":");
		put_json_text(to, ecs_text(a, ecs_copy(a, n->options.machine[1])));
		buf_putc(to, '}');
	}
}

void enrich_put_cloud(const struct enricher *n, struct arena *a, struct buf *to)
{
	struct members o = {to, a, ",\"cloud\":{", false};

	text_member(&o, "provider", n->options.machine[2]);
	if (n->options.machine[3].n > 0) {
		BUF_LITERAL(name_member(&o, "instance"), "{\"id\":");
		put_json_text(to, ecs_text(a, ecs_copy(a, n->options.machine[3])));
		buf_putc(to, '}');
	}
	if (o.any)
		buf_putc(to, '}');
}

void enrich_put_container(const struct enricher *n, struct arena *a, struct buf *to)
{
	const struct process *p = n->current.process;
	struct members o;

	if (p == NULL || !n->options.container)
		return;
	if (process_cgroup(p, CGROUP_CONTAINER).n > 0) {
		BUF_LITERAL(to, ",\"container\":");
		o = (struct members){to, a, "{", false};
		text_member(&o, "id", process_cgroup(p, CGROUP_CONTAINER));
		text_member(&o, "runtime", process_cgroup(p, CGROUP_RUNTIME));
		text_member(&o, "name", process_cgroup(p, CGROUP_NAME));
		if (process_cgroup(p, CGROUP_IMAGE).n > 0) {
			struct members image = {name_member(&o, "image"), a, "{", false};

			text_member(&image, "name", process_cgroup(p, CGROUP_IMAGE));
			buf_putc(to, '}');
		}
		buf_putc(to, '}');
	}
	if (process_cgroup(p, CGROUP_POD).n == 0)
		return;
	BUF_LITERAL(to, ",\"orchestrator\":{\"type\":\"kubernetes\",\"resource\":{\"type\":\"pod\"");
	o = (struct members){to, a, ",", false};
	text_member(&o, "id", process_cgroup(p, CGROUP_POD));
	text_member(&o, "name", process_cgroup(p, CGROUP_POD_NAME));
	buf_putc(to, '}');
	o.any = false;
	text_member(&o, "namespace", process_cgroup(p, CGROUP_NAMESPACE));
	buf_putc(to, '}');
}

static void put_named(const struct enricher *n, struct arena *a, struct buf *to, const struct process *p)
{
	struct members o = {to, a, "{", false};

	put_number(name_member(&o, "pid"), (uint64_t)p->pid);
	guid_member(&o, n, p);
	text_member(&o, "name", p->comm);
	text_member(&o, "executable", p->exe);
	buf_putc(to, '}');
}

static void put_lists(const struct enricher *n, struct members *o)
{
	const struct enrichment *found = &n->current;
	bool any = false;
	struct slice text;
	size_t at = 0;

	if (found->process->labels != 0) {
		name_member(o, "labels");
		for (uint32_t i = 0; i < n->options.label_count; i++) {
			if ((found->process->labels >> i & 1) == 0)
				continue;
			buf_putc(o->to, any ? ',' : '[');
			any = true;
			put_json_text(o->to, ecs_text(o->arena, ecs_copy(o->arena, n->options.label_names[i])));
		}
		buf_putc(o->to, ']');
	}
	if (found->groups.len > 0) {
		name_member(o, "groups");
		for (any = false; enrich_next_text(&found->groups, &at, &text); any = true) {
			buf_putc(o->to, any ? ',' : '[');
			put_json_text(o->to, ecs_text(o->arena, ecs_copy(o->arena, text)));
		}
		buf_putc(o->to, ']');
	}
	if (found->ancestor_count == 0)
		return;
	name_member(o, "ancestors");
	for (unsigned i = 0; i < found->ancestor_count; i++) {
		buf_putc(o->to, i > 0 ? ',' : '[');
		put_named(n, o->arena, o->to, found->ancestors[i]);
	}
	buf_putc(o->to, ']');
}

void enrich_put_auditd(const struct enricher *n, struct arena *a, struct buf *to)
{
	const struct process *p = n->current.process;
	struct members o = {to, a, ",\"process\":{", false};

	if (p == NULL)
		return;
	if (n->options.script)
		text_member(&o, "script", p->script);
	if (n->options.unit)
		text_member(&o, "unit", process_cgroup(p, CGROUP_UNIT));
	put_lists(n, &o);
	if (o.any)
		buf_putc(to, '}');
}
