/* SPDX-License-Identifier: Apache-2.0 */
/* Format `records`: the JSON that LAUREL prints, by the rules of emit_records.py. */
#include "decode.h"
#include "emit.h"
#include "enrich.h"
#include "records_fields.h"
#include "records_translate.h"
#include "records_value.h"

/* Opens a member and returns where its value goes; member_end() closes it. */
static inline struct buf *member_begin(struct writer *w, struct slice name, const struct field_entry *entry)
{
	uint64_t bit;

	if (w->members != NULL)
		return object_begin(w->members, name);
	if (entry == NULL || (w->seen[entry->index / 64] & (bit = (uint64_t)1 << entry->index % 64)) != 0) {
		w->gave_up = true;
		return w->to;
	}
	w->seen[entry->index / 64] |= bit;
	if (!buf_room(w->to, sizeof(entry->json) + 1))
		return w->to;
	w->to->data[w->to->len] = ',';
	w->to->len += w->comma;
	w->comma = true;
	memcpy(w->to->data + w->to->len, entry->json, sizeof(entry->json));
	w->to->len += entry->len + 3u;
	return w->to;
}

static inline void member_end(struct writer *w)
{
	if (w->members != NULL)
		object_end(w->members);
}

struct buf *records_member(struct writer *w, const char *name)
{
	/* names given here are shorter; the padding is for table_place() */
	char padded[16] = {0};
	struct slice slice = {name, strlen(name)};

	memcpy(padded, name, slice.n < 15 ? slice.n : 15);
	return member_begin(w, slice, field_find((struct slice){padded, slice.n}));
}

void records_member_end(struct writer *w)
{
	member_end(w);
}

static bool has_member(const struct writer *w, struct slice name, const struct field_entry *entry)
{
	if (w->members != NULL)
		return object_has(w->members, name);
	return entry != NULL && (w->seen[entry->index / 64] >> entry->index % 64 & 1) != 0;
}

static inline void put_field(struct writer *w, const struct field *f, struct buf *scratch)
{
	struct slice name = f->name.n > 0 ? f->name : (struct slice){"text\0\0\0\0", 4};
	const struct field_entry *entry = field_find(name);
	struct buf *to = member_begin(w, name, entry);

	records_value(to, entry != NULL ? entry->kind : KIND_PLAIN, f->token, scratch);
	member_end(w);
}

/* The fields of a run that the short way leaves: on the fast way it has written those before. */
static struct walk rest_of(struct emitter *m, struct writer *w, struct slice run, enum run_kind what, uint16_t number,
			   struct syscall_notes *notes)
{
	const char *p, *end = run.p + run.n;
	unsigned blanks = 0;

	if (w->members != NULL)
		return walk_run(run);
	while (blanks < run.n && run.p[blanks] == ' ')
		blanks++;
	p = records_fields(w, &m->shapes[(number + 41u * what) % SHAPES], run, what, notes, &m->scratch);
	return p == run.p + blanks ? walk_run(run) : walk_from(p, end);
}

/* a0 to a3 go into ARGV, behind the others. Fills *t on the fast way, where no name repeats. */
static void put_syscall_fields(struct emitter *m, struct writer *w, struct slice fields, struct translation *t)
{
	struct syscall_notes notes = {0};
	struct walk walk = rest_of(m, w, fields, RUN_FIELDS, AUDIT_SYSCALL, &notes);
	bool has_arguments = false;
	struct field f;
	struct buf *to;

	if (w->members != NULL)
		for (struct walk ahead = walk; walk_next(&ahead, &f);)
			has_arguments |= is_argument(f.name);
	while (walk_next(&walk, &f)) {
		if (is_argument(f.name)) {
			if (notes.count < 4)
				notes.arguments[notes.count] = f.token;
			notes.count++;
			continue;
		}
		if (w->members != NULL && (translation_replaces(t, f.name) || (has_arguments && SLICE_IS(f.name, "ARGV"))))
			continue;
		if (SLICE_IS(f.name, "arch"))
			notes.arch = f.token;
		else if (SLICE_IS(f.name, "syscall"))
			notes.syscall = f.token;
		put_field(w, &f, &m->scratch);
	}
	if (m->translate != TRANSLATE_NONE && w->members == NULL)
		translation_of_syscall(t, notes.arch, notes.syscall);
	if (notes.count == 0)
		return;
	to = records_member(w, "ARGV");
	buf_putc(to, '[');
	if (notes.count <= 4) {
		for (unsigned i = 0; i < notes.count; i++) {
			if (i > 0)
				buf_putc(to, ',');
			records_hex(to, notes.arguments[i]);
		}
	} else {
		bool comma = false;

		for (walk = walk_run(fields); walk_next(&walk, &f);) {
			if (!is_argument(f.name))
				continue;
			if (comma)
				buf_putc(to, ',');
			comma = true;
			records_hex(to, f.token);
		}
	}
	buf_putc(to, ']');
	member_end(w);
}

static void put_title_fields(struct emitter *m, struct writer *w, struct slice fields)
{
	static const struct slice argv = {"ARGV\0\0\0\0", 4};
	struct walk walk = walk_run(fields);
	struct slice bytes;
	struct field f;

	while (walk_next(&walk, &f)) {
		if (SLICE_IS(f.name, "proctitle") && !has_member(w, argv, field_find(argv)) &&
		    token_encoded(f.token, &m->scratch, &bytes)) {
			records_title(records_member(w, "ARGV"), bytes);
			member_end(w);
		} else {
			put_field(w, &f, &m->scratch);
		}
	}
}

static void put_plain_fields(struct emitter *m, struct writer *w, struct slice fields, enum run_kind what, uint16_t number,
			     const struct translation *t)
{
	struct walk walk = t->address ? walk_run(fields) : rest_of(m, w, fields, what, number, NULL);
	struct field f;

	while (walk_next(&walk, &f))
		if (!t->address || !translation_replaces(t, f.name))
			put_field(w, &f, &m->scratch);
}

static void put_message(struct emitter *m, struct writer *outer, struct slice message, uint16_t number)
{
	struct buf *to = records_member(outer, "msg");
	struct writer inner = {.to = to, .members = outer->members != NULL ? &m->message_members : NULL};
	struct translation none = {0};

	if (inner.members != NULL)
		object_clear(inner.members);
	else
		buf_putc(to, '{');
	put_plain_fields(m, &inner, message, RUN_MESSAGE, number, &none);
	if (inner.members != NULL)
		object_write(inner.members, to, put_records_text);
	else
		buf_putc(to, '}');
	outer->gave_up |= inner.gave_up;
	member_end(outer);
}

static inline bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct slice trim(struct slice s)
{
	while (s.n > 0 && is_blank(*s.p)) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* auditd writes SADDR={ saddr_fam=inet … }. */
static void put_saddr_tail(struct buf *to, struct slice token, struct buf *scratch)
{
	struct slice inside = trim((struct slice){token.p + 1, token.n - 2});
	size_t at = scratch->len;

	buf_putc(scratch, '{');
	buf_put(scratch, inside.p, inside.n);
	buf_putc(scratch, '}');
	if (scratch->failed)
		to->failed = true;
	else
		put_records_text(to, (struct slice){scratch->data + at, scratch->len - at});
}

static void put_tail(struct emitter *m, struct writer *w, struct slice tail, uint16_t number, const struct translation *t)
{
	bool replaces = t->arch != NULL || t->syscall != NULL || t->address;
	struct walk walk = replaces || number == AUDIT_SOCKADDR ? walk_tail(tail, number == AUDIT_SOCKADDR)
								: rest_of(m, w, tail, RUN_TAIL, number, NULL);
	struct field f;

	while (walk_next(&walk, &f)) {
		struct slice name = f.name.n > 0 ? f.name : (struct slice){"TEXT\0\0\0\0", 4};
		struct buf *to;

		if (translation_replaces(t, name))
			continue;
		to = member_begin(w, name, field_find(name));
		if (SLICE_IS(name, "SADDR") && f.token.n > 1 && f.token.p[0] == '{' && f.token.p[f.token.n - 1] == '}')
			put_saddr_tail(to, f.token, &m->scratch);
		else
			records_plain(to, f.token);
		member_end(w);
	}
}

/* AUID beside auid, and so on, where auditd has not written it. */
static void put_names(struct emitter *m, struct writer *w, struct slice fields)
{
	struct walk walk = walk_run(fields);
	struct field f;

	while (walk_next(&walk, &f)) {
		const struct field_entry *entry = field_find(f.name), *upper_entry;
		char upper[32] = {0};

		if (entry == NULL || entry->flags == 0 || !token_is_decimal(f.token))
			continue;
		for (size_t i = 0; i < f.name.n; i++)
			upper[i] = (char)(f.name.p[i] >= 'a' && f.name.p[i] <= 'z' ? f.name.p[i] - 'a' + 'A' : f.name.p[i]);
		upper_entry = field_find((struct slice){upper, f.name.n});
		if (has_member(w, (struct slice){upper, f.name.n}, upper_entry))
			continue;
		put_json_text(member_begin(w, (struct slice){upper, f.name.n}, upper_entry),
			      names_of(m->names, entry->flags == FIELD_GROUP, f.token, m->now));
		member_end(w);
	}
}

static void put_record(struct emitter *m, struct writer *w, const struct event *e, const struct record *r)
{
	struct parts parts = scan_parts(record_body(e, r), &m->scratch);
	struct translation t = {0};

	if (m->translate != TRANSLATE_NONE && (w->members != NULL || r->number == AUDIT_SOCKADDR))
		t = translation_of_record(r, parts.fields, &m->scratch);
	if (r->number == AUDIT_SYSCALL)
		put_syscall_fields(m, w, parts.fields, &t);
	else if (r->number == AUDIT_PROCTITLE)
		put_title_fields(m, w, parts.fields);
	else
		put_plain_fields(m, w, parts.fields, RUN_FIELDS, r->number, &t);
	if (parts.has_message)
		put_message(m, w, parts.message, r->number);
	if (parts.tail.n > 0)
		put_tail(m, w, parts.tail, r->number, &t);
	translation_put(w, &t);
	if (m->translate == TRANSLATE_ALL)
		put_names(m, w, parts.fields);
	if (m->enrich != NULL)
		enrich_put_record(m, w, e, r, parts.fields);
}

static void put_execve(struct emitter *m, struct writer *w, const struct event *e, const struct record *first)
{
	static const struct translation none;
	struct buf *to;

	if (!execve_read(&m->execve, e)) {
		m->out->failed = true;
		return;
	}
	to = records_member(w, "ARGV");
	buf_putc(to, '[');
	for (size_t i = 0; i < m->execve.count; i++) {
		struct slice argument;

		if (i > 0)
			buf_putc(to, ',');
		if (execve_argument(&m->execve, i, &argument))
			put_records_text(to, argument);
		else
			records_null(to);
	}
	buf_putc(to, ']');
	to->failed |= m->execve.joined.failed;
	member_end(w);
	for (size_t i = 0; i < m->execve.rest_count; i++)
		put_field(w, &m->execve.rest[i].field, &m->scratch);
	for (uint32_t i = 0; i < e->count; i++) {
		struct parts parts;

		if (e->records[i].number != AUDIT_EXECVE)
			continue;
		parts = scan_parts(record_body(e, &e->records[i]), &m->scratch);
		if (parts.has_message)
			put_message(m, w, parts.message, AUDIT_EXECVE);
		if (parts.tail.n > 0)
			put_tail(m, w, parts.tail, AUDIT_EXECVE, &none);
	}
	if (m->enrich != NULL)
		enrich_put_record(m, w, e, first, (struct slice){"", 0});
}

typedef void put_object(struct emitter *m, struct writer *w, const struct event *e, const struct record *r);

/* Writes one object the fast way or, when that gives up, the slow one. */
static void put_either_way(struct emitter *m, const struct event *e, const struct record *r, put_object *put)
{
	struct writer fast = {.to = m->out}, slow = {.to = m->out, .members = &m->members};
	size_t start = m->out->len, raw = r->number == AUDIT_EXECVE ? e->lines.len : r->line_len;

	/* Slices into scratch are held while more is decoded: it must not move. A record is joined once, decoded at most twice (its
	 * address for the translation, too), and its tail copied once. */
	m->scratch.len = 0;
	if (!buf_room(&m->scratch, 4 * raw + BUF_SLACK)) /* raw is bounded by MAX_EVENT_BYTES + MAX_LINE */
		return;
	buf_putc(m->out, '{');
	put(m, &fast, e, r);
	buf_putc(m->out, '}');
	if (!fast.gave_up)
		return;
	m->out->len = start;
	m->scratch.len = 0;
	object_clear(&m->members);
	put(m, &slow, e, r);
	object_write(&m->members, m->out, put_records_text);
}

static inline bool same_type(const struct event *e, const struct record *a, const struct record *b)
{
	return a->type_len == b->type_len && a->number == b->number &&
	       (a->number != 0 || memcmp(record_type(e, a).p, record_type(e, b).p, a->type_len) == 0);
}

/* Object types stand alone, or in a list when they repeat; all others are lists. */
static bool is_object_type(const struct event *e, const struct record *r)
{
	return r->number == AUDIT_SYSCALL || r->number == AUDIT_CWD || r->number == AUDIT_PROCTITLE || r->number == AUDIT_EXECVE ||
	       type_is_single(record_type(e, r), r->number);
}

/* All records of one type, from the first one at `first` on. */
static void put_type(struct emitter *m, struct event *e, uint32_t first)
{
	const struct record *r = &e->records[first];
	struct slice type = record_type(e, r);
	uint32_t next = first + 1;
	bool list;

	BUF_LITERAL(m->out, ",\"");
	buf_put(m->out, type.p, type.n);
	BUF_LITERAL(m->out, "\":");
	if (r->number == AUDIT_EXECVE) {
		put_either_way(m, e, r, put_execve);
		e->complete = e->complete && m->execve.whole;
		return;
	}
	while (next < e->count && !same_type(e, r, &e->records[next]))
		next++;
	list = next < e->count || !is_object_type(e, r);
	if (list)
		buf_putc(m->out, '[');
	put_either_way(m, e, r, put_record);
	for (; next < e->count; next++) {
		if (!same_type(e, r, &e->records[next]))
			continue;
		buf_putc(m->out, ',');
		put_either_way(m, e, &e->records[next], put_record);
	}
	if (list)
		buf_putc(m->out, ']');
}

static bool is_first_of_type(const struct event *e, uint32_t at)
{
	for (uint32_t i = at; i-- > 0;)
		if (same_type(e, &e->records[i], &e->records[at]))
			return false;
	return true;
}

static void put_original(struct emitter *m, const struct event *e)
{
	BUF_LITERAL(m->out, ",\"ORIGINAL\":[");
	for (uint32_t i = 0; i < e->count; i++) {
		if (i > 0)
			buf_putc(m->out, ',');
		put_records_text(m->out, record_line(e, &e->records[i]));
	}
	buf_putc(m->out, ']');
}

bool emit_records_event(struct emitter *m, struct event *e)
{
	struct slice id = event_id_text(e);
	size_t start = m->out->len;

	BUF_LITERAL(m->out, "{\"ID\":\"");
	buf_put(m->out, id.p, id.n);
	buf_putc(m->out, '"');
	if (e->node_len > 0) {
		BUF_LITERAL(m->out, ",\"NODE\":");
		put_records_text(m->out, event_node(e));
	}
	for (uint32_t i = 0; i < e->count; i++)
		if (is_first_of_type(e, i))
			put_type(m, e, i);
	put_marks(m, false);
	if (m->enrich != NULL)
		enrich_put_host(m->enrich, e, m->out);
	if (m->original)
		put_original(m, e);
	BUF_LITERAL(m->out, "}\n");
	return emitter_check(m, start);
}

bool emit_records_malformed(struct emitter *m, struct slice raw, const char *reason)
{
	size_t start = m->out->len;

	BUF_LITERAL(m->out, "{\"MALFORMED\":{\"reason\":");
	put_word(m->out, slice_of(reason));
	BUF_LITERAL(m->out, ",\"raw\":");
	put_records_text(m->out, raw);
	BUF_LITERAL(m->out, "}}\n");
	return emitter_check(m, start);
}
