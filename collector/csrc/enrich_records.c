/* SPDX-License-Identifier: Apache-2.0 */
/* What enrichment adds to the objects of `records`, by the rules of enrich_records.py. */
#include "decode.h"
#include "emit.h"
#include "enrich.h"
#include "flags.h"

/* Writes members with a comma between. */
struct members {
	struct buf *to;
	bool any;
};

static struct buf *name_member(struct members *o, const char *name)
{
	buf_putc(o->to, o->any ? ',' : '{');
	o->any = true;
	buf_putc(o->to, '"');
	buf_puts(o->to, name);
	BUF_LITERAL(o->to, "\":");
	return o->to;
}

static void text_member(struct members *o, const char *name, struct slice text)
{
	if (text.n > 0)
		put_records_text(name_member(o, name), text);
}

static void close_members(struct members *o)
{
	if (!o->any)
		buf_putc(o->to, '{');
	buf_putc(o->to, '}');
}

static void put_identity(struct emitter *m, struct members *o, const struct process *p)
{
	struct enricher *n = m->enrich;

	if (p->event.n > 0)
		text_member(o, "EVENT_ID", p->event);
	else
		text_member(o, "START_TIME", p->started);
	if (n->options.guid) {
		n->answer.len = 0;
		enrich_guid(n, p, &n->answer);
		put_records_text(name_member(o, "GUID"), (struct slice){n->answer.data, n->answer.len});
	}
}

static void put_named(struct emitter *m, struct buf *to, const struct process *p)
{
	struct members o = {to, false};

	put_identity(m, &o, p);
	put_number(name_member(&o, "pid"), (uint64_t)p->pid);
	text_member(&o, "comm", p->comm);
	text_member(&o, "exe", p->exe);
	close_members(&o);
}

static void put_place(const struct enrich_options *options, struct members *o, const struct process *p)
{
	struct slice container = process_cgroup(p, CGROUP_CONTAINER), service = process_cgroup(p, CGROUP_TEXTS);

	if (container.n > 0 && options->container) {
		struct members inner = {name_member(o, "container"), false};

		text_member(&inner, "id", container);
		text_member(&inner, "runtime", process_cgroup(p, CGROUP_RUNTIME));
		text_member(&inner, "pod_uid", process_cgroup(p, CGROUP_POD));
		close_members(&inner);
	}
	if (!options->unit)
		return;
	if (service.p != NULL) {
		buf_putc(name_member(o, "systemd_service"), '[');
		for (unsigned i = CGROUP_TEXTS; (service = process_cgroup(p, i)).p != NULL; i++) {
			if (i > CGROUP_TEXTS)
				buf_putc(o->to, ',');
			put_records_text(o->to, service);
		}
		buf_putc(o->to, ']');
	}
	text_member(o, "systemd_unit", process_cgroup(p, CGROUP_UNIT));
}

static void put_process(struct emitter *m, struct writer *w, const struct enrichment *found)
{
	const struct enrich_options *options = &m->enrich->options;
	struct members o;

	if (found->process == NULL || !options->process)
		return;
	o = (struct members){records_member(w, "PID"), false};
	put_identity(m, &o, found->process);
	put_place(options, &o, found->process);
	close_members(&o);
	records_member_end(w);
	if (found->parent == NULL)
		return;
	o = (struct members){records_member(w, "PPID"), false};
	put_identity(m, &o, found->parent);
	close_members(&o);
	records_member_end(w);
}

/* The labels of the process; the groups of the user. */
static void put_lists(struct writer *w, const struct enricher *n, const struct enrichment *found)
{
	uint64_t labels = found->process == NULL ? 0 : found->process->labels;
	struct slice group;
	struct buf *to;
	bool any = false;
	size_t at = 0;

	if (labels != 0) {
		to = records_member(w, "LABELS");
		for (uint32_t i = 0; i < n->options.label_count; i++) {
			if ((labels >> i & 1) == 0)
				continue;
			buf_putc(to, any ? ',' : '[');
			any = true;
			put_records_text(to, n->options.label_names[i]);
		}
		buf_putc(to, ']');
		records_member_end(w);
	}
	if (found->groups.len == 0)
		return;
	to = records_member(w, "UID_GROUPS");
	for (any = false; enrich_next_text(&found->groups, &at, &group); any = true) {
		buf_putc(to, any ? ',' : '[');
		put_records_text(to, group);
	}
	buf_putc(to, ']');
	records_member_end(w);
}

static void put_syscall(struct emitter *m, struct writer *w, const struct enrichment *found)
{
	const struct enrich_options *options = &m->enrich->options;
	struct slice hash;
	size_t at = 0;

	put_process(m, w, found);
	if (found->parent != NULL && options->parent) {
		put_named(m, records_member(w, "SPAWNED_BY"), found->parent);
		records_member_end(w);
	}
	if (found->ancestor_count > 0) {
		struct buf *to = records_member(w, "ANCESTORS");

		for (unsigned i = 0; i < found->ancestor_count; i++) {
			buf_putc(to, i > 0 ? ',' : '[');
			put_named(m, to, found->ancestors[i]);
		}
		buf_putc(to, ']');
		records_member_end(w);
	}
	if (found->script.n > 0 && options->script) {
		put_records_text(records_member(w, "SCRIPT"), found->script);
		records_member_end(w);
	}
	put_lists(w, m->enrich, found);
	if (enrich_next_text(&found->hash, &at, &hash)) {
		put_records_text(records_member(w, "EXE_HASH"), hash);
		records_member_end(w);
	}
}

/* {name: value or null}; entries are "name=value" or "name". */
static void put_environment(struct writer *w, const struct enrichment *found)
{
	struct members o;
	struct slice entry;
	size_t at = 0;

	if (found->environment.len == 0)
		return;
	o = (struct members){records_member(w, "ENV"), false};
	while (enrich_next_text(&found->environment, &at, &entry)) {
		const char *equals = memchr(entry.p, '=', entry.n);
		size_t n = equals == NULL ? entry.n : (size_t)(equals - entry.p);

		buf_putc(o.to, o.any ? ',' : '{');
		o.any = true;
		put_records_text(o.to, (struct slice){entry.p, n});
		buf_putc(o.to, ':');
		if (equals == NULL)
			BUF_LITERAL(o.to, "null");
		else
			put_records_text(o.to, (struct slice){equals + 1, entry.n - n - 1});
	}
	close_members(&o);
	records_member_end(w);
}

static void put_other(struct emitter *m, struct writer *w, const struct event *e, const struct field *f)
{
	bool opid = SLICE_IS(f->name, "opid");
	struct members o;
	struct process *p;

	if ((!opid && !SLICE_IS(f->name, "pid")) || !token_is_decimal(f->token))
		return;
	p = process_find(&m->enrich->table, e->id.node, token_number(f->token));
	if (p == NULL)
		return;
	o = (struct members){records_member(w, opid ? "OPID" : "PID"), false};
	put_identity(m, &o, p);
	if (opid) {
		text_member(&o, "comm", p->comm);
		text_member(&o, "exe", p->exe);
		if (p->ppid < 0)
			BUF_LITERAL(name_member(&o, "ppid"), "-1");
		else
			put_number(name_member(&o, "ppid"), (uint64_t)p->ppid);
	}
	close_members(&o);
	records_member_end(w);
}

/* DECODED, opened by what is found first. */
struct decoded {
	struct writer *w;
	struct members o;
};

static struct members *decoded_members(struct decoded *d)
{
	if (d->o.to == NULL)
		d->o = (struct members){records_member(d->w, "DECODED"), false};
	return &d->o;
}

static void put_decoded_field(void *ctx, uint16_t field, struct slice json)
{
	struct members *o = decoded_members(ctx);
	const struct field_entry *entry = &field_entries[field];
	char name[32] = {0};

	memcpy(name, entry->json + 1, entry->len);
	buf_put(name_member(o, name), json.p, json.n);
}

/* The name of the call of a SYSCALL record and of the error in its `exit`: of the first fields of these names. */
static struct slice read_call(struct slice fields, const struct arch_entry *arch, struct decoded *d)
{
	struct walk walk = walk_run(fields);
	struct slice call = {NULL, 0};
	bool has_call = false, has_exit = false;
	const char *name;
	struct field f;

	while (walk_next(&walk, &f) && !(has_call && has_exit)) {
		if (!has_call && SLICE_IS(f.name, "syscall")) {
			has_call = true;
			if (arch == NULL || !token_is_decimal(f.token) || f.token.p[0] == '-')
				continue;
			name = syscall_name(arch, (uint64_t)token_number(f.token));
			if (name != NULL)
				call = slice_of(name);
		} else if (!has_exit && SLICE_IS(f.name, "exit")) {
			int64_t number = token_is_decimal(f.token) ? token_number(f.token) : 0;

			has_exit = true;
			if (number < 0 && number > -(int64_t)errno_count && errno_names[-number] != NULL)
				put_word(name_member(decoded_members(d), "exit"), slice_of(errno_names[-number]));
		}
	}
	return call;
}

/* `data` of a TTY record as typed keys. */
static void put_typed(struct emitter *m, struct slice fields, struct decoded *d)
{
	struct enricher *n = m->enrich;
	struct walk walk = walk_run(fields);
	struct slice bytes;
	struct field f;

	while (walk_next(&walk, &f)) {
		if (!SLICE_IS(f.name, "data"))
			continue;
		if (!token_encoded(f.token, &m->scratch, &bytes))
			return;
		n->answer.len = 0;
		flags_put_keys(&n->answer, bytes);
		put_records_text(name_member(decoded_members(d), "data"), (struct slice){n->answer.data, n->answer.len});
		return;
	}
}

static const struct arch_entry *arch_of(struct slice fields)
{
	struct walk walk = walk_run(fields);
	struct field f;

	while (walk_next(&walk, &f))
		if (SLICE_IS(f.name, "arch"))
			return arch_find(f.token);
	return NULL;
}

static void put_decoded(struct emitter *m, struct writer *w, const struct record *r, struct slice fields)
{
	const struct arch_entry *arch = r->number == AUDIT_SECCOMP ? arch_of(fields) : m->enrich->current.arch;
	struct decoded d = {w, {NULL, false}};
	struct slice call = {NULL, 0};
	char padded[32 + BUF_SLACK] = {0};

	if (r->number == AUDIT_SYSCALL)
		call = read_call(fields, arch, &d);
	if (call.n > 0 && call.n < 32) { /* call_find() reads eight bytes */
		memcpy(padded, call.p, call.n);
		call.p = padded;
	}
	flags_of_record(r->number, fields, arch, call, put_decoded_field, &d);
	if (r->number == AUDIT_TTY || r->number == AUDIT_USER_TTY)
		put_typed(m, fields, &d);
	if (d.o.to == NULL)
		return;
	close_members(&d.o);
	records_member_end(w);
}

void enrich_put_record(struct emitter *m, struct writer *w, const struct event *e, const struct record *r, struct slice fields)
{
	const struct enrichment *found = &m->enrich->current;
	struct walk walk;
	struct field f;

	if (r->number == AUDIT_EXECVE) {
		put_environment(w, found);
		return;
	}
	if (r->number == AUDIT_SYSCALL)
		put_syscall(m, w, found);
	else if (m->enrich->options.process)
		for (walk = walk_run(fields); walk_next(&walk, &f);)
			put_other(m, w, e, &f);
	if (m->enrich->options.decode)
		put_decoded(m, w, r, fields);
	if (m->enrich->answer.failed) {
		m->enrich->answer.failed = false;
		m->out->failed = true;
	}
}

void enrich_put_host(const struct enricher *n, const struct event *e, struct buf *to)
{
	static const char *const names[4] = {"id", "boot_id", "cloud_provider", "cloud_instance_id"};
	struct members o = {to, false};

	if (!enrich_is_own(n, e))
		return;
	BUF_LITERAL(to, ",\"HOST\":");
	for (unsigned i = 0; i < 4; i++)
		text_member(&o, names[i], n->options.machine[i]);
	close_members(&o);
}
