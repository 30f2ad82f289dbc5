/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

static bool continues(const unsigned char *p, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

size_t utf8_sequence(const unsigned char *p, size_t n)
{
	if (n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2)
		return 0;
	if (p[0] < 0xe0)
		return n >= 2 && continues(p, 2) ? 2 : 0;
	if (p[0] < 0xf0) {
		if (n < 3 || !continues(p, 3) || (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0))
			return 0;
		return 3;
	}
	if (p[0] > 0xf4 || n < 4 || !continues(p, 4) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
		return 0;
	return 4;
}

/* Valid UTF-8 stays; controls, 0x7f, `%`, `+`, the byte order mark and bytes that are no UTF-8 become %xx, lower case. */
void put_records_text(struct buf *to, struct slice bytes)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = bytes.p, *end = bytes.p + bytes.n;
	size_t worst;
	char *out;

	if (__builtin_mul_overflow(bytes.n, (size_t)3, &worst) || __builtin_add_overflow(worst, (size_t)2, &worst) ||
	    !buf_room(to, worst)) {
		to->failed = true;
		return;
	}
	out = to->data + to->len;
	*out++ = '"';
	for (;;) {
		size_t n = text_copy_plain(out, p, (size_t)(end - p));
		unsigned char c;

		p += n;
		out += n;
		if (p >= end)
			break;
		c = (unsigned char)*p;
		if (c == '"' || c == '\\') {
			*out++ = '\\';
			*out++ = (char)c;
			p++;
			continue;
		}
		n = 0;
		while (c >= 0x80) {
			size_t more = utf8_sequence((const unsigned char *)p, (size_t)(end - p));

			if (more == 0 || (more == 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0))
				break;
			memcpy(out, p, 4); /* the slack takes what is too much */
			out += more;
			p += more;
			n += more;
			c = p < end ? (unsigned char)*p : 0;
		}
		if (n > 0)
			continue;
		*out++ = '%';
		*out++ = digits[c >> 4];
		*out++ = digits[c & 15];
		p++;
	}
	*out++ = '"';
	to->len = (size_t)(out - to->data);
}

bool ecs_text_same(struct slice bytes)
{
	return text_is_ascii(bytes.p, bytes.n);
}

/* Valid UTF-8 stays; a byte that is none becomes %xx, and `%` before two hex digits %25. */
size_t ecs_text_write(char *to, struct slice bytes)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = bytes.p, *end = bytes.p + bytes.n;
	char *out = to;

	while (p < end) {
		size_t n = utf8_sequence((const unsigned char *)p, (size_t)(end - p));

		if (n == 0 || (*p == '%' && end - p > 2 && hex_value(p[1]) >= 0 && hex_value(p[2]) >= 0)) {
			*out++ = '%';
			*out++ = digits[(unsigned char)*p >> 4];
			*out++ = digits[*p & 15];
			p++;
			continue;
		}
		memcpy(out, p, n);
		out += n;
		p += n;
	}
	return (size_t)(out - to);
}

void put_json_text(struct buf *to, struct slice text)
{
	static const char digits[] = "0123456789abcdef", shorts[] = "btn\0fr"; /* 8-13 */
	const char *p = text.p, *end = text.p + text.n;
	size_t worst;
	char *out;

	if (__builtin_mul_overflow(text.n, (size_t)6, &worst) || __builtin_add_overflow(worst, (size_t)2, &worst) || !buf_room(to, worst)) {
		to->failed = true;
		return;
	}
	out = to->data + to->len;
	*out++ = '"';
	for (;;) {
		size_t n = text_copy_json(out, p, (size_t)(end - p));
		unsigned char c;

		p += n;
		out += n;
		if (p >= end)
			break;
		c = (unsigned char)*p++;
		*out++ = '\\';
		if (c == '"' || c == '\\') {
			*out++ = (char)c;
		} else if (c >= 8 && c <= 13 && c != 11) {
			*out++ = shorts[c - 8];
		} else {
			memcpy(out, "u00", 3);
			out[3] = digits[c >> 4];
			out[4] = digits[c & 15];
			out += 5;
		}
	}
	*out++ = '"';
	to->len = (size_t)(out - to->data);
}
