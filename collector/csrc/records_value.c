/* SPDX-License-Identifier: Apache-2.0 */
#include "records_value.h"

#include "decode.h"

void records_null(struct buf *to)
{
	BUF_LITERAL(to, "null");
}

void records_plain(struct buf *to, struct slice token)
{
	struct slice bytes;

	if (token_plain(token, &bytes))
		put_records_text(to, bytes);
	else
		records_null(to);
}

static void records_encoded(struct buf *to, struct slice token, struct buf *scratch)
{
	struct slice bytes;

	if (token_encoded(token, scratch, &bytes))
		put_records_text(to, bytes);
	else
		records_null(to);
}

/* A number that is none: LAUREL prints `?` as it is here. */
static void put_number_text(struct buf *to, struct slice token)
{
	struct slice bytes;

	if (SLICE_IS(token, "(null)"))
		records_null(to);
	else
		put_records_text(to, token_plain(token, &bytes) && bytes.n > 0 ? bytes : token);
}

void records_hex(struct buf *to, struct slice token)
{
	struct slice digits;

	if (token.n > 0 && token.n <= 16 && (token.p[0] != '0' || token.n == 1) && buf_room(to, 24)) { /* the most of them */
		char *out = to->data + to->len;

		memcpy(out, "\"0x", 3);
		if (text_copy_hex(out + 3, token.p) >= token.n) {
			out[token.n + 3] = '"';
			to->len += token.n + 4;
			return;
		}
	}
	if (!token_hex(token, &digits)) {
		put_number_text(to, token);
		return;
	}
	BUF_LITERAL(to, "\"0x");
	put_lower(to, digits);
	buf_putc(to, '"');
}

static void put_octal(struct buf *to, struct slice token)
{
	struct slice digits;

	if (!token_octal(token, &digits)) {
		put_number_text(to, token);
		return;
	}
	BUF_LITERAL(to, "\"0o");
	buf_put(to, digits.p, digits.n);
	buf_putc(to, '"');
}

/* "{ read write }" -> ["read","write"]; any other token is one word. */
static void put_braces(struct buf *to, struct slice token)
{
	const char *p = token.p + 1, *end = token.p + token.n - 1, *word;
	bool comma = false;

	buf_putc(to, '[');
	if (token.n < 2 || token.p[0] != '{' || *end != '}') {
		put_records_text(to, token);
		p = end;
	}
	for (; p < end; p = word) {
		word = text_find2(p, end, ' ', ' ');
		if (word > p) {
			if (comma)
				buf_putc(to, ',');
			comma = true;
			put_records_text(to, (struct slice){p, (size_t)(word - p)});
		}
		while (word < end && *word == ' ')
			word++;
	}
	buf_putc(to, ']');
}

void records_value(struct buf *to, enum kind kind, struct slice token, struct buf *scratch)
{
	switch (kind) {
	case KIND_DECIMAL:
		if (token_is_decimal(token))
			buf_put(to, token.p, token.n);
		else
			put_number_text(to, token);
		break;
	case KIND_HEX:
		records_hex(to, token);
		break;
	case KIND_OCTAL:
		put_octal(to, token);
		break;
	case KIND_ENCODED:
		records_encoded(to, token, scratch);
		break;
	case KIND_BRACES:
		put_braces(to, token);
		break;
	case KIND_PLAIN:
		records_plain(to, token);
		break;
	}
}

static void put_part(struct buf *to, const char *name, uint64_t value)
{
	buf_puts(to, name);
	put_number(to, value);
}

void records_address(struct buf *to, const struct sockaddr_parts *parts)
{
	BUF_LITERAL(to, "{\"saddr_fam\":");
	put_word(to, slice_of(sockaddr_family(parts->family)));
	switch (parts->shape) {
	case SA_PATH:
	case SA_ABSTRACT:
		buf_puts(to, parts->shape == SA_PATH ? ",\"path\":" : ",\"abstract\":");
		put_records_text(to, parts->path);
		break;
	case SA_INET:
	case SA_INET6:
		BUF_LITERAL(to, ",\"addr\":\"");
		(parts->shape == SA_INET ? put_ipv4 : put_ipv6)(to, parts->address);
		put_part(to, "\",\"port\":", parts->port);
		if (parts->shape == SA_INET6) {
			put_part(to, ",\"flowinfo\":", parts->flowinfo);
			put_part(to, ",\"scope_id\":", parts->scope_id);
		}
		break;
	case SA_NETLINK:
		put_part(to, ",\"pid\":", parts->pid);
		BUF_LITERAL(to, ",\"groups\":\"0x");
		put_hex_digits(to, parts->groups);
		buf_putc(to, '"');
		break;
	case SA_PACKET:
		put_part(to, ",\"protocol\":", parts->protocol);
		put_part(to, ",\"ifindex\":", parts->ifindex);
		break;
	case SA_VSOCK:
		put_part(to, ",\"port\":", parts->port);
		put_part(to, ",\"cid\":", parts->cid);
		break;
	default: /* rare ones stay raw */
		break;
	}
	buf_putc(to, '}');
}

/* The argument vector in proctitle, split at NUL. */
void records_title(struct buf *to, struct slice bytes)
{
	const char *p = bytes.p, *end = bytes.p + bytes.n, *stop;

	buf_putc(to, '[');
	for (;;) {
		stop = memchr(p, 0, (size_t)(end - p));
		put_records_text(to, (struct slice){p, (size_t)((stop == NULL ? end : stop) - p)});
		if (stop == NULL)
			break;
		buf_putc(to, ',');
		p = stop + 1;
	}
	buf_putc(to, ']');
}
