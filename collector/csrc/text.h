/* SPDX-License-Identifier: Apache-2.0 */
/* Byte classes and short searches, 16 bytes at once where SSE2 is there (always on x86-64), else byte by byte.
 * All of them may read up to 16 bytes behind `end`: callers' memory carries BUF_SLACK. */
#ifndef AUDITPACK_TEXT_H
#define AUDITPACK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* AUDITPACK_PORTABLE: take the byte by byte ways, for tests. */
#if defined(__SSE2__) && !defined(AUDITPACK_PORTABLE)
#define AUDITPACK_SSE2
#include <emmintrin.h>
#endif

#define ENRICHED_SEPARATOR '\x1d'

/* The first of the given bytes at or after p, else end. */
static inline const char *text_find2(const char *p, const char *end, char a, char b)
{
#if defined(AUDITPACK_SSE2)
	const __m128i va = _mm_set1_epi8(a), vb = _mm_set1_epi8(b);

	for (; p < end; p += 16) {
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
		unsigned hit = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(x, va), _mm_cmpeq_epi8(x, vb)));

		if (hit != 0) {
			p += __builtin_ctz(hit);
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
#if defined(AUDITPACK_SSE2)
	const __m128i va = _mm_set1_epi8(a), vb = _mm_set1_epi8(b), vc = _mm_set1_epi8(c);

	for (; p < end; p += 16) {
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i m = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, va), _mm_cmpeq_epi8(x, vb)), _mm_cmpeq_epi8(x, vc));
		unsigned hit = (unsigned)_mm_movemask_epi8(m);

		if (hit != 0) {
			p += __builtin_ctz(hit);
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

/* Copies bytes that need no escape in a `records` string (0x20-0x7e without " \ % +) until the first other one; returns how many.
 * Writes up to 16 bytes behind what it copied. */
static inline size_t text_copy_plain(char *restrict to, const char *restrict from, size_t n)
{
	size_t i = 0;
#if defined(AUDITPACK_SSE2)
	for (; i < n; i += 16) {
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)(from + i));
		__m128i m = _mm_cmplt_epi8(x, _mm_set1_epi8(0x20)); /* signed: 0x80-0xff too */
		unsigned hit;

		_mm_storeu_si128((__m128i *)(void *)(to + i), x);
		m = _mm_or_si128(m, _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f)));
		m = _mm_or_si128(m, _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
		m = _mm_or_si128(m, _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
		m = _mm_or_si128(m, _mm_cmpeq_epi8(x, _mm_set1_epi8('%')));
		m = _mm_or_si128(m, _mm_cmpeq_epi8(x, _mm_set1_epi8('+')));
		hit = (unsigned)_mm_movemask_epi8(m);
		if (hit != 0) {
			i += (size_t)__builtin_ctz(hit);
			return i < n ? i : n;
		}
	}
	return n;
#else
	for (; i < n; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '%' || c == '+')
			break;
		to[i] = (char)c;
	}
	return i;
#endif
}

/* The same for a JSON string of valid UTF-8: stops at controls, " and \ . */
static inline size_t text_copy_json(char *restrict to, const char *restrict from, size_t n)
{
	size_t i = 0;
#if defined(AUDITPACK_SSE2)
	for (; i < n; i += 16) {
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)(from + i));
		__m128i m = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x); /* unsigned x <= 0x1f */
		unsigned hit;

		_mm_storeu_si128((__m128i *)(void *)(to + i), x);
		m = _mm_or_si128(m, _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))));
		hit = (unsigned)_mm_movemask_epi8(m);
		if (hit != 0) {
			i += (size_t)__builtin_ctz(hit);
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

#endif
