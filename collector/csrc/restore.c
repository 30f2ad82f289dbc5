/* SPDX-License-Identifier: Apache-2.0 */
#include "restore.h"

#include "decode.h"

/* Copies what stands for itself; returns how much. `bound`: the end of memory that may be read. */
static size_t copy_plain(char *to, const char *from, const char *end, const char *bound)
{
	const char *p = from;

#if defined(AUDITPACK_VECTOR)
	for (; p < end && bound - p >= 16; p += 16) {
		v16 x = v16_load(p), m = v16_or(v16_equal(x, v16_all('"')), v16_equal(x, v16_all('\\')));
		uint64_t hit;

		m = v16_or(m, v16_or(v16_equal(x, v16_all('%')), v16_at_most(x, v16_all(0x1f))));
		hit = v16_mask(v16_or(m, v16_at_most(v16_all(0x80), x)));
		v16_store(to + (p - from), x);
		if (hit != 0) {
			p += v16_first(hit);
			return (size_t)((p < end ? p : end) - from);
		}
	}
#else
	(void)bound;
#endif
	for (; p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\' && *p != '%'; p++)
		to[p - from] = *p;
	return (size_t)((p < end ? p : end) - from);
}

/* The byte that a JSON escape behind its backslash stands for, -1 for one that we never write. */
static int escaped(const char **p, const char *end)
{
	static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	const char *q = *p;

	if (q >= end)
		return -1;
	for (size_t i = 0; i + 1 < sizeof(letters); i += 2)
		if (*q == letters[i]) {
			*p = q + 1;
			return letters[i + 1];
		}
	if (*q != 'u' || end - q < 5 || memcmp(q, "u00", 3) != 0 || q[3] > '1' || hex_value(q[3]) < 0 || hex_value(q[4]) < 0)
		return -1;
	*p = q + 5;
	return hex_value(q[3]) << 4 | hex_value(q[4]);
}

/* The bytes of the JSON string whose opening quote is before p, %xx undone; returns what follows its closing quote, NULL when odd. */
static const char *take_string(const char *p, const char *end, const char *bound, char **to)
{
	char *out = *to;

	while (p < end) {
		size_t n = copy_plain(out, p, end, bound);
		int byte;

		p += n;
		out += n;
		if (p >= end)
			return NULL;
		if (*p == '"') {
			*to = out;
			return p + 1;
		}
		if (*p == '\\') {
			p++;
			byte = escaped(&p, end);
			if (byte < 0)
				return NULL;
			*out++ = (char)byte;
		} else if (*p == '%') {
			if (end - p > 2 && hex_value(p[1]) >= 0 && hex_value(p[2]) >= 0) {
				*out++ = (char)(hex_value(p[1]) << 4 | hex_value(p[2]));
				p += 3;
			} else {
				*out++ = *p++;
			}
		} else {
			n = utf8_sequence((const unsigned char *)p, (size_t)(end - p));
			if (n < 2) /* no UTF-8, or a control */
				return NULL;
			memcpy(out, p, n);
			out += n;
			p += n;
		}
	}
	return NULL;
}

static const char *find(const char *p, const char *end, const char *what, size_t n)
{
	for (; (size_t)(end - p) >= n && (p = memchr(p, *what, (size_t)(end - p) - n + 1)) != NULL; p++)
		if (memcmp(p, what, n) == 0)
			return p;
	return NULL;
}

#define FIND(p, end, literal) find((p), (end), (literal), sizeof(literal) - 1)
#define BEGINS(p, end, literal) ((size_t)((end) - (p)) >= sizeof(literal) - 1 && memcmp((p), (literal), sizeof(literal) - 1) == 0)

/* `records`: the list ORIGINAL is the event's last member. No text of an event can hold `,"ORIGINAL":[`: its quotes would be escaped; a
 * record's own field of that name does not end the event. */
static bool take_list(const char *line, const char *end, const char *bound, char **to)
{
	static const char name[] = ",\"ORIGINAL\":[";
	const char *p = end;

	while (p > line && !(p[-1] == '[' && p - line > (ptrdiff_t)sizeof(name) && memcmp(p - sizeof(name) + 1, name, sizeof(name) - 1) == 0))
		p--;
	if (p == line)
		return false;
	for (;;) {
		char *start = *to;

		if (p >= end || *p != '"' || (p = take_string(p + 1, end, bound, to)) == NULL ||
		    memchr(start, '\n', (size_t)(*to - start)) != NULL)
			return false;
		*(*to)++ = '\n';
		if (p >= end || *p != ',')
			return end - p == 2 && memcmp(p, "]}", 2) == 0;
		p++;
	}
}

/* `ecs`: `original` of the object `event`, which holds no other object; its lines are joined by newlines. */
static bool take_text(const char *line, const char *end, const char *bound, char **to)
{
	const char *event = FIND(line, line + (end - line < 160 ? end - line : 160), "},\"event\":{\"id\":"), *close, *p;

	if (event == NULL || (close = memchr(event + 2, '}', (size_t)(end - event - 2))) == NULL)
		return false;
	p = FIND(event, close, ",\"original\":\"");
	if (p == NULL || (p = take_string(p + sizeof(",\"original\":\"") - 1, end, bound, to)) == NULL || p >= end || *p != '}')
		return false;
	*(*to)++ = '\n';
	return end[-1] == '}';
}

struct restored restore_lines(const char *data, size_t n, struct buf *out)
{
	const char *p = data, *bound = data + n, *end;
	struct restored ret = {0, 0};

	while (p < bound && (end = memchr(p, '\n', (size_t)(bound - p))) != NULL) {
		char *to;
		bool taken;

		if (!buf_room(out, (size_t)(end - p) + 1)) /* a line is shorter than what it is taken from */
			break;
		to = out->data + out->len;
		taken = BEGINS(p, end, "{\"ID\":\"") ? take_list(p, end, bound, &to)
						    : BEGINS(p, end, "{\"@timestamp\":\"") && take_text(p, end, bound, &to);
		if (!taken)
			break;
		out->len = (size_t)(to - out->data);
		p = end + 1;
		ret.lines++;
	}
	ret.bytes = (size_t)(p - data);
	return ret;
}
