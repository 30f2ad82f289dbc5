/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

int64_t token_number(struct slice token)
{
	size_t i = token.p[0] == '-';
	int64_t value = 0;

	for (; i < token.n; i++)
		if (__builtin_mul_overflow(value, (int64_t)10, &value) || __builtin_add_overflow(value, token.p[i] - '0', &value))
			return token.p[0] == '-' ? INT64_MIN : INT64_MAX;
	return token.p[0] == '-' ? -value : value;
}

bool token_plain(struct slice token, struct slice *ret)
{
	if (token.n > 1 && token.p[0] == '"' && token.p[token.n - 1] == '"') {
		*ret = (struct slice){token.p + 1, token.n - 2};
		return true;
	}
	*ret = token;
	return !SLICE_IS(token, "(null)") && !SLICE_IS(token, "?");
}

bool token_encoded(struct slice token, struct buf *scratch, struct slice *ret)
{
	size_t at = scratch->len;

	if (token.n > 0 && token.p[0] != '"' && decode_hex(scratch, token)) {
		*ret = (struct slice){scratch->data + at, scratch->len - at};
		return true;
	}
	return token_plain(token, ret);
}

bool token_hex(struct slice token, struct slice *ret)
{
	const char *p = token.p, *end = p + token.n;

	if (token.n > 1 && p[0] == '0' && p[1] == 'x')
		p += 2;
	while (end - p > 1 && *p == '0')
		p++;
	*ret = (struct slice){p, (size_t)(end - p)};
	if (ret->n == 0 || ret->n > 16)
		return false;
	for (; p < end; p++)
		if (hex_value(*p) < 0)
			return false;
	return true;
}

bool token_octal(struct slice token, struct slice *ret)
{
	const char *p = token.p, *end = p + token.n;

	while (end - p > 1 && *p == '0')
		p++;
	*ret = (struct slice){p, (size_t)(end - p)};
	if (ret->n == 0 || ret->n > 21)
		return false;
	for (; p < end; p++)
		if (*p < '0' || *p > '7')
			return false;
	return true;
}

#if defined(AUDITPACK_SSE2)
/* Eight bytes from sixteen upper-case hex digits (what kernel and auditd write); false on any other byte. */
static inline bool hex16(char *to, const char *from)
{
	__m128i c = _mm_loadu_si128((const __m128i *)(const void *)from);
	__m128i letter = _mm_cmpgt_epi8(c, _mm_set1_epi8('9'));
	__m128i v = _mm_sub_epi8(_mm_sub_epi8(c, _mm_set1_epi8('0')), _mm_and_si128(letter, _mm_set1_epi8(7)));
	__m128i bad = _mm_or_si128(_mm_cmplt_epi8(v, _mm_setzero_si128()), _mm_cmpgt_epi8(v, _mm_set1_epi8(15)));

	bad = _mm_or_si128(bad, _mm_and_si128(letter, _mm_cmplt_epi8(v, _mm_set1_epi8(10))));
	if (_mm_movemask_epi8(bad) != 0)
		return false;
	v = _mm_or_si128(_mm_slli_epi16(_mm_and_si128(v, _mm_set1_epi16(0xff)), 4), _mm_srli_epi16(v, 8));
	_mm_storel_epi64((__m128i *)(void *)to, _mm_packus_epi16(v, v));
	return true;
}
#endif

static inline int upper_hex(char c)
{
	return c >= 'a' ? -1 : hex_value(c);
}

bool hex_bytes(char *out, struct slice hex)
{
	size_t i = 0;

#if defined(AUDITPACK_SSE2)
	while (hex.n - i >= 16 && hex16(out + i / 2, hex.p + i))
		i += 16;
#endif
	for (; i < hex.n; i += 2) {
		int high = upper_hex(hex.p[i]), low = upper_hex(hex.p[i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i / 2] = (char)(high << 4 | low);
	}
	return true;
}

bool decode_hex(struct buf *to, struct slice hex)
{
	if (hex.n == 0 || hex.n % 2 != 0 || !buf_room(to, hex.n / 2) || !hex_bytes(to->data + to->len, hex))
		return false;
	to->len += hex.n / 2;
	return true;
}

/* Lower-case digits of a number. */
void put_lower(struct buf *to, struct slice digits)
{
	if (!buf_room(to, digits.n))
		return;
	for (size_t i = 0; i < digits.n; i++)
		to->data[to->len + i] = (char)(digits.p[i] | 0x20); /* 0-9 have that bit */
	to->len += digits.n;
}

void put_word(struct buf *to, struct slice word)
{
	buf_putc(to, '"');
	buf_put(to, word.p, word.n);
	buf_putc(to, '"');
}

void put_number(struct buf *to, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	buf_put(to, digits + at, sizeof(digits) - at);
}
