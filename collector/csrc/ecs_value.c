/* SPDX-License-Identifier: Apache-2.0 */
/* Values of tokens (ecs_record.py). */
#include "ecs_value.h"

#include "decode.h"
#include "decode_sockaddr.h"

struct slice ecs_text(struct arena *a, struct slice bytes)
{
	char *text;

	if (ecs_text_same(bytes))
		return bytes;
	text = arena_take(a, bytes.n * 3);
	return (struct slice){text, ecs_text_write(text, bytes)};
}

struct slice ecs_copy(struct arena *a, struct slice s)
{
	char *p = arena_take(a, s.n);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return (struct slice){p, s.n};
}

struct value *ecs_own_text(struct arena *a, const char *text)
{
	return value_text(a, ecs_copy(a, slice_of(text)));
}

static struct value *uint_value(struct arena *a, uint64_t number)
{
	char digits[20], *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return value_number(a, ecs_copy(a, (struct slice){p, (size_t)(digits + sizeof(digits) - p)}));
}

struct value *ecs_plain(struct arena *a, struct slice token)
{
	struct slice bytes;

	return token_plain(token, &bytes) ? value_text(a, ecs_text(a, bytes)) : value_null(a);
}

bool ecs_encoded(struct arena *a, struct slice token, struct slice *ret)
{
	if (token.n > 0 && token.n % 2 == 0 && token.p[0] != '"') {
		char *bytes = arena_take(a, token.n / 2);

		if (hex_bytes(bytes, token)) {
			*ret = (struct slice){bytes, token.n / 2};
			return true;
		}
	}
	return token_plain(token, ret);
}

struct value *ecs_hex(struct arena *a, struct slice token)
{
	struct slice digits;
	char *text;

	if (!token_hex(token, &digits))
		return ecs_plain(a, token);
	text = arena_take(a, digits.n + 2);
	memcpy(text, "0x", 2);
	for (size_t i = 0; i < digits.n; i++)
		text[i + 2] = (char)(digits.p[i] | 0x20);
	return value_text(a, (struct slice){text, digits.n + 2});
}

/* Texts between separators. */
struct value *ecs_split(struct arena *a, struct slice bytes, char separator)
{
	struct value *list = value_list(a);
	const char *p = bytes.p, *end = bytes.p + bytes.n;

	for (;;) {
		const char *stop = memchr(p, separator, (size_t)(end - p));

		value_append(list, value_text(a, ecs_text(a, (struct slice){p, (size_t)((stop == NULL ? end : stop) - p)})));
		if (stop == NULL)
			return list;
		p = stop + 1;
	}
}

struct value *ecs_braces(struct arena *a, struct slice token)
{
	struct value *list = value_list(a);
	const char *p, *end;

	if (token.n < 2 || token.p[0] != '{' || token.p[token.n - 1] != '}') {
		value_append(list, value_text(a, ecs_text(a, token)));
		return list;
	}
	p = token.p + 1;
	end = token.p + token.n - 1;
	while (p < end) {
		const char *stop = text_find2(p, end, ' ', ' ');

		if (stop > p)
			value_append(list, value_text(a, ecs_text(a, (struct slice){p, (size_t)(stop - p)})));
		p = stop < end ? stop + 1 : end;
	}
	return list;
}

static void put_part(struct arena *a, struct object_value *o, const char *name, struct value *value)
{
	char *padded = arena_take(a, 32);

	memset(padded, 0, 32);
	memcpy(padded, name, strlen(name)); /* names here are at most 14 bytes */
	object_put(a, o, key_of_name((struct slice){padded, strlen(name)}), value);
}

static struct value *ip_value(struct arena *a, const struct sockaddr_parts *parts)
{
	char *text = arena_take(a, 48);
	struct allocator none = {NULL, NULL};
	struct buf fixed = {.data = text, .cap = 48, .alloc = &none};

	(parts->shape == SA_INET ? put_ipv4 : put_ipv6)(&fixed, parts->address);
	return value_text(a, (struct slice){text, fixed.len});
}

static struct value *groups_value(struct arena *a, uint32_t groups)
{
	char *text = arena_take(a, 16);
	struct allocator none = {NULL, NULL};
	struct buf fixed = {.data = text, .cap = 16, .alloc = &none};

	BUF_LITERAL(&fixed, "0x");
	put_hex_digits(&fixed, groups);
	return value_text(a, (struct slice){text, fixed.len});
}

static struct value *raw_value(struct arena *a, struct slice bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *text = arena_take(a, bytes.n * 2);

	for (size_t i = 0; i < bytes.n; i++) {
		text[2 * i] = digits[(unsigned char)bytes.p[i] >> 4];
		text[2 * i + 1] = digits[bytes.p[i] & 15];
	}
	return value_text(a, (struct slice){text, bytes.n * 2});
}

static struct value *fixed_text(struct arena *a, const char *text, size_t n)
{
	return value_text(a, ecs_copy(a, (struct slice){text, n}));
}

/* Bytes up to NUL. */
static struct value *name_value(struct arena *a, const unsigned char *p, size_t n)
{
	const unsigned char *stop = memchr(p, 0, n);

	return value_text(a, ecs_text(a, ecs_copy(a, (struct slice){(const char *)p, stop == NULL ? n : (size_t)(stop - p)})));
}

/* "00:11:22:33:44:55", its bytes the other way round. */
static struct value *bdaddr_value(struct arena *a, const unsigned char *p)
{
	static const char digits[] = "0123456789ABCDEF";
	char text[18];

	for (unsigned i = 0; i < 6; i++) {
		text[3 * i] = digits[p[5 - i] >> 4];
		text[3 * i + 1] = digits[p[5 - i] & 15];
		text[3 * i + 2] = ':';
	}
	return fixed_text(a, text, 17);
}

/* The call sign, shifted by one bit and padded with blanks, and its station number. */
static struct value *call_value(struct arena *a, const unsigned char *p)
{
	char text[10];
	unsigned ssid = p[6] >> 1 & 15;
	size_t n = 6;

	for (unsigned i = 0; i < 6; i++)
		text[i] = (char)(p[i] >> 1);
	while (n > 0 && text[n - 1] == ' ')
		n--;
	text[n++] = '-';
	if (ssid > 9)
		text[n++] = '1';
	text[n++] = (char)('0' + ssid % 10);
	return fixed_text(a, text, n);
}

static void put_rare(struct arena *a, struct object_value *o, const struct sockaddr_parts *parts, struct slice bytes)
{
	const unsigned char *p = parts->bytes;

	switch (parts->shape) {
	case SA_AX25:
		put_part(a, o, "call", call_value(a, p + 2));
		break;
	case SA_IPX:
		put_part(a, o, "port", uint_value(a, parts->port));
		put_part(a, o, "network", groups_value(a, parts->groups));
		put_part(a, o, "node", raw_value(a, (struct slice){bytes.p + 8, 6}));
		break;
	case SA_X25:
		put_part(a, o, "x25", name_value(a, p + 2, bytes.n - 2 < 16 ? bytes.n - 2 : 16));
		break;
	case SA_ALG:
		put_part(a, o, "algorithm_type", name_value(a, p + 2, 14));
		put_part(a, o, "algorithm", name_value(a, p + 24, bytes.n - 24 < 64 ? bytes.n - 24 : 64));
		break;
	case SA_L2CAP:
		put_part(a, o, "bdaddr", bdaddr_value(a, p + 4));
		put_part(a, o, "psm", uint_value(a, parts->port));
		put_part(a, o, "cid", uint_value(a, parts->cid));
		break;
	case SA_RFCOMM:
		put_part(a, o, "bdaddr", bdaddr_value(a, p + 2));
		put_part(a, o, "channel", uint_value(a, parts->port));
		break;
	case SA_SCO:
		put_part(a, o, "bdaddr", bdaddr_value(a, p + 2));
		break;
	case SA_HCI:
		put_part(a, o, "device", uint_value(a, parts->pid));
		put_part(a, o, "channel", uint_value(a, parts->port));
		break;
	default:
		break;
	}
}

struct value *ecs_address(struct arena *a, struct slice token, bool big_endian)
{
	struct sockaddr_parts parts;
	struct value *ret;
	struct slice bytes;
	const char *family;

	if (!ecs_encoded(a, token, &bytes))
		return value_null(a);
	parts = sockaddr_parse(bytes, big_endian);
	ret = value_object(a);
	family = sockaddr_family(parts.family);
	put_part(a, ret->object, "family", family != NULL ? ecs_own_text(a, family) : value_text(a, uint_value(a, parts.family)->text));
	switch (parts.shape) {
	case SA_PATH:
	case SA_ABSTRACT:
		put_part(a, ret->object, parts.shape == SA_PATH ? "path" : "abstract", value_text(a, ecs_text(a, parts.path)));
		break;
	case SA_INET:
	case SA_INET6:
		put_part(a, ret->object, "addr", ip_value(a, &parts));
		put_part(a, ret->object, "port", uint_value(a, parts.port));
		if (parts.shape == SA_INET6) {
			put_part(a, ret->object, "flowinfo", uint_value(a, parts.flowinfo));
			put_part(a, ret->object, "scope_id", uint_value(a, parts.scope_id));
		}
		break;
	case SA_NETLINK:
		put_part(a, ret->object, "pid", uint_value(a, parts.pid));
		put_part(a, ret->object, "groups", groups_value(a, parts.groups));
		break;
	case SA_PACKET:
		put_part(a, ret->object, "protocol", uint_value(a, parts.protocol));
		put_part(a, ret->object, "ifindex", uint_value(a, parts.ifindex));
		break;
	case SA_VSOCK:
		put_part(a, ret->object, "port", uint_value(a, parts.port));
		put_part(a, ret->object, "cid", uint_value(a, parts.cid));
		break;
	case SA_OPAQUE:
		break;
	default:
		put_rare(a, ret->object, &parts, bytes);
		break;
	}
	if (parts.rest.n > 0)
		put_part(a, ret->object, "raw", raw_value(a, bytes));
	return ret;
}
