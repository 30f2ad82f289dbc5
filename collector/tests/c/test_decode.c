/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "check.h"
#include "decode.h"
#include "decode_sockaddr.h"

static const struct allocator allocator = {allocator_system, NULL};

static bool holds(const struct buf *b, const char *text)
{
	return b->len == strlen(text) && memcmp(b->data, text, b->len) == 0;
}

static struct slice padded(struct buf *memory, const char *text, size_t n)
{
	memory->len = 0;
	buf_put(memory, text, n);
	return (struct slice){memory->data, n};
}

static void check_records_text(const char *bytes, size_t n, const char *expected)
{
	struct buf memory, out;

	buf_init(&memory, &allocator);
	buf_init(&out, &allocator);
	put_records_text(&out, padded(&memory, bytes, n));
	CHECK(holds(&out, expected));
	buf_free(&memory);
	buf_free(&out);
}

static void check_hex(const char *digits, const char *expected, size_t n)
{
	struct buf memory, out;

	buf_init(&memory, &allocator);
	buf_init(&out, &allocator);
	CHECK(decode_hex(&out, padded(&memory, digits, strlen(digits))) == (expected != NULL));
	CHECK(expected == NULL ? out.len == 0 : out.len == n && memcmp(out.data, expected, n) == 0);
	buf_free(&memory);
	buf_free(&out);
}

/* Addresses come out as inet_ntop() writes them. */
static void check_ipv6(void)
{
	unsigned char address[16];
	char expected[INET6_ADDRSTRLEN];
	unsigned state = 1;

	for (int round = 0; round < 20000; round++) {
		struct buf out;

		for (int i = 0; i < 16; i++) {
			state = state * 1664525u + 1013904223u;
			address[i] = (state >> 24) < 200 ? 0 : (unsigned char)(state >> 16);
		}
		if (round % 3 == 0)
			memcpy(address, round % 2 == 0 ? "\0\0\0\0\0\0\0\0\0\0\xff\xff" : "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
		buf_init(&out, &allocator);
		put_ipv6(&out, address);
		CHECK(inet_ntop(AF_INET6, address, expected, sizeof(expected)) != NULL);
		CHECK(holds(&out, expected));
		buf_free(&out);
	}
}

static void check_sockaddr(void)
{
	struct sockaddr_parts parts = sockaddr_parse((struct slice){"\x02\x00\x00\x50\x0a\x00\x00\x01rest", 12}, false);

	CHECK(parts.shape == SA_INET && parts.port == 80 && parts.address[0] == 10 && parts.rest.n == 4);
	parts = sockaddr_parse((struct slice){"\x01\x00/a\0\0", 6}, false);
	CHECK(parts.shape == SA_PATH && parts.path.n == 2 && parts.rest.n == 0);
	parts = sockaddr_parse((struct slice){"\x01\x00\0x", 4}, false);
	CHECK(parts.shape == SA_ABSTRACT && parts.path.n == 1);
	parts = sockaddr_parse((struct slice){"\x01\x00\0\0", 4}, false);
	CHECK(parts.shape == SA_OPAQUE);
	parts = sockaddr_parse((struct slice){"\x00\x02", 2}, true);
	CHECK(parts.shape == SA_OPAQUE && parts.family == 2);
	parts = sockaddr_parse((struct slice){"", 0}, false);
	CHECK(parts.shape == SA_OPAQUE && parts.family == 0);
}

static void check_numbers(void)
{
	struct slice digits;

	CHECK(token_is_decimal(slice_of("0")) && token_is_decimal(slice_of("-13")) && token_is_decimal(slice_of("9999999999999999999")));
	CHECK(!token_is_decimal(slice_of("")) && !token_is_decimal(slice_of("00")) && !token_is_decimal(slice_of("-")) &&
	      !token_is_decimal(slice_of("-0")) && !token_is_decimal(slice_of("1a")) && !token_is_decimal(slice_of("10000000000000000000")));
	CHECK(token_number(slice_of("-13")) == -13 && token_number(slice_of("9999999999999999999")) == INT64_MAX);
	CHECK(token_hex(slice_of("00C000003E"), &digits) && digits.n == 8);
	CHECK(token_hex(slice_of("0x0"), &digits) && digits.n == 1);
	CHECK(!token_hex(slice_of("0x"), &digits) && !token_hex(slice_of(""), &digits) && !token_hex(slice_of("12345678901234567"), &digits));
	CHECK(token_octal(slice_of("0100755"), &digits) && digits.n == 6 && !token_octal(slice_of("08"), &digits));
}

void test_decode(void)
{
	check_records_text("plain text, longer than sixteen bytes", 37, "\"plain text, longer than sixteen bytes\"");
	check_records_text("a\"b\\c%d+e\x7f\x01", 11, "\"a\\\"b\\\\c%25d%2be%7f%01\"");
	check_records_text("\xc3\xbc\xef\xbb\xbf\xff\xed\xa0\x80\xe2\x82", 11, "\"\xc3\xbc%ef%bb%bf%ff%ed%a0%80%e2%82\"");
	check_records_text("", 0, "\"\"");
	check_hex("6162", "ab", 2);
	check_hex("000102030405060708090A0B0C0D0E0F1011", "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21", 18);
	check_hex("6a", NULL, 0); /* lower case is none */
	check_hex("616", NULL, 0);
	check_hex("", NULL, 0);
	check_hex("00010203040506070809G", NULL, 0);
	check_hex("0001020304050:07080900112233", NULL, 0);
	check_numbers();
	check_sockaddr();
	check_ipv6();
}
