/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a filter's program, then records through the pipeline with it: a program is refused or harmless, records in are out or
 * filtered, memory is given back. The first two bytes are the program's length. */
#include <stdio.h>
#include <stdlib.h>

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
	return (size_t)snprintf(to, NAME_MAX_BYTES, "%c%lld", group ? 'g' : 'u', (long long)id);
}

static bool match_some(void *ctx, uint32_t rule, const struct event *e)
{
	(void)ctx;
	return (rule + e->count) % 2 == 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	static const struct stream_options streams[] = {{FORMAT_RECORDS, TRANSLATE_NONE, false, true}, {FORMAT_ECS, TRANSLATE_ALL, false, false}};
	struct counting counting = {0};
	const struct allocator allocator = {count_resize, &counting};
	struct pipeline_options options = {.streams = streams, .stream_count = 2, .timeout = 2, .event_clock = true, .resolve = name_of,
					   .match_raw = match_some};
	struct pipeline *p;
	size_t program;
	char *records;

	if (n < 2)
		return 0;
	program = (size_t)data[0] << 8 | data[1];
	data += 2;
	n -= 2;
	if (program > n)
		program = n;
	options.program = (struct slice){(const char *)data, program};
	p = calloc(1, sizeof(*p));
	records = malloc(n - program + 1);
	if (p == NULL || records == NULL)
		abort();
	memcpy(records, data + program, n - program);
	if (pipeline_init(p, &options, &allocator)) {
		pipeline_feed(p, records, n - program, 0);
		pipeline_flush(p, 0, true);
		if (p->counters.records_in != p->counters.records_out + p->counters.records_filtered || p->counters.lost != 0)
			abort();
		pipeline_free(p);
	}
	if (counting.held != 0)
		abort();
	free(records);
	free(p);
	return 0;
}
