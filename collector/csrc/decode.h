/* SPDX-License-Identifier: Apache-2.0 */
/* decode: what a token means, by the rules of decode.py and quote.py. Everything here appends to a buf; nothing is kept. */
#ifndef AUDITPACK_DECODE_H
#define AUDITPACK_DECODE_H

#include "scan.h"

/* Canonical decimal: 0, or -?[1-9] and up to 18 more digits. */
static inline bool token_is_decimal(struct slice token)
{
	const char *p = token.p, *end;

	if (token.n == 0) /* p may be null then */
		return false;
	end = p + token.n;
	if (*p == '0')
		return token.n == 1;
	p += *p == '-';
	if (p >= end || *p == '0' || end - p > 19)
		return false;
	for (; p < end; p++)
		if (!is_digit(*p))
			return false;
	return true;
}

/* Of a token that is decimal; beyond int64_t it saturates. */
int64_t token_number(struct slice token);

/* The bytes of a plain token in *ret; false for (null) and ?. */
bool token_plain(struct slice token, struct slice *ret);

/* The bytes of a token that its writer quoted or put in hex; hex is decoded behind the end of scratch, whose memory may move.
 * False for (null) and ?. */
bool token_encoded(struct slice token, struct buf *scratch, struct slice *ret);

/* Significant lower-case digits of a hex (octal) token in *ret, without 0x and leading zeros. */
bool token_hex(struct slice token, struct slice *ret);
bool token_octal(struct slice token, struct slice *ret);

/* Bytes of the well-formed UTF-8 sequence at p (1-4), 0 when there is none (no overlong, surrogate or > U+10FFFF). */
size_t utf8_sequence(const unsigned char *p, size_t n);

/* Writes half as many bytes as there are digits, an even number; false on a byte that is no upper-case hex digit. */
bool hex_bytes(char *out, struct slice hex);

/* Appends the bytes of upper-case hex digits; false, and nothing appended, when the value is not an even number (> 0) of them. */
bool decode_hex(struct buf *to, struct slice hex);

/* quote.py's ecs_text: true when the bytes are that already; else writes it (at most 3 bytes for one) and returns its length. */
bool ecs_text_same(struct slice bytes);
size_t ecs_text_write(char *to, struct slice bytes);

/* Append a JSON string with its quotes: `records` text of quote.py; a word that needs no escape. */
void put_records_text(struct buf *to, struct slice bytes);
void put_word(struct buf *to, struct slice word);

/* A JSON string of text that is valid UTF-8. */
void put_json_text(struct buf *to, struct slice text);

void put_hex_digits(struct buf *to, uint32_t value);
void put_lower(struct buf *to, struct slice digits);
void put_number(struct buf *to, uint64_t value);

/* "192.0.2.1", and inet_ntop()'s form of 16 bytes. */
void put_ipv4(struct buf *to, const unsigned char *address);
void put_ipv6(struct buf *to, const unsigned char *address);

#endif
