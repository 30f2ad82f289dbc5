/* SPDX-License-Identifier: Apache-2.0 */
/* Format `ecs`: Elastic Common Schema 8 plus auditd.*, by the rules of emit_ecs.py. */
#include "decode.h"
#include "ecs.h"
#include "ecs_parts.h"
#include "enrich_ecs.h"

#define LAST_SECOND 253402300799u /* 9999-12-31T23:59:59Z; a later time stamp is clamped, event.id keeps it */
#define ECS_VERSION "8.17.0"

/* Days since 1970-01-01 -> year, month, day (proleptic Gregorian calendar). */
static void civil(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t shifted = days + 719468, era = shifted / 146097, of_era = shifted % 146097;
	uint64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100), index = (5 * of_year + 2) / 153;

	*day = (unsigned)(of_year - (153 * index + 2) / 5 + 1);
	*month = (unsigned)(index < 10 ? index + 3 : index - 9);
	*year = (unsigned)(year_of_era + era * 400 + (*month <= 2));
}

static void put_digits(char *to, unsigned value, unsigned width)
{
	while (width-- > 0) {
		to[width] = (char)('0' + value % 10);
		value /= 10;
	}
}

/* "2026-11-20T21:23:21.123Z"; the part up to the second is kept for the next event. */
static void put_timestamp(struct emitter *m, uint64_t second, uint32_t ms)
{
	char *text = m->second_text;

	if (!m->has_second || second != m->second) {
		uint64_t clamped = second < LAST_SECOND ? second : LAST_SECOND;
		unsigned of_day = (unsigned)(clamped % 86400), year, month, day;

		civil(clamped / 86400, &year, &month, &day);
		memcpy(text, "0000-00-00T00:00:00.000Z", 24);
		put_digits(text, year, 4);
		put_digits(text + 5, month, 2);
		put_digits(text + 8, day, 2);
		put_digits(text + 11, of_day / 3600, 2);
		put_digits(text + 14, of_day / 60 % 60, 2);
		put_digits(text + 17, of_day % 60, 2);
		m->second = second;
		m->has_second = true;
	}
	m->ms = ms;
	put_digits(text + 20, ms, 3);
	put_word(m->out, (struct slice){text, 24});
}

/* The name of the call or, without one, of the main record's type. */
static struct slice event_name(const struct view *v)
{
	const struct value *call = v->syscall == NULL ? NULL : object_get_field(v->syscall, F_SYSCALL);

	return is_text(call) && call->text.n > 0 ? call->text : v->main->type;
}

/* The row that fits, and its action or, where it has none, the name of the call or type with dashes. */
static struct meaning meaning_of(const struct view *v, struct slice *ret_action)
{
	const struct record_meaning *best = NULL;
	const struct call_meaning *call;
	const struct prefix_meaning *prefix = prefix_meanings;
	struct slice name;
	char *action;

	for (uint32_t i = 0; i < v->count; i++) {
		unsigned at = v->records[i].number - MEANING_FIRST;
		const struct record_meaning *row = &record_meanings[at < MEANING_NUMBERS ? at : 0];

		if (at < MEANING_NUMBERS && row->rank > 0 && (best == NULL || row->rank < best->rank) &&
		    (v->syscall == NULL || (row->flags & MEANING_SPOKEN_BY_SYSCALL) == 0))
			best = row;
	}
	if (best == &record_meanings[AUDIT_AVC - MEANING_FIRST]) {
		struct meaning avc = ecs_avc_meaning(v);

		*ret_action = slice_of(avc.action);
		return avc;
	}
	if (best != NULL) {
		*ret_action = slice_of(meanings[best->meaning].action);
		return meanings[best->meaning];
	}
	name = event_name(v);
	call = call_find(name);
	if (call != NULL && call->meaning != MEANING_NONE) {
		*ret_action = slice_of(meanings[call->meaning].action);
		return meanings[call->meaning];
	}
	while (name.n < strlen(prefix->prefix) || memcmp(name.p, prefix->prefix, strlen(prefix->prefix)) != 0)
		prefix++; /* the last one is empty */
	action = arena_take(v->arena, name.n);
	for (size_t i = 0; i < name.n; i++)
		action[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] | 0x20 : name.p[i] == '_' ? '-' : name.p[i]);
	*ret_action = (struct slice){action, name.n};
	return prefix->meaning;
}

/* An opening call creates, changes or reads: by nametype CREATE, then by its flags. */
static const char *types_of(const struct view *v, const struct meaning *meaning)
{
	static const uint16_t arguments[] = {F_A0, F_A1, F_A2, F_A3};
	const struct value *call = v->syscall == NULL ? NULL : object_get_field(v->syscall, F_SYSCALL), *flags = NULL;
	const struct call_meaning *row;
	uint64_t number = 0;

	if (strcmp(meaning->action, "opened-file") != 0)
		return meaning->types;
	for (uint32_t i = 0; i < v->count; i++) {
		const struct value *nametype =
			v->records[i].number == AUDIT_PATH ? object_get_field(v->records[i].object, F_NAMETYPE) : NULL;

		if (is_text(nametype) && SLICE_IS(nametype->text, "CREATE"))
			return "[\"creation\"]";
	}
	if (!is_text(call))
		return meaning->types;
	if (SLICE_IS(call->text, "creat"))
		return "[\"change\"]";
	row = call_find(call->text);
	if (row != NULL && row->flags >= 0)
		flags = object_get_field(v->syscall, arguments[row->flags]);
	if (!is_text(flags) || flags->text.n < 3 || flags->text.n > 18 || memcmp(flags->text.p, "0x", 2) != 0)
		return meaning->types;
	for (size_t i = 2; i < flags->text.n; i++) {
		int digit = hex_value(flags->text.p[i]);

		if (digit < 0)
			return meaning->types;
		number = number << 4 | (unsigned)digit;
	}
	return (number & 03) != 0 || (number & 03000) != 0 ? "[\"change\"]" : meaning->types;
}

static struct slice result_word(struct slice result)
{
	static const char success[] = "success", failure[] = "failure";

	if (SLICE_IS(result, "yes") || SLICE_IS(result, "success") || SLICE_IS(result, "1"))
		return (struct slice){success, 7};
	if (SLICE_IS(result, "no") || SLICE_IS(result, "failed") || SLICE_IS(result, "0"))
		return (struct slice){failure, 7};
	return result;
}

/* The raw lines, joined by newlines: `lines` holds them one behind the other without. */
static void put_original(struct emitter *m, const struct event *e)
{
	struct slice joined;
	char *p = arena_take(&m->arena, e->lines.len + e->count);

	joined.p = p;
	for (uint32_t i = 0; i < e->count; i++) {
		struct slice line = record_line(e, &e->records[i]);

		if (i > 0)
			*p++ = '\n';
		memcpy(p, line.p, line.n);
		p += line.n;
	}
	joined.n = (size_t)(p - joined.p);
	BUF_LITERAL(m->out, ",\"original\":");
	put_json_text(m->out, ecs_text(&m->arena, joined));
}

static void put_event_member(struct emitter *m, const struct event *e, const struct view *v, const struct meaning *meaning, struct slice action)
{
	struct slice id = event_id_text(e), result = view_result(v), word = result_word(result);
	struct buf *to = m->out;

	BUF_LITERAL(to, ",\"event\":{\"id\":\"");
	buf_put(to, id.p, id.n);
	BUF_LITERAL(to, "\",\"sequence\":");
	put_number(to, e->id.serial);
	BUF_LITERAL(to, ",\"kind\":\"event\",\"module\":\"auditd\",\"category\":");
	buf_puts(to, meaning->categories);
	BUF_LITERAL(to, ",\"type\":");
	buf_puts(to, types_of(v, meaning));
	BUF_LITERAL(to, ",\"action\":");
	put_text_copy(v->arena, to, action);
	if (result.p == NULL && ecs_avc_outcome(v) != NULL)
		word = slice_of(ecs_avc_outcome(v));
	if (word.p != result.p) {
		BUF_LITERAL(to, ",\"outcome\":");
		put_word(to, word);
	} else {
		BUF_LITERAL(to, ",\"outcome\":\"unknown\"");
	}
	if (m->original)
		put_original(m, e);
	buf_putc(to, '}');
}

static void put_tags(struct emitter *m, const struct view *v)
{
	bool any = false;

	object_clear(&m->members);
	for (uint32_t i = 0; i < v->count; i++) {
		const struct value *keys = object_get_field(v->records[i].object, F_KEY);

		if (keys == NULL || keys->type != VALUE_LIST)
			continue;
		for (const struct value *key = keys->first; key != NULL; key = key->next) {
			if (key->text.n == 0 || object_has(&m->members, key->text))
				continue;
			object_begin(&m->members, key->text);
			object_end(&m->members);
			if (any)
				buf_putc(m->out, ',');
			else
				BUF_LITERAL(m->out, ",\"tags\":[");
			any = true;
			put_json_text(m->out, key->text);
		}
	}
	if (any)
		buf_putc(m->out, ']');
	m->out->failed |= m->members.failed;
}

static void put_session(struct emitter *m, const struct view *v)
{
	const struct value *session = view_first(v, F_SES);
	struct slice result = view_result(v);

	BUF_LITERAL(m->out, ",\"auditd\":{\"schema\":1");
	if (is_text(session) || (is_number(session) && session->number != UNSET_ID)) {
		BUF_LITERAL(m->out, ",\"session\":");
		put_json_text(m->out, session->text);
	}
	if (result.p != NULL) {
		struct slice word = result_word(result);

		BUF_LITERAL(m->out, ",\"result\":");
		if (word.p != result.p)
			put_word(m->out, word);
		else
			put_json_text(m->out, result);
	}
}

static void put_records(struct emitter *m, const struct ecs_event *x)
{
	BUF_LITERAL(m->out, ",\"records\":[");
	for (uint32_t i = 0; i < x->count; i++) {
		if (i > 0)
			buf_putc(m->out, ',');
		put_object_json(m->out, x->records[i].object);
	}
	BUF_LITERAL(m->out, "]}}\n");
}

static void put_host(struct emitter *m, const struct event *e)
{
	bool own = m->enrich != NULL && enrich_is_own(m->enrich, e), named = e->node_len > 0 || m->hostname.len > 0;

	if (named || (own && enrich_has_machine(m->enrich))) {
		BUF_LITERAL(m->out, ",\"host\":{");
		if (named) {
			BUF_LITERAL(m->out, "\"hostname\":");
			put_json_text(m->out, e->node_len > 0 ? ecs_text(&m->arena, event_node(e)) : (struct slice){m->hostname.data, m->hostname.len});
		}
		if (own)
			enrich_put_machine(m->enrich, &m->arena, m->out, named);
		buf_putc(m->out, '}');
	}
	if (own)
		enrich_put_cloud(m->enrich, &m->arena, m->out);
}

static void put_event(struct emitter *m, struct event *e)
{
	struct ecs_event x = {.arena = &m->arena, .m = m, .event = e};
	struct ecs_parts parts = {0};
	struct view v;
	struct meaning meaning;
	struct slice action;

	ecs_decode(&x);
	e->complete = e->complete && x.whole;
	v = view_of(&x);
	meaning = meaning_of(&v, &action);
	ecs_find_parts(&v, &meaning, &parts);
	parts.enrich = m->enrich;
	BUF_LITERAL(m->out, "{\"@timestamp\":");
	put_timestamp(m, e->id.sec, e->id.ms);
	BUF_LITERAL(m->out, ",\"ecs\":{\"version\":\"" ECS_VERSION "\"}");
	put_event_member(m, e, &v, &meaning, action);
	put_tags(m, &v);
	ecs_put_parts(m->out, &v, &meaning, &parts);
	put_host(m, e);
	if (m->enrich != NULL)
		enrich_put_container(m->enrich, &m->arena, m->out);
	ecs_put_related(m->out, &parts);
	put_session(m, &v);
	ecs_put_summary(m->out, &v, &meaning, &parts);
	if (m->enrich != NULL)
		enrich_put_auditd(m->enrich, &m->arena, m->out);
	if (!e->complete)
		BUF_LITERAL(m->out, ",\"incomplete\":true");
	if (e->late)
		BUF_LITERAL(m->out, ",\"late\":true");
	put_marks(m, true);
	put_records(m, &x);
}

bool emit_ecs_event(struct emitter *m, struct event *e)
{
	size_t start = m->out->len;
	jmp_buf no_memory;

	arena_reset(&m->arena);
	m->arena.failed = &no_memory;
	if (setjmp(no_memory) != 0)
		m->out->failed = true;
	else
		put_event(m, e);
	m->arena.failed = NULL;
	return emitter_check(m, start);
}

bool emit_ecs_malformed(struct emitter *m, struct slice raw, const char *reason)
{
	size_t start = m->out->len;
	jmp_buf no_memory;

	arena_reset(&m->arena);
	m->arena.failed = &no_memory;
	if (setjmp(no_memory) != 0) {
		m->out->failed = true;
	} else {
		buf_putc(m->out, '{');
		if (m->has_second) {
			BUF_LITERAL(m->out, "\"@timestamp\":");
			put_timestamp(m, m->second, m->ms);
			buf_putc(m->out, ',');
		}
		BUF_LITERAL(m->out, "\"ecs\":{\"version\":\"" ECS_VERSION "\"},\"event\":{\"kind\":\"pipeline_error\",\"module\":\"auditd\","
				    "\"action\":\"malformed-line\",\"original\":");
		put_json_text(m->out, ecs_text(&m->arena, raw));
		BUF_LITERAL(m->out, "},\"error\":{\"message\":\"no audit record: ");
		buf_puts(m->out, reason);
		BUF_LITERAL(m->out, "\",\"code\":\"");
		buf_puts(m->out, reason);
		BUF_LITERAL(m->out, "\"},\"auditd\":{\"schema\":1}}\n");
	}
	m->arena.failed = NULL;
	return emitter_check(m, start);
}
