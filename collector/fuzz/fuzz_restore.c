/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as events: what is taken are whole lines, what comes out are whole lines and never more than went in; taking the lines one
 * by one gives the same. */
#include <stdlib.h>

#include "restore.h"

static const struct allocator allocator = {allocator_system, NULL};

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	char *copy = malloc(n == 0 ? 1 : n); /* nothing readable behind it */
	struct buf all, single;
	struct restored restored;
	size_t at = 0, lines = 0;

	if (n > 0)
		memcpy(copy, data, n);
	buf_init(&all, &allocator);
	buf_init(&single, &allocator);
	restored = restore_lines(copy, n, &all);
	if (restored.bytes > n || all.len > restored.bytes || (restored.bytes > 0 && copy[restored.bytes - 1] != '\n') ||
	    (all.len > 0 && all.data[all.len - 1] != '\n') || (restored.lines == 0) != (restored.bytes == 0))
		abort();
	while (at < restored.bytes) {
		const char *end = memchr(copy + at, '\n', restored.bytes - at);
		struct restored one = restore_lines(copy + at, (size_t)(end - copy) + 1 - at, &single);

		if (one.lines != 1)
			abort();
		at += one.bytes;
		lines++;
	}
	if (lines != restored.lines || single.len != all.len || (all.len > 0 && memcmp(single.data, all.data, all.len) != 0))
		abort();
	buf_free(&all);
	buf_free(&single);
	free(copy);
	return 0;
}
