/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_sockaddr.h"

#include "decode.h"

const char *sockaddr_family(unsigned family)
{
	switch (family) {
	case 0: return "unspec";
	case 1: return "local";
	case 2: return "inet";
	case 3: return "ax25";
	case 4: return "ipx";
	case 9: return "x25";
	case 10: return "inet6";
	case 16: return "netlink";
	case 17: return "packet";
	case 31: return "bluetooth";
	case 38: return "alg";
	case 40: return "vsock";
	default: return NULL;
	}
}

static uint32_t big(const unsigned char *p, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value = value << 8 | p[i];
	return value;
}

static uint32_t host(const unsigned char *p, unsigned size, bool big_endian)
{
	uint32_t value = 0;

	if (big_endian)
		return big(p, size);
	while (size-- > 0)
		value = value << 8 | p[size];
	return value;
}

static bool is_zero(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != 0)
			return false;
	return true;
}

/* local: a path up to NUL, or an abstract name, which begins with NUL. */
static size_t parse_local(struct slice bytes, struct sockaddr_parts *ret)
{
	const char *start = bytes.p + 2, *end = bytes.p + bytes.n, *stop;

	if (*start == 0) {
		if (is_zero((struct slice){start, (size_t)(end - start)}))
			return 0;
		ret->shape = SA_ABSTRACT;
		ret->path = (struct slice){start + 1, (size_t)(end - start - 1)};
		return bytes.n;
	}
	stop = memchr(start, 0, (size_t)(end - start));
	if (stop == NULL)
		stop = end;
	ret->shape = SA_PATH;
	ret->path = (struct slice){start, (size_t)(stop - start)};
	return stop < end ? (size_t)(stop + 1 - bytes.p) : bytes.n;
}

/* Families whose parts say what they can while all bytes are left over; bluetooth's kinds differ in length. */
static void parse_rare(struct slice bytes, bool big_endian, struct sockaddr_parts *ret)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	size_t n = bytes.n;

	ret->bytes = p;
	if (ret->family == 3 && n >= 9) {
		ret->shape = SA_AX25;
	} else if (ret->family == 4 && n >= 14) {
		ret->shape = SA_IPX;
		ret->port = big(p + 2, 2);
		ret->groups = big(p + 4, 4);
	} else if (ret->family == 9 && n > 2) {
		ret->shape = SA_X25;
	} else if (ret->family == 38 && n > 24) {
		ret->shape = SA_ALG;
	} else if (ret->family == 31 && n >= 13) {
		ret->shape = SA_L2CAP;
		ret->port = host(p + 2, 2, false);
		ret->cid = host(p + 10, 2, false);
	} else if (ret->family == 31 && (n == 9 || n == 10)) {
		ret->shape = SA_RFCOMM;
		ret->port = p[8];
	} else if (ret->family == 31 && n == 8) {
		ret->shape = SA_SCO;
	} else if (ret->family == 31 && n == 6) {
		ret->shape = SA_HCI;
		ret->pid = host(p + 2, 2, big_endian);
		ret->port = host(p + 4, 2, big_endian);
	}
}

/* Bytes of struct sockaddr -> its parts. The kernel copies what the caller gave: any length, any content. */
struct sockaddr_parts sockaddr_parse(struct slice bytes, bool big_endian)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	struct sockaddr_parts ret = {0};
	size_t used = 0;

	ret.family = host(p, bytes.n < 2 ? (unsigned)bytes.n : 2, big_endian);
	if (ret.family == 1 && bytes.n > 2) {
		used = parse_local(bytes, &ret);
	} else if (ret.family == 2 && bytes.n >= 8) {
		ret.shape = SA_INET;
		ret.address = p + 4;
		ret.port = big(p + 2, 2);
		used = 8;
	} else if (ret.family == 10 && bytes.n >= 28) {
		ret.shape = SA_INET6;
		ret.address = p + 8;
		ret.port = big(p + 2, 2);
		ret.flowinfo = big(p + 4, 4);
		ret.scope_id = host(p + 24, 4, big_endian);
		used = 28;
	} else if (ret.family == 16 && bytes.n >= 12) {
		ret.shape = SA_NETLINK;
		ret.pid = host(p + 4, 4, big_endian);
		ret.groups = host(p + 8, 4, big_endian);
		used = 12;
	} else if (ret.family == 17 && bytes.n >= 8) {
		ret.shape = SA_PACKET;
		ret.protocol = big(p + 2, 2);
		ret.ifindex = host(p + 4, 4, big_endian);
		used = 8;
	} else if (ret.family == 40 && bytes.n >= 12) {
		ret.shape = SA_VSOCK;
		ret.port = host(p + 4, 4, big_endian);
		ret.cid = host(p + 8, 4, big_endian);
		used = 12;
	}
	if (ret.shape == SA_OPAQUE) {
		parse_rare(bytes, big_endian, &ret);
		ret.rest = bytes;
		return ret;
	}
	ret.rest = (struct slice){bytes.p + used, bytes.n - used};
	if (is_zero(ret.rest))
		ret.rest.n = 0;
	return ret;
}

void put_ipv4(struct buf *to, const unsigned char *address)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			buf_putc(to, '.');
		put_number(to, address[i]);
	}
}

void put_hex_digits(struct buf *to, uint32_t value)
{
	static const char digits[] = "0123456789abcdef";
	bool started = false;

	for (int shift = 28; shift >= 0; shift -= 4) {
		unsigned digit = value >> shift & 15;

		if (digit != 0 || started || shift == 0) {
			buf_putc(to, digits[digit]);
			started = true;
		}
	}
}

/* As inet_ntop() does: the longest run of two or more zero groups (the first of equals) is "::"; after ::, or ::ffff, over the first
 * six groups the rest is in dotted decimal. */
void put_ipv6(struct buf *to, const unsigned char *address)
{
	unsigned groups[8];
	int best = -1, best_len = 1, last = 8;

	for (int i = 0; i < 8; i++)
		groups[i] = big(address + 2 * i, 2);
	for (int i = 0; i < 8; i++) {
		int len = 0;

		while (i + len < 8 && groups[i + len] == 0)
			len++;
		if (len > best_len) {
			best = i;
			best_len = len;
		}
		i += len;
	}
	if (best == 0 && (best_len == 6 || (best_len == 5 && groups[5] == 0xffff)))
		last = 6;
	for (int i = 0; i < last; i++) {
		if (i == best) {
			BUF_LITERAL(to, "::");
			i += best_len - 1;
			continue;
		}
		if (i > 0 && i != best + best_len)
			buf_putc(to, ':');
		put_hex_digits(to, groups[i]);
	}
	if (last == 6) {
		if (best_len == 5)
			buf_putc(to, ':');
		put_ipv4(to, address + 12);
	}
}
