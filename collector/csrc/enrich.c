/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich.h"

#include "decode.h"

bool enrich_init(struct enricher *n, struct slice program, struct slice hostname, enrich_ask *ask, void *ask_ctx, const struct allocator *alloc)
{
	*n = (struct enricher){.alloc = alloc, .ask = ask, .ask_ctx = ask_ctx};
	buf_init(&n->scratch, alloc);
	buf_init(&n->argv, alloc);
	buf_init(&n->answer, alloc);
	buf_init(&n->hostname, alloc);
	buf_init(&n->current.groups, alloc);
	buf_init(&n->current.environment, alloc);
	buf_init(&n->current.hash, alloc);
	execve_init(&n->execve, alloc);
	n->table = (struct process_table){.alloc = alloc};
	buf_put(&n->hostname, hostname.p, hostname.n);
	if (!n->hostname.failed && enrich_options_read(&n->options, program, alloc) && process_table_init(&n->table, alloc))
		return true;
	enrich_free(n);
	return false;
}

void enrich_free(struct enricher *n)
{
	process_table_free(&n->table);
	enrich_options_free(&n->options, n->alloc);
	execve_free(&n->execve);
	buf_free(&n->scratch);
	buf_free(&n->argv);
	buf_free(&n->answer);
	buf_free(&n->hostname);
	buf_free(&n->current.groups);
	buf_free(&n->current.environment);
	buf_free(&n->current.hash);
}

/* Fields of a SYSCALL record; of a name that came twice the first. */
struct call {
	int64_t pid, ppid, user, login;
	struct slice comm, exe, arch;
	struct slice keys[MAX_ENRICH_KEYS];
	size_t key_count;
	bool failed;
};

static int64_t id_of(struct slice token)
{
	int64_t number = token_is_decimal(token) ? token_number(token) : -1;

	return number >= 0 && number <= UINT32_MAX ? number : -1;
}

static struct slice text_of(struct enricher *n, struct slice token, size_t max)
{
	struct slice bytes = {"", 0};

	if (!token_encoded(token, &n->scratch, &bytes))
		return (struct slice){"", 0};
	return (struct slice){bytes.p, bytes.n < max ? bytes.n : max};
}

/* Of more than MAX_ENRICH_KEYS keys (AUDIT_MAX_KEY_LEN is 256 bytes) the first count. */
static void read_keys(struct enricher *n, struct slice token, struct call *ret)
{
	struct slice bytes;
	const char *p, *end, *stop;

	if (!token_encoded(token, &n->scratch, &bytes))
		return;
	for (p = bytes.p, end = bytes.p + bytes.n; ret->key_count < MAX_ENRICH_KEYS; p = stop + 1) {
		stop = memchr(p, 1, (size_t)(end - p));
		ret->keys[ret->key_count++] = (struct slice){p, (size_t)((stop == NULL ? end : stop) - p)};
		if (stop == NULL)
			return;
	}
}

static void read_call(struct enricher *n, struct slice fields, struct call *ret)
{
	enum { PID = 1, PPID = 2, UID = 4, AUID = 8, COMM = 16, EXE = 32, KEY = 64, SUCCESS = 128, ARCH = 256 };
	struct walk walk = walk_run(fields);
	unsigned seen = 0;
	struct field f;

	*ret = (struct call){.pid = -1, .ppid = -1, .user = -1, .login = -1, .comm = {"", 0}, .exe = {"", 0}, .arch = {"", 0}};
	while (walk_next(&walk, &f)) {
		const struct field_entry *entry = field_find(f.name);
		unsigned bit;

		if (entry == NULL)
			continue;
		switch (entry->index) {
		case F_PID: bit = PID; break;
		case F_PPID: bit = PPID; break;
		case F_UID: bit = UID; break;
		case F_AUID: bit = AUID; break;
		case F_COMM: bit = COMM; break;
		case F_EXE: bit = EXE; break;
		case F_KEY: bit = KEY; break;
		case F_SUCCESS: bit = SUCCESS; break;
		case F_ARCH: bit = ARCH; break;
		default: continue;
		}
		if ((seen & bit) != 0)
			continue;
		seen |= bit;
		switch (bit) {
		case PID: ret->pid = id_of(f.token); break;
		case PPID: ret->ppid = id_of(f.token); break;
		case UID: ret->user = id_of(f.token); break;
		case AUID: ret->login = id_of(f.token); break;
		case COMM: ret->comm = text_of(n, f.token, MAX_PROCESS_NAME); break;
		case EXE: ret->exe = text_of(n, f.token, MAX_PROCESS_PATH); break;
		case KEY: read_keys(n, f.token, ret); break;
		case SUCCESS: ret->failed = SLICE_IS(f.token, "no"); break;
		default: ret->arch = f.token; break;
		}
	}
}

/* The fields of a record; what scan_parts joins lies in scratch. */
static struct slice fields_of(struct enricher *n, const struct event *e, const struct record *r)
{
	return scan_parts(record_body(e, r), &n->scratch).fields;
}

static const struct record *first_of(const struct event *e, uint16_t number)
{
	for (uint32_t i = 0; i < e->count; i++)
		if (e->records[i].number == number)
			return &e->records[i];
	return NULL;
}

static struct slice basename_of(struct slice path)
{
	for (size_t i = path.n; i > 0; i--)
		if (path.p[i - 1] == '/')
			return (struct slice){path.p + i, path.n - i};
	return path;
}

static bool same(struct slice a, struct slice b)
{
	return slice_is(a, b.p, b.n);
}

/* For #! the kernel puts the path that execve() got behind the interpreter and its argument (enrich.py, _script). */
static struct slice script_of(struct enricher *n, const struct event *e, const struct record *execve, struct slice exe, struct slice carried)
{
	const struct record *path = first_of(e, AUDIT_PATH);
	struct slice named = {"", 0};
	struct walk walk;
	struct field f;

	if (path != NULL)
		for (walk = walk_run(fields_of(n, e, path)); walk_next(&walk, &f);)
			if (SLICE_IS(f.name, "name")) {
				named = text_of(n, f.token, MAX_PROCESS_PATH);
				break;
			}
	if (same(basename_of(named), basename_of(exe)))
		named.n = 0;
	if (named.n == 0 && carried.n == 0)
		return (struct slice){"", 0};
	for (walk = walk_run(fields_of(n, e, execve)); walk_next(&walk, &f);) {
		struct slice argument;

		if (f.name.n != 2 || f.name.p[0] != 'a' || f.name.p[1] < '1' || f.name.p[1] > '4')
			continue;
		argument = text_of(n, f.token, SIZE_MAX);
		if (argument.n > 0 && (same(argument, named) || same(argument, carried)))
			return argument;
	}
	return (struct slice){"", 0};
}

/* What ASK_PROCESS answered. */
struct facts {
	bool known;
	int64_t start, ppid;
	struct slice started, comm, exe, cgroup;
};

bool enrich_next_text(const struct buf *texts, size_t *at, struct slice *ret)
{
	const char *stop = *at < texts->len ? memchr(texts->data + *at, 0, texts->len - *at) : NULL;

	if (stop == NULL)
		return false;
	*ret = (struct slice){texts->data + *at, (size_t)(stop - texts->data) - *at};
	*at += ret->n + 1;
	return true;
}

/* Empty: unknown. */
static struct facts ask_process(struct enricher *n, int64_t pid, uint64_t second)
{
	struct facts ret = {0};
	struct slice texts[5];
	size_t at = 0;

	n->answer.len = 0;
	n->ask(n->ask_ctx, ASK_PROCESS, pid, second, (struct slice){"", 0}, &n->answer);
	for (unsigned i = 0; i < 5; i++)
		if (!enrich_next_text(&n->answer, &at, &texts[i]))
			return ret;
	ret.start = token_is_decimal(texts[0]) ? token_number(texts[0]) : -1;
	ret.ppid = token_is_decimal(texts[2]) ? token_number(texts[2]) : -1;
	ret.started = texts[1];
	ret.comm = texts[3];
	ret.exe = texts[4];
	ret.cgroup = (struct slice){n->answer.data + at, n->answer.len - at};
	ret.known = true;
	return ret;
}

/* The process of a pid; asked of /proc when no event showed it, and its parents too. */
static struct process *parent_of(struct enricher *n, const struct event *e, int64_t pid, bool local)
{
	struct process *found = pid > 0 ? process_find(&n->table, e->id.node, pid) : NULL, *child = NULL;

	if (found != NULL || !local || !n->options.proc)
		return found;
	for (unsigned i = 0; i < MAX_PARENTS && pid > 0; i++) {
		struct facts facts = ask_process(n, pid, e->id.sec);
		struct process *p = facts.known ? process_add(&n->table, e->id.node, pid, facts.ppid) : NULL, *known;

		if (p == NULL)
			break;
		p->start = facts.start;
		process_set(&n->table, p, &p->started, facts.started, PROCESS_ID_BYTES);
		process_set(&n->table, p, &p->cgroup, facts.cgroup, SIZE_MAX);
		process_set(&n->table, p, &p->comm, facts.comm, MAX_PROCESS_NAME);
		process_set(&n->table, p, &p->exe, facts.exe, MAX_PROCESS_PATH);
		process_table_trim(&n->table);
		if (child == NULL)
			found = p;
		else
			child->parent = p->number;
		known = facts.ppid > 0 ? process_find(&n->table, e->id.node, facts.ppid) : NULL;
		if (known != NULL) {
			p->parent = known->number;
			break;
		}
		child = p;
		pid = facts.ppid;
	}
	return found;
}

/* The first arguments, joined by blanks; false without an EXECVE record. */
static bool read_argv(struct enricher *n, const struct event *e)
{
	n->argv.len = 0;
	if (first_of(e, AUDIT_EXECVE) == NULL || !execve_read(&n->execve, e))
		return false;
	for (size_t i = 0; i < n->execve.count && i < MAX_LABEL_ARGUMENTS && n->argv.len < MAX_LABEL_ARGUMENT_BYTES; i++) {
		struct slice argument;

		if (i > 0)
			buf_putc(&n->argv, ' ');
		if (execve_argument(&n->execve, i, &argument))
			buf_put(&n->argv, argument.p, argument.n < MAX_LABEL_ARGUMENT_BYTES ? argument.n : MAX_LABEL_ARGUMENT_BYTES);
	}
	if (n->argv.len > MAX_LABEL_ARGUMENT_BYTES)
		n->argv.len = MAX_LABEL_ARGUMENT_BYTES;
	if (n->argv.failed || n->execve.joined.failed) {
		n->argv.failed = n->execve.joined.failed = false;
		return false;
	}
	return true;
}

static void set_subject(struct label_subjects *s, enum label_condition at, struct slice value, bool known)
{
	s->values[at] = value;
	s->known[at] = known;
}

/* The digits of a number that is not negative. */
static struct slice digits_of(char digits[24], int64_t number)
{
	char *p = digits + 24;

	do {
		*--p = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return (struct slice){p, (size_t)(digits + 24 - p)};
}

static void label(struct enricher *n, const struct event *e, const struct call *call, struct process *p, bool program)
{
	const struct enrich_options *o = &n->options;
	struct label_subjects s = {.keys = call->keys, .key_count = call->key_count};
	struct slice unit = process_cgroup(p, CGROUP_UNIT);
	char user[24], login[24];

	p->labels = labels_of_keys(o, p->labels, call->keys, call->key_count);
	if (!program && call->key_count == 0)
		return;
	set_subject(&s, LABEL_EXE, p->exe, true);
	set_subject(&s, LABEL_SCRIPT, p->script, p->script.n > 0);
	set_subject(&s, LABEL_UNIT, unit, unit.n > 0);
	if (call->user >= 0)
		set_subject(&s, LABEL_USER, digits_of(user, call->user), true);
	if (call->login >= 0)
		set_subject(&s, LABEL_LOGIN, digits_of(login, call->login), true);
	if (o->wants_argv && read_argv(n, e))
		set_subject(&s, LABEL_ARGV, (struct slice){n->argv.data, n->argv.len}, true);
	p->labels = labels_of_rules(o, p->labels, &s, !program);
}

static struct process *new_process(struct enricher *n, const struct event *e, const struct call *call, bool local, const struct facts *facts)
{
	struct process *p = process_add(&n->table, e->id.node, call->pid, call->ppid), *parent;
	char started[PROCESS_ID_BYTES + BUF_SLACK]; /* asking for parents overwrites the answer */
	size_t len = facts->started.n < PROCESS_ID_BYTES ? facts->started.n : PROCESS_ID_BYTES;

	if (p == NULL)
		return NULL;
	if (len > 0)
		memcpy(started, facts->started.p, len);
	process_set_id(p, 1, event_id_text(e));
	if (facts->known) {
		p->start = facts->start;
		process_set(&n->table, p, &p->started, (struct slice){started, len}, PROCESS_ID_BYTES);
		process_set(&n->table, p, &p->cgroup, facts->cgroup, SIZE_MAX);
	}
	parent = parent_of(n, e, call->ppid, local);
	if (parent != NULL) {
		p->parent = parent->number;
		p->labels = parent->labels & n->options.inherited;
		if (!facts->known) /* as fork() leaves it */
			process_set(&n->table, p, &p->cgroup, parent->cgroup, SIZE_MAX);
	}
	return p;
}

static struct process *process_of(struct enricher *n, const struct event *e, const struct call *call, bool local)
{
	const struct record *execve = call->failed ? NULL : first_of(e, AUDIT_EXECVE);
	struct process *p = process_find(&n->table, e->id.node, call->pid);
	struct facts facts = {0};
	struct slice carried = {"", 0}, script = {"", 0};
	char kept[MAX_PROCESS_PATH];
	bool program;

	if (local && n->options.proc && (p == NULL || execve != NULL))
		facts = ask_process(n, call->pid, e->id.sec);
	if (p != NULL && !(facts.known && p->start >= 0 ? facts.start == p->start
							: p->ppid == call->ppid || (execve == NULL && same(p->exe, call->exe))))
		p = NULL;
	program = p == NULL || execve != NULL || !same(p->exe, call->exe);
	if (p == NULL) {
		p = new_process(n, e, call, local, &facts);
		if (p == NULL)
			return NULL;
	} else if (execve != NULL) {
		p->labels &= n->options.inherited;
		if (facts.known)
			process_set(&n->table, p, &p->cgroup, facts.cgroup, SIZE_MAX);
	}
	if (program) {
		if (SLICE_IS(basename_of(p->exe), "env") && p->script.n > 0) {
			memcpy(kept, p->script.p, p->script.n);
			carried = (struct slice){kept, p->script.n};
		}
		process_set_id(p, 0, event_id_text(e));
		process_set(&n->table, p, &p->comm, call->comm, SIZE_MAX);
		process_set(&n->table, p, &p->exe, call->exe, SIZE_MAX);
		if (execve != NULL) {
			n->current.executed = true;
			script = script_of(n, e, execve, call->exe, carried);
		}
		process_set(&n->table, p, &p->script, script, MAX_PROCESS_PATH);
		if (execve != NULL)
			n->current.script = p->script;
	}
	p->ppid = call->ppid;
	if (program)
		process_table_trim(&n->table);
	if (n->options.labels)
		label(n, e, call, p, program);
	return p;
}

static void ask_texts(struct enricher *n, enum enrich_question question, int64_t number, struct slice text, uint64_t second, struct buf *to)
{
	n->ask(n->ask_ctx, question, number, second, text, to);
	if (to->failed) {
		to->failed = false;
		to->len = 0;
	}
}

void enrich_event(struct enricher *n, const struct event *e)
{
	const struct record *record = first_of(e, AUDIT_SYSCALL);
	const struct enrich_options *o = &n->options;
	struct enrichment *found = &n->current;
	struct slice node = event_node(e);
	bool local = n->ask != NULL && (e->node_len == 0 || slice_is(node, n->hostname.data, n->hostname.len));
	struct call call;
	bool contained;

	found->process = found->parent = NULL;
	found->ancestor_count = 0;
	found->executed = false;
	found->script = (struct slice){"", 0};
	found->arch = NULL;
	found->groups.len = found->environment.len = found->hash.len = 0;
	n->scratch.len = 0;
	if (!buf_room(&n->scratch, 2 * e->lines.len + BUF_SLACK)) { /* slices into it are held while more is decoded */
		n->scratch.failed = false;
		return;
	}
	read_call(n, fields_of(n, e, record != NULL ? record : &e->records[0]), &call);
	if (record != NULL)
		found->arch = arch_find(call.arch);
	if (call.pid <= 0)
		return;
	found->process = record != NULL ? process_of(n, e, &call, local) : process_find(&n->table, e->id.node, call.pid);
	if (found->process != NULL) {
		struct process *at = process_parent(&n->table, found->process);

		found->parent = at;
		while (at != NULL && found->ancestor_count < o->ancestors) {
			found->ancestors[found->ancestor_count++] = at;
			at = process_parent(&n->table, at);
		}
	}
	if (record == NULL || !local)
		return;
	if (o->groups && call.user >= 0)
		ask_texts(n, ASK_GROUPS, call.user, (struct slice){"", 0}, 0, &found->groups);
	if (found->executed && o->environment)
		ask_texts(n, ASK_ENVIRONMENT, call.pid, (struct slice){"", 0}, e->id.sec, &found->environment);
	contained = found->process != NULL && process_cgroup(found->process, CGROUP_CONTAINER).n > 0;
	if (found->executed && o->hash)
		ask_texts(n, ASK_HASH, call.pid, contained ? (struct slice){"", 0} : call.exe, e->id.sec, &found->hash);
}

bool enrich_is_own(const struct enricher *n, const struct event *e)
{
	bool any = false;

	for (unsigned i = 0; i < 4; i++)
		any |= n->options.machine[i].n > 0;
	return any && (e->node_len == 0 || slice_is(event_node(e), n->hostname.data, n->hostname.len));
}

void enrich_guid(const struct enricher *n, const struct process *p, struct buf *to)
{
	struct slice id = p->first.n > 0 ? p->first : p->started;

	if (p->start >= 0 && n->options.boot.n > 0) {
		buf_put(to, n->options.boot.p, n->options.boot.n);
		buf_putc(to, ':');
		put_number(to, (uint64_t)p->pid);
		buf_putc(to, ':');
		put_number(to, (uint64_t)p->start);
		return;
	}
	put_number(to, (uint64_t)p->pid);
	buf_putc(to, ':');
	buf_put(to, id.p, id.n);
}
