/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include "tables.h"

/* Reads 1 to max_digits (<= 19, so no overflow) decimal digits at *p; false when there are none or more. */
static inline bool take_number(const char **p, const char *end, unsigned max_digits, uint64_t *ret)
{
	const char *q = *p;
	uint64_t value = 0;

	while (q < end && is_digit(*q)) {
		if ((size_t)(q - *p) >= max_digits)
			return false;
		value = value * 10 + (uint64_t)(*q++ - '0');
	}
	if (q == *p)
		return false;
	*p = q;
	*ret = value;
	return true;
}

static inline bool take_literal(const char **p, const char *end, const char *literal, size_t n)
{
	if ((size_t)(end - *p) < n || memcmp(*p, literal, n) != 0)
		return false;
	*p += n;
	return true;
}

#define TAKE(p, end, literal) take_literal((p), (end), (literal), sizeof(literal) - 1)

static inline bool is_type_char(char c)
{
	return is_digit(c) || (unsigned char)((c | 0x20) - 'a') < 26 || c == '_';
}

/* NAME or NAME[1234], as auditd writes a type that its tables lack. */
static inline bool take_type(const char **p, const char *end, struct slice *ret)
{
	const char *start = *p, *q = start;
	uint64_t number;

#if defined(AUDITPACK_VECTOR)
	if (end - q >= 16)
		q += text_type_chars(q);
#endif
	while (q < end && is_type_char(*q))
		q++;
	if (q == start || (size_t)(q - start) > TYPE_MAX)
		return false;
	if (q < end && *q == '[') {
		q++;
		if (!take_number(&q, end, 10, &number) || !TAKE(&q, end, "]"))
			return false;
	}
	*ret = (struct slice){start, (size_t)(q - start)};
	*p = q;
	return true;
}

/* No record types: names of an event's own members in `records`. */
static inline bool is_reserved(struct slice type)
{
	return SLICE_IS(type, "ID") || SLICE_IS(type, "NODE") || SLICE_IS(type, "ORIGINAL") || SLICE_IS(type, "LABELS") ||
	       SLICE_IS(type, "REDACTED") || SLICE_IS(type, "HOST");
}

static inline bool take_node(const char **p, const char *end, struct slice *ret)
{
	const char *blank = memchr(*p, ' ', (size_t)(end - *p));

	if (blank == NULL || blank == *p || (size_t)(blank - *p) > NODE_MAX)
		return false;
	*ret = (struct slice){*p, (size_t)(blank - *p)};
	*p = blank + 1;
	return true;
}

/* SEC.MS:SERIAL): into the memo. */
static bool take_id(const char **p, const char *end, struct head_memo *ret)
{
	const char *id = *p, *dot, *colon;
	uint64_t ms;

	ret->len = 0;
	if (!take_number(p, end, 15, &ret->sec))
		return false;
	dot = *p;
	if (!TAKE(p, end, ".") || !take_number(p, end, 3, &ms))
		return false;
	colon = *p;
	if (!TAKE(p, end, ":") || !take_number(p, end, 19, &ret->serial))
		return false;
	ret->ms = (uint32_t)ms;
	ret->digits = (uint32_t)((size_t)(dot - id) << 16 | (size_t)(colon - dot) << 8 | (size_t)(*p - colon));
	if (!TAKE(p, end, "):"))
		return false;
	ret->len = (uint32_t)(*p - id);
	memcpy(ret->text, id, ret->len);
	return true;
}

/* [node=NODE ]type=TYPE msg=audit(SEC.MS:SERIAL):BODY */
bool scan_head(const char *line, size_t n, struct head_memo *memo, struct head *ret)
{
	const char *p = line, *end = line + n, *id;
	struct head head = {0};

	if (n > 0 && *line == 'n' && TAKE(&p, end, "node=") && !take_node(&p, end, &head.node))
		return false;
	if (!TAKE(&p, end, "type=") || !take_type(&p, end, &head.type) || is_reserved(head.type) || !TAKE(&p, end, " msg=audit("))
		return false;
	id = p;
	if (memo->len > 0 && (size_t)(end - p) >= memo->len && memcmp(p, memo->text, memo->len) == 0)
		p += memo->len;
	else if (!take_id(&p, end, memo))
		return false;
	head.id = (struct slice){id, memo->len - 2};
	head.sec = memo->sec;
	head.ms = memo->ms;
	head.serial = memo->serial;
	head.digits = memo->digits;
	head.number = type_number(head.type);
	head.body = (uint32_t)(p - line);
	*ret = head;
	return true;
}

static const char *find_message(struct slice body)
{
	const char *p = body.p, *end = body.p + body.n;

	while ((p = memchr(p, '\'', (size_t)(end - p))) != NULL) {
		if (p - body.p >= 5 && memcmp(p - 5, " msg=", 5) == 0)
			return p - 5;
		p++;
	}
	return NULL;
}

static const char *last_quote(const char *p, const char *end)
{
	while (end > p)
		if (*--end == '\'')
			return end;
	return NULL;
}

/* Splits a body. What stands around msg='…' is joined in scratch in the rare case that both sides have something. */
struct parts scan_parts(struct slice body, struct buf *scratch)
{
	struct parts ret = {.fields = body, .message = {"", 0}, .tail = {"", 0}};
	const char *tail = memchr(body.p, ENRICHED_SEPARATOR, body.n), *start, *close;

	if (tail != NULL) {
		ret.fields.n = (size_t)(tail - body.p);
		ret.tail = (struct slice){tail + 1, body.n - ret.fields.n - 1};
	}
	start = find_message(ret.fields);
	if (start == NULL)
		return ret;
	close = last_quote(start + 6, ret.fields.p + ret.fields.n);
	if (close == NULL)
		return ret;
	ret.has_message = true;
	ret.message = (struct slice){start + 6, (size_t)(close - start - 6)};
	if (close + 1 < ret.fields.p + ret.fields.n) {
		size_t at = scratch->len;

		buf_put(scratch, ret.fields.p, (size_t)(start - ret.fields.p));
		buf_putc(scratch, ' ');
		buf_put(scratch, close + 1, (size_t)(ret.fields.p + ret.fields.n - close - 1));
		if (!scratch->failed)
			ret.fields = (struct slice){scratch->data + at, scratch->len - at};
		return ret;
	}
	ret.fields.n = (size_t)(start - ret.fields.p);
	return ret;
}

static inline const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

/* "avc:  denied  { read } for " at the start of a run gives seresult and seperms, auparse's names. */
static bool take_avc(const char **p, const char *end, struct field *ret)
{
	static const char result[16] = "seresult", perms[16] = "seperms"; /* long enough for table_place() */
	const char *q = skip_blanks(*p, end), *word, *brace;

	if (!TAKE(&q, end, "avc: "))
		return false;
	word = q = skip_blanks(q, end);
	if (!TAKE(&q, end, "denied ") && !TAKE(&q, end, "granted "))
		return false;
	ret[0] = (struct field){{result, 8}, {word, (size_t)(q - 1 - word)}};
	q = skip_blanks(q, end);
	brace = q < end && *q == '{' ? memchr(q, '}', (size_t)(end - q)) : NULL;
	if (brace == NULL)
		return false;
	ret[1] = (struct field){{perms, 7}, {q, (size_t)(brace + 1 - q)}};
	q = brace + 1;
	if (!TAKE(&q, end, " "))
		return false;
	q = skip_blanks(q, end);
	if (!TAKE(&q, end, "for "))
		return false;
	*p = q;
	return true;
}

struct walk walk_run(struct slice run)
{
	struct walk w = {.end = run.p + run.n};
	const char *p = run.p;

	if (run.n > 5 && (run.p[0] == 'a' || (run.p[0] == ' ' && (run.p[1] == 'a' || run.p[1] == ' '))) &&
	    take_avc(&p, w.end, w.ready))
		w.ready_count = 2;
	walk_to(&w, p);
	return w;
}

/* auditd's additions. A socket's path may hold blanks, quotes and braces: the tail of a SOCKADDR is one field. */
struct walk walk_tail(struct slice tail, bool is_sockaddr)
{
	struct walk w;

	if (!is_sockaddr || tail.n < 6 || memcmp(tail.p, "SADDR=", 6) != 0)
		return walk_run(tail);
	w = (struct walk){.p = tail.p + tail.n, .end = tail.p + tail.n, .ready_count = 1};
	w.name_end = w.p;
	w.ready[0] = (struct field){{tail.p, 5}, {tail.p + 6, tail.n - 6}};
	return w;
}
