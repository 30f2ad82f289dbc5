/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, limits and redaction with every allocation made to fail, and programs that are none. */
#define _GNU_SOURCE /* memmem */
#include "check.h"

static void put(struct buf *b, uint64_t number, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		buf_putc(b, (char)(number >> 8 * i));
}

static void put_double(struct buf *b, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put(b, bits, 8);
}

static void put_text(struct buf *b, const char *text)
{
	put(b, strlen(text), 2);
	buf_puts(b, text);
}

static void put_rule(struct buf *b, enum filter_action action, bool raw, unsigned conditions)
{
	put(b, action, 1);
	put(b, raw, 1);
	put(b, 1u << BY_KEY | 1u << BY_EXE | 1u << BY_UID | 1u << BY_TYPE, 2);
	put(b, UINT32_MAX, 4);
	put(b, 2, 4);
	put_double(b, 0.5);
	put_double(b, 1);
	put_double(b, 10);
	put_text(b, action == FILTER_LABEL ? "a label" : "");
	put(b, conditions, 1);
}

/* One rule of each kind of condition and of each action but drop. */
static void put_program(struct buf *b)
{
	static const char *const texts[] = {"*", "*a*", "cp", "*", "execve", "*"};
	static const enum filter_field fields[] = {FILTER_TYPE, FILTER_KEY, FILTER_COMM, FILTER_ARGV, FILTER_SYSCALL, FILTER_PATH};

	put(b, 6, 4);
	put_rule(b, FILTER_LABEL, false, 6);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		put(b, fields[i], 1);
		put(b, 1, 4);
		put(b, 0, 1);
		put_text(b, texts[i]);
	}
	put_rule(b, FILTER_COPY, true, 1);
	put(b, FILTER_LABELS, 1);
	put(b, 1, 4);
	put(b, 0, 1);
	put_text(b, "a lab??");
	put_rule(b, FILTER_KEEP, false, 1);
	put(b, FILTER_AUID, 1);
	put(b, 1, 4);
	put(b, 0, 1);
	put(b, 7, 8);
	put(b, 9, 8);
	put_rule(b, FILTER_LIMIT, false, 1);
	put(b, FILTER_SADDR, 1);
	put(b, 1, 4);
	put(b, 0, 1);
	put(b, 4, 1);
	put(b, 8, 1);
	put(b, 10, 1);
	for (size_t i = 1; i < 16; i++)
		put(b, 0, 1);
	put(b, 0, 2);
	put(b, 65535, 2);
	put_rule(b, FILTER_AGGREGATE, false, 0);
	put_rule(b, FILTER_COUNT, false, 0);
}

static bool match_all(void *ctx, uint32_t rule, const struct event *e)
{
	(void)ctx;
	return rule == 1 && e->count > 0;
}

/* Makes each line longer by a field. */
static bool redact_all(void *ctx, const struct event *e, struct new_lines *to, uint64_t *ret_values)
{
	(void)ctx;
	if (!new_lines_room(to, e->count))
		return false;
	for (uint32_t i = 0; i < e->count; i++) {
		struct slice line = record_line(e, &e->records[i]);
		size_t before = to->bytes.len;

		buf_put(&to->bytes, line.p, line.n);
		BUF_LITERAL(&to->bytes, " gone=1");
		to->lengths[to->count++] = (uint32_t)(to->bytes.len - before);
	}
	*ret_values = 1;
	return true;
}

static void run(struct slice program, struct failing *f, struct buf *out, uint64_t *ret_filtered)
{
	const struct allocator allocator = {failing_resize, f};
	const struct stream_options streams[] = {{FORMAT_ECS, TRANSLATE_ALL, true, true}, {FORMAT_RECORDS, TRANSLATE_ALL, true, false}};
	struct pipeline_options options = {.streams = streams, .stream_count = 2, .timeout = 2, .event_clock = true, .hostname = {"host", 4},
					   .resolve = test_name, .program = program, .match_raw = match_all, .redact = redact_all};
	struct pipeline *p = calloc(1, sizeof(*p));

	CHECK(p != NULL);
	out->len = 0;
	if (pipeline_init(p, &options, &allocator)) {
		for (int i = 0; i < 3; i++) {
			pipeline_feed(p, sample_records, strlen(sample_records), 0);
			buf_put(out, p->streams[0].out.data, p->streams[0].out.len);
			buf_put(out, p->streams[1].out.data, p->streams[1].out.len);
		}
		pipeline_flush(p, 0, true);
		*ret_filtered = p->counters.events_filtered;
		pipeline_free(p);
	}
	free(p);
	CHECK(f->held == 0);
}

void test_filter(void)
{
	const struct allocator allocator = {allocator_system, NULL};
	struct failing f = {0};
	struct buf program, out;
	uint64_t filtered = 0;
	size_t total;

	buf_init(&program, &allocator);
	buf_init(&out, &allocator);
	put_program(&program);
	run((struct slice){program.data, program.len}, &f, &out, &filtered);
	total = f.calls;
	CHECK(filtered > 0);
	CHECK(memmem(out.data, out.len, "\"labels\":[\"a label\"]", 20) != NULL);
	CHECK(memmem(out.data, out.len, "\"LABELS\":[\"a label\"]", 20) != NULL);
	CHECK(memmem(out.data, out.len, "\"redacted\":1", 12) != NULL && memmem(out.data, out.len, "\"gone\"", 6) != NULL);
	for (int then_all = 0; then_all < 2; then_all++)
		for (size_t at = 1; at <= total; at++) {
			f = (struct failing){.fail_at = at, .then_all = then_all != 0};
			run((struct slice){program.data, program.len}, &f, &out, &filtered);
			CHECK(out.len == 0 || out.data[out.len - 1] == '\n');
		}
	for (size_t n = 1; n < program.len; n++) { /* cut short: refused, nothing leaks */
		f = (struct failing){0};
		out.len = 1;
		run((struct slice){program.data, n}, &f, &out, &filtered);
		CHECK(out.len == 0);
	}
	printf("%zu runs of filters with failing allocations\n", 2 * total);
	buf_free(&program);
	buf_free(&out);
}
