/* SPDX-License-Identifier: Apache-2.0 */
/* Byte classes, short searches and copies up to a byte of a class; see vector.h for how.
 * All of them may read, and those that copy may write, up to 16 bytes behind their end: callers' memory carries BUF_SLACK. */
#ifndef AUDITPACK_TEXT_H
#define AUDITPACK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vector.h"

#define ENRICHED_SEPARATOR '\x1d'

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') <= 9;
}

/* 0-15, or -1 for a byte that is no upper- or lower-case hex digit. */
static inline int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* The first of the given bytes at or after p, else end. */
static inline const char *text_find2(const char *p, const char *end, char a, char b)
{
#if defined(AUDITPACK_VECTOR)
	const v16 va = v16_all((unsigned char)a), vb = v16_all((unsigned char)b);

	for (; p < end; p += 16) {
		v16 x = v16_load(p);
		uint64_t hit = v16_mask(v16_or(v16_equal(x, va), v16_equal(x, vb)));

		if (hit != 0) {
			p += v16_first(hit);
			return p < end ? p : end;
		}
	}
	return end;
#else
	while (p < end && *p != a && *p != b)
		p++;
	return p;
#endif
}

static inline const char *text_find3(const char *p, const char *end, char a, char b, char c)
{
#if defined(AUDITPACK_VECTOR)
	const v16 va = v16_all((unsigned char)a), vb = v16_all((unsigned char)b), vc = v16_all((unsigned char)c);

	for (; p < end; p += 16) {
		v16 x = v16_load(p);
		uint64_t hit = v16_mask(v16_or(v16_or(v16_equal(x, va), v16_equal(x, vb)), v16_equal(x, vc)));

		if (hit != 0) {
			p += v16_first(hit);
			return p < end ? p : end;
		}
	}
	return end;
#else
	while (p < end && *p != a && *p != b && *p != c)
		p++;
	return p;
#endif
}

#if defined(AUDITPACK_VECTOR)
/* Bytes that a `records` string does not take as they are: 0x00-0x1f, 0x7f-0xff, " \ % + */
static inline v16 text_unplain(v16 x)
{
	v16 m = v16_at_most(v16_all(0x7f), x);

	m = v16_or(m, v16_at_most(x, v16_all(0x1f)));
	m = v16_or(m, v16_or(v16_equal(x, v16_all('"')), v16_equal(x, v16_all('\\'))));
	return v16_or(m, v16_or(v16_equal(x, v16_all('%')), v16_equal(x, v16_all('+'))));
}
#else
static inline bool text_is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x7f && c != '"' && c != '\\' && c != '%' && c != '+';
}
#endif

/* Copies bytes that need no escape in a `records` string until the first other one; returns how many. */
static inline size_t text_copy_plain(char *restrict to, const char *restrict from, size_t n)
{
	size_t i = 0;
#if defined(AUDITPACK_VECTOR)
	for (; i < n; i += 16) {
		v16 x = v16_load(from + i);
		uint64_t hit = v16_mask(text_unplain(x));

		v16_store(to + i, x);
		if (hit != 0) {
			i += v16_first(hit);
			return i < n ? i : n;
		}
	}
	return n;
#else
	for (; i < n && text_is_plain(from[i]); i++)
		to[i] = from[i];
	return i;
#endif
}

/* The same up to a blank, too. */
static inline size_t text_copy_word(char *restrict to, const char *restrict from, size_t n)
{
	size_t i = 0;
#if defined(AUDITPACK_VECTOR)
	for (; i < n; i += 16) {
		v16 x = v16_load(from + i);
		uint64_t hit = v16_mask(v16_or(text_unplain(x), v16_equal(x, v16_all(' '))));

		v16_store(to + i, x);
		if (hit != 0) {
			i += v16_first(hit);
			return i < n ? i : n;
		}
	}
	return n;
#else
	for (; i < n && from[i] != ' ' && text_is_plain(from[i]); i++)
		to[i] = from[i];
	return i;
#endif
}

/* Copies at most 16 decimal digits; returns how many of the 16 bytes at `from` they are. */
static inline size_t text_copy_digits(char *restrict to, const char *restrict from)
{
#if defined(AUDITPACK_VECTOR)
	v16 x = v16_load(from);
	uint64_t other = v16_mask_not(v16_at_most(v16_minus(x, v16_all('0')), v16_all(9)));

	v16_store(to, x);
	return other == 0 ? 16 : v16_first(other);
#else
	size_t i = 0;

	for (; i < 16 && is_digit(from[i]); i++)
		to[i] = from[i];
	return i;
#endif
}

/* The same for hex digits, in lower case. */
static inline size_t text_copy_hex(char *restrict to, const char *restrict from)
{
#if defined(AUDITPACK_VECTOR)
	v16 x = v16_load(from), lower = v16_or(x, v16_all(0x20));
	v16 digit = v16_at_most(v16_minus(x, v16_all('0')), v16_all(9));
	uint64_t other = v16_mask_not(v16_or(digit, v16_at_most(v16_minus(lower, v16_all('a')), v16_all(5))));

	v16_store(to, lower); /* digits have that bit */
	return other == 0 ? 16 : v16_first(other);
#else
	size_t i = 0;

	for (; i < 16 && hex_value(from[i]) >= 0; i++)
		to[i] = (char)(from[i] | 0x20);
	return i;
#endif
}

#if defined(AUDITPACK_VECTOR)
/* How many of 16 bytes, from the first on, are letters, digits or _ */
static inline size_t text_type_chars(const char *p)
{
	v16 x = v16_load(p), lower = v16_or(x, v16_all(0x20));
	v16 m = v16_at_most(v16_minus(x, v16_all('0')), v16_all(9));
	uint64_t other;

	m = v16_or(m, v16_or(v16_at_most(v16_minus(lower, v16_all('a')), v16_all(25)), v16_equal(x, v16_all('_'))));
	other = v16_mask_not(m);
	return other == 0 ? 16 : v16_first(other);
}
#endif

/* Copies valid UTF-8 for a JSON string: stops at controls, " and \ . */
static inline size_t text_copy_json(char *restrict to, const char *restrict from, size_t n)
{
	size_t i = 0;
#if defined(AUDITPACK_VECTOR)
	for (; i < n; i += 16) {
		v16 x = v16_load(from + i), quote = v16_or(v16_equal(x, v16_all('"')), v16_equal(x, v16_all('\\')));
		uint64_t hit = v16_mask(v16_or(quote, v16_at_most(x, v16_all(0x1f))));

		v16_store(to + i, x);
		if (hit != 0) {
			i += v16_first(hit);
			return i < n ? i : n;
		}
	}
	return n;
#else
	for (; i < n; i++) {
		if ((unsigned char)from[i] < 0x20 || from[i] == '"' || from[i] == '\\')
			break;
		to[i] = from[i];
	}
	return i;
#endif
}

/* ASCII without `%`: text that `ecs` takes as it is. */
static inline bool text_is_ascii(const char *p, size_t n)
{
	size_t i = 0;
#if defined(AUDITPACK_VECTOR)
	for (; i < n; i += 16) {
		v16 x = v16_load(p + i);
		uint64_t hit = v16_mask(v16_or(v16_at_most(v16_all(0x80), x), v16_equal(x, v16_all('%'))));

		if (hit != 0)
			return i + v16_first(hit) >= n;
	}
#else
	for (; i < n; i++)
		if ((unsigned char)p[i] >= 0x80 || p[i] == '%')
			return false;
#endif
	return true;
}

#endif
