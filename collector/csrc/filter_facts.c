/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of an event that rules ask for: filter.py, class Facts. */
#include "decode.h"
#include "decode_sockaddr.h"
#include "filter.h"
#include "tables.h"

void facts_init(struct filter_facts *x, const struct allocator *alloc)
{
	*x = (struct filter_facts){0};
	buf_init(&x->tokens, alloc);
	buf_init(&x->argv, alloc);
	buf_init(&x->parts, alloc);
	buf_init(&x->scratch, alloc);
	buf_init(&x->group, alloc);
	execve_init(&x->execve, alloc);
}

void facts_free(struct filter_facts *x)
{
	buf_free(&x->tokens);
	buf_free(&x->argv);
	buf_free(&x->parts);
	buf_free(&x->scratch);
	buf_free(&x->group);
	execve_free(&x->execve);
}

void facts_begin(struct filter_facts *x, const struct event *e)
{
	x->event = e;
	x->unit = x->container = (struct slice){"", 0};
	x->label_count = x->given_count = 0;
	x->have_singles = x->have_argv = x->has_argv = false;
}

/* Which of the single fields a name is, or SINGLES. */
static unsigned single_of(struct slice name)
{
	if (SLICE_IS(name, "exe"))
		return SINGLE_EXE;
	if (SLICE_IS(name, "uid"))
		return SINGLE_UID;
	if (SLICE_IS(name, "comm"))
		return SINGLE_COMM;
	if (SLICE_IS(name, "auid"))
		return SINGLE_AUID;
	if (SLICE_IS(name, "arch"))
		return SINGLE_ARCH;
	return SLICE_IS(name, "syscall") ? SINGLE_SYSCALL : SINGLES;
}

/* A buffer that ran out of memory keeps nothing; the field is then not there. */
static bool kept(struct buf *b)
{
	bool whole = !b->failed;

	b->failed = false;
	return whole;
}

static unsigned take_singles(struct filter_facts *x, struct slice run)
{
	struct walk w = walk_run(run);
	struct field f;
	unsigned found = 0;

	while (walk_next(&w, &f)) {
		unsigned which = f.name.n >= 3 && f.name.n <= 7 ? single_of(f.name) : SINGLES;
		struct single *s = &x->singles[which < SINGLES ? which : 0];

		if (which == SINGLES || s->there)
			continue;
		s->at = x->tokens.len;
		s->n = f.token.n;
		buf_put(&x->tokens, f.token.p, f.token.n);
		if (kept(&x->tokens)) {
			s->there = true;
			found++;
		}
	}
	return found;
}

static struct parts parts_of(struct filter_facts *x, const struct record *r)
{
	x->parts.len = 0;
	return scan_parts(record_body(x->event, r), &x->parts);
}

/* The first token of each single field: record by record, its fields before its msg='…'. */
static void find_singles(struct filter_facts *x)
{
	unsigned found = 0;

	x->have_singles = true;
	x->tokens.len = 0;
	memset(x->singles, 0, sizeof(x->singles));
	for (uint32_t i = 0; i < x->event->count && found < SINGLES; i++) {
		struct parts parts = parts_of(x, &x->event->records[i]);

		found += take_singles(x, parts.fields);
		if (parts.has_message)
			found += take_singles(x, parts.message);
	}
}

static bool single(struct filter_facts *x, unsigned which, struct slice *ret)
{
	if (!x->have_singles)
		find_singles(x);
	if (!x->singles[which].there)
		return false;
	*ret = (struct slice){x->tokens.data + x->singles[which].at, x->singles[which].n};
	return true;
}

/* The first field of a record with that name. */
static bool field_of(struct filter_facts *x, const struct record *r, const char *name, size_t n, struct slice *ret)
{
	struct walk w = walk_run(parts_of(x, r).fields);
	struct field f;

	while (walk_next(&w, &f))
		if (slice_is(f.name, name, n)) {
			*ret = f.token;
			return true;
		}
	return false;
}

static bool decoded(struct filter_facts *x, struct slice token, struct slice *ret)
{
	x->scratch.len = 0;
	return token_encoded(token, &x->scratch, ret) && kept(&x->scratch);
}

/* Each key of one field, between 0x01; false when `take` had enough. */
static bool split_keys(struct slice value, facts_take *take, void *ctx)
{
	const char *p = value.p, *end = p + value.n;

	for (;;) {
		const char *stop = end > p ? memchr(p, 1, (size_t)(end - p)) : NULL;

		if (!take(ctx, (struct slice){p, (size_t)((stop != NULL ? stop : end) - p)}))
			return false;
		if (stop == NULL)
			return true;
		p = stop + 1;
	}
}

static void take_keys(struct filter_facts *x, facts_take *take, void *ctx)
{
	bool any = false;

	for (uint32_t i = 0; i < x->event->count; i++) {
		struct walk w = walk_run(parts_of(x, &x->event->records[i]).fields);
		struct field f;
		struct slice value;

		while (walk_next(&w, &f)) {
			if (!SLICE_IS(f.name, "key") || !decoded(x, f.token, &value))
				continue;
			any = true;
			if (!split_keys(value, take, ctx))
				return;
		}
	}
	if (!any)
		take(ctx, (struct slice){"", 0});
}

static void take_paths(struct filter_facts *x, facts_take *take, void *ctx)
{
	struct slice token, value;

	for (uint32_t i = 0; i < x->event->count; i++)
		if (x->event->records[i].number == AUDIT_PATH && field_of(x, &x->event->records[i], "name", 4, &token) &&
		    decoded(x, token, &value) && !take(ctx, value))
			return;
}

static bool find_argv(struct filter_facts *x)
{
	bool execve = false;

	if (x->have_argv)
		return x->has_argv;
	x->have_argv = true;
	for (uint32_t i = 0; i < x->event->count && !execve; i++)
		execve = x->event->records[i].number == AUDIT_EXECVE;
	if (!execve || !execve_read(&x->execve, x->event))
		return false;
	x->argv.len = 0;
	for (size_t i = 0; i < x->execve.count; i++) {
		struct slice argument;

		if (i > 0)
			buf_putc(&x->argv, ' ');
		if (execve_argument(&x->execve, i, &argument))
			buf_put(&x->argv, argument.p, argument.n);
	}
	x->has_argv = kept(&x->argv);
	return x->has_argv;
}

static bool find_syscall(struct filter_facts *x, struct slice *ret)
{
	struct slice arch;
	const struct arch_entry *entry;
	const char *name = NULL;

	if (!single(x, SINGLE_SYSCALL, ret) || !single(x, SINGLE_ARCH, &arch) || (entry = arch_find(arch)) == NULL)
		return false;
	if (token_is_decimal(*ret) && ret->p[0] != '-')
		name = syscall_name(entry, (uint64_t)token_number(*ret));
	if (name != NULL)
		*ret = slice_of(name);
	return true;
}

static bool single_text(struct filter_facts *x, unsigned which, struct slice *ret)
{
	return single(x, which, ret) && decoded(x, *ret, ret);
}

void facts_texts(struct filter_facts *x, enum filter_field field, facts_take *take, void *ctx)
{
	struct slice text = {"", 0};
	bool there = false;

	switch (field) {
	case FILTER_TYPE:
		for (uint32_t i = 0; i < x->event->count; i++)
			if (!take(ctx, record_type(x->event, &x->event->records[i])))
				return;
		return;
	case FILTER_KEY:
		take_keys(x, take, ctx);
		return;
	case FILTER_PATH:
		take_paths(x, take, ctx);
		return;
	case FILTER_LABELS:
		for (size_t i = 0; i < x->label_count; i++)
			if (!take(ctx, x->labels[i]))
				return;
		for (size_t i = 0; i < x->given_count; i++)
			if (!take(ctx, x->given[i]))
				return;
		return;
	case FILTER_EXE:
		there = single_text(x, SINGLE_EXE, &text);
		break;
	case FILTER_COMM:
		there = single_text(x, SINGLE_COMM, &text);
		break;
	case FILTER_ARGV:
		there = find_argv(x);
		text = (struct slice){x->argv.data, x->argv.len};
		break;
	case FILTER_SYSCALL:
		there = find_syscall(x, &text);
		break;
	case FILTER_UNIT:
		there = x->unit.n > 0;
		text = x->unit;
		break;
	case FILTER_CONTAINER:
		there = x->container.n > 0;
		text = x->container;
		break;
	case FILTER_AUID:
	case FILTER_UID:
	case FILTER_SADDR:
		break;
	}
	if (there)
		take(ctx, text);
}

bool facts_number(struct filter_facts *x, enum filter_field field, int64_t *ret)
{
	struct slice token;

	if (!single(x, field == FILTER_AUID ? SINGLE_AUID : SINGLE_UID, &token) || !token_is_decimal(token))
		return false;
	*ret = token_number(token);
	return true;
}

static bool in_network(const struct filter_value *v, const struct sockaddr_parts *a)
{
	unsigned bits = v->bits;

	if (a->port < v->low_port || a->port > v->high_port)
		return false;
	if (v->family == 0)
		return true;
	if ((v->family == 4) != (a->shape == SA_INET))
		return false;
	for (size_t i = 0; bits > 0; i++, bits -= bits < 8 ? bits : 8) {
		unsigned mask = bits >= 8 ? 0xffu : 0xffu << (8 - bits) & 0xffu;

		if (((a->address[i] ^ v->address[i]) & mask) != 0)
			return false;
	}
	return true;
}

/* Whether an address of the event is in one of the networks that are (not) negative. */
bool facts_in_networks(struct filter_facts *x, const struct filter_condition *c, bool negative)
{
	struct slice token, value;

	for (uint32_t i = 0; i < x->event->count; i++) {
		struct sockaddr_parts a;

		if (x->event->records[i].number != AUDIT_SOCKADDR || !field_of(x, &x->event->records[i], "saddr", 5, &token) ||
		    !decoded(x, token, &value))
			continue;
		a = sockaddr_parse(value, false);
		if (a.shape != SA_INET && a.shape != SA_INET6)
			continue;
		for (uint32_t v = 0; v < c->count; v++)
			if (c->values[v].negative == negative && in_network(&c->values[v], &a))
				return true;
	}
	return false;
}

struct joining {
	struct buf *to;
	bool more, one;
};

static bool join(void *ctx, struct slice text)
{
	struct joining *j = ctx;

	if (j->more)
		buf_putc(j->to, 1);
	j->more = true;
	buf_put(j->to, text.p, text.n);
	return !j->one;
}

struct slice facts_group(struct filter_facts *x, uint16_t per)
{
	static const enum filter_field fields[] = {
		[BY_KEY] = FILTER_KEY, [BY_EXE] = FILTER_EXE, [BY_COMM] = FILTER_COMM, [BY_SYSCALL] = FILTER_SYSCALL, [BY_AUID] = FILTER_AUID,
		[BY_UID] = FILTER_UID, [BY_TYPE] = FILTER_TYPE, [BY_UNIT] = FILTER_UNIT, [BY_CONTAINER] = FILTER_CONTAINER,
	};
	bool first = true;

	x->group.len = 0;
	for (unsigned i = 0; i < FILTER_GROUPINGS; i++) {
		struct joining j = {&x->group, false, i != BY_KEY};
		struct slice token;

		if ((per >> i & 1) == 0)
			continue;
		if (!first)
			buf_putc(&x->group, '\0');
		first = false;
		if (i == BY_AUID || i == BY_UID) {
			if (single(x, i == BY_AUID ? SINGLE_AUID : SINGLE_UID, &token))
				buf_put(&x->group, token.p, token.n);
		} else {
			facts_texts(x, fields[i], join, &j);
		}
	}
	x->group.failed = false; /* a shorter name groups more, which counts all the same */
	return (struct slice){x->group.data, x->group.len < FILTER_MAX_GROUP ? x->group.len : FILTER_MAX_GROUP};
}
