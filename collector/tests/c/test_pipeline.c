/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

/* EnrichOptions.encode(): everything on, 5 ancestors, 16 labels, the key "net" and a rule that gives "x" to any exe and argv. */
#define ENRICH_PROGRAM \
	"\1\1\1\1\1\1\1\1\1\1\1\1" "\5\0\0\0" "\20\0\0\0" "\1\0\0\0" "\2\0\0\0" "\3\0\0\0net" "\1\0\0\0x" \
	"\5\0\0\0" "\1\0\0\0b" "\1\0\0\0m" "\1\0\0\0b" "\3\0\0\0aws" "\1\0\0\0i" "\3\0\0\0\0\0\0\0" "\1\0\0\0" \
	"\1" "\0" "\1\0\0\0" "\1\0\0\0*" "\1\0\0\0" "\2\0\0\0*?" "\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\0"

/* A /proc in which every process is a child of 9, began early and runs in a container. */
static void ask(void *ctx, enum enrich_question question, int64_t number, uint64_t second, struct slice text, struct buf *to)
{
	(void)ctx;
	(void)number;
	(void)second;
	(void)text;
	if (question == ASK_PROCESS)
		BUF_LITERAL(to, "12\0" "1.120\0" "9\0" "sh\0" "/bin/sh\0" "c\0docker\0pod\0u.service\0name\0image\0p\0n\0u.service\0");
	else
		BUF_LITERAL(to, "A=b\0c\0");
}

/* Runs the sample through a pipeline in pieces of `step` bytes; the output as one buffer. */
static void run(enum format format, enum translate translate, size_t step, struct failing *f, struct buf *out, struct pipeline *p)
{
	const struct allocator allocator = {failing_resize, f};
	struct pipeline_options options = {.format = format, .translate = translate, .timeout = 2, .event_clock = true, .hostname = {"host", 4},
					   .original = translate == TRANSLATE_ALL, .resolve = test_name};
	static const char program[] = ENRICH_PROGRAM;
	size_t n = strlen(sample_records);

	if (translate == TRANSLATE_ALL) {
		options.enrich_program = (struct slice){program, sizeof(program) - 1};
		options.enrich_ask = ask;
	}

	if (!pipeline_init(p, &options, &allocator)) {
		CHECK(f->fail_at > 0 && f->held == 0);
		return;
	}
	for (size_t at = 0; at < n; at += step) {
		char *piece = malloc(step); /* exactly as long, so that ASan sees a read behind it */
		size_t len = n - at < step ? n - at : step;

		CHECK(piece != NULL);
		memcpy(piece, sample_records + at, len);
		pipeline_feed(p, piece, len, 0);
		buf_put(out, p->streams[0].out.data, p->streams[0].out.len);
		free(piece);
	}
	pipeline_flush(p, 0, true);
	buf_put(out, p->streams[0].out.data, p->streams[0].out.len);
	if (f->fail_at == 0)
		CHECK(p->counters.records_in == 15 && p->counters.records_out == 15 && p->counters.malformed == 1 && p->coalesce.open == 0);
	pipeline_free(p);
	CHECK(f->held == 0);
}

static size_t count_lines(const struct buf *b)
{
	size_t lines = 0;

	for (size_t i = 0; i < b->len; i++)
		lines += b->data[i] == '\n';
	return lines;
}

/* The same output however the input is cut. */
void test_pipeline(void)
{
	const struct allocator allocator = {allocator_system, NULL};
	struct buf whole, cut;
	struct pipeline p;

	buf_init(&whole, &allocator);
	buf_init(&cut, &allocator);
	for (int format = FORMAT_ECS; format <= FORMAT_RECORDS; format++)
		for (int translate = TRANSLATE_NONE; translate <= TRANSLATE_ALL; translate++) {
			static const size_t steps[] = {1, 2, 3, 7, 64, 1000};
			struct failing f = {0};

			whole.len = 0;
			run((enum format)format, (enum translate)translate, strlen(sample_records), &f, &whole, &p);
			CHECK(count_lines(&whole) == 6);
			for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
				f = (struct failing){0};
				cut.len = 0;
				run((enum format)format, (enum translate)translate, steps[i], &f, &cut, &p);
				CHECK(cut.len == whole.len && memcmp(cut.data, whole.data, cut.len) == 0);
			}
		}
	buf_free(&whole);
	buf_free(&cut);
}

/* Every allocation made to fail, once and from then on: no crash, no leak, whole lines only, and the loss is counted. */
void test_allocation(void)
{
	const struct allocator allocator = {allocator_system, NULL};
	struct buf out;
	size_t runs = 0;

	buf_init(&out, &allocator);
	for (int format = FORMAT_ECS; format <= FORMAT_RECORDS; format++)
		for (int then_all = 0; then_all < 2; then_all++)
			for (int cut = 0; cut < 2; cut++) {
				size_t step = cut ? 50 : strlen(sample_records);
				struct failing f = {0};
				struct pipeline p = {0};
				size_t total, lines;

				out.len = 0;
				run((enum format)format, TRANSLATE_ALL, step, &f, &out, &p);
				total = f.calls;
				lines = count_lines(&out);
				for (size_t at = 1; at <= total; at++) {
					f = (struct failing){.fail_at = at, .then_all = then_all != 0};
					p = (struct pipeline){0};
					out.len = 0;
					run((enum format)format, TRANSLATE_ALL, step, &f, &out, &p);
					CHECK(out.len == 0 || out.data[out.len - 1] == '\n');
					CHECK(count_lines(&out) <= lines + 1);
					runs++;
				}
			}
	printf("%zu runs with failing allocations\n", runs);
	buf_free(&out);
}
