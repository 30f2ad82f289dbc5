/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes through the whole path, cut in pieces: every line of output is one JSON object, records in = out, memory is given back.
 * The first two bytes choose options and the length of the pieces. */
#include <stdio.h>
#include <stdlib.h>

#include "decode.h"
#include "pipeline.h"

struct counting {
	size_t held;
};

static void *count_resize(void *ctx, void *old, size_t size)
{
	struct counting *c = ctx;

	if (size == 0) {
		c->held -= old != NULL;
		free(old);
		return NULL;
	}
	c->held += old == NULL;
	return realloc(old, size);
}

static size_t name_of(void *ctx, bool group, int64_t id, double now, char *to)
{
	(void)ctx;
	(void)now;
	return (size_t)snprintf(to, NAME_MAX_BYTES, "%c\"%lld", group ? 'g' : 'u', (long long)id);
}

/* Braces and brackets balance, strings close, no raw control and no byte that is no UTF-8. */
static void check_lines(const struct buf *out)
{
	const unsigned char *p = (const unsigned char *)out->data, *end;
	int depth = 0;

	if (out->len == 0)
		return;
	end = p + out->len;
	while (p < end) {
		if (*p == '\n') {
			if (depth != 0)
				abort();
			p++;
		} else if (*p == '"') {
			for (p++; *p != '"';) {
				size_t n = utf8_sequence(p, (size_t)(end - p));

				if (n == 0 || *p < 0x20)
					abort();
				p += *p == '\\' ? 2 : n;
				if (p >= end)
					abort();
			}
			p++;
		} else {
			depth += *p == '{' || *p == '[';
			depth -= *p == '}' || *p == ']';
			if (depth < 0 || *p >= 0x80)
				abort();
			p++;
		}
	}
	if (depth != 0 || (out->len > 0 && out->data[out->len - 1] != '\n'))
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	struct counting counting = {0};
	const struct allocator allocator = {count_resize, &counting};
	struct pipeline_options options = {.timeout = 2, .resolve = name_of};
	struct pipeline p;
	size_t step;
	double now = 0;

	if (n < 2)
		return 0;
	options.format = data[0] & 1 ? FORMAT_RECORDS : FORMAT_ECS;
	options.translate = (enum translate)((data[0] >> 1) % 3);
	options.event_clock = (data[0] & 64) != 0;
	options.original = (data[0] & 128) != 0;
	step = data[1] == 0 ? n : data[1];
	data += 2;
	n -= 2;
	if (!pipeline_init(&p, &options, &allocator))
		abort();
	for (size_t at = 0; at < n; at += step, now += 0.5) {
		size_t len = n - at < step ? n - at : step;
		char *piece = malloc(len);

		memcpy(piece, data + at, len);
		pipeline_feed(&p, piece, len, now);
		free(piece);
		check_lines(&p.streams[0].out);
	}
	pipeline_flush(&p, now, true);
	check_lines(&p.streams[0].out);
	if (p.counters.records_in != p.counters.records_out || p.coalesce.open != 0 || p.coalesce.bytes != 0 || p.counters.lost != 0)
		abort();
	pipeline_free(&p);
	if (counting.held != 0)
		abort();
	return 0;
}
