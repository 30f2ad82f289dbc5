/* SPDX-License-Identifier: Apache-2.0 */
/* One line: its head, parts and fields lie inside it, in order. */
#include <stdlib.h>

#include "scan.h"

static const struct allocator allocator = {allocator_system, NULL};

static void check_walk(struct walk walk)
{
	const char *last = walk.p;
	struct field f;

	while (walk_next(&walk, &f)) {
		if (walk.ready_count > 0 || f.token.p < last)
			continue; /* the words of an AVC head */
		if (f.token.p + f.token.n > walk.end || (f.name.n > 0 && f.name.p + f.name.n >= f.token.p + f.token.n + 1))
			abort();
		last = f.token.p;
	}
	if (walk.p != walk.end)
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	struct buf line, scratch;
	struct head_memo memo = {0};
	struct head head, again;

	buf_init(&line, &allocator);
	buf_init(&scratch, &allocator);
	buf_put(&line, data, n);
	if (buf_room(&line, 0) && scan_head(line.data, line.len, &memo, &head)) {
		struct parts parts;

		/* with the id known from before it is the same head */
		if (!scan_head(line.data, line.len, &memo, &again) || again.body != head.body || again.id.n != head.id.n || again.sec != head.sec ||
		    again.serial != head.serial || again.digits != head.digits || again.ms != head.ms)
			abort();

		if (head.body > n || head.type.n == 0 || head.id.n < 5)
			abort();
		parts = scan_parts((struct slice){line.data + head.body, n - head.body}, &scratch);
		check_walk(walk_run(parts.fields));
		check_walk(walk_tail(parts.tail, n % 2 == 0));
		if (parts.has_message)
			check_walk(walk_run(parts.message));
	}
	buf_free(&line);
	buf_free(&scratch);
	return 0;
}
