/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a token: every kind of value is one line of JSON; texts of both formats are UTF-8 and give the bytes back. */
#include <stdlib.h>

#include "decode.h"
#include "records_value.h"
#include "restore.h"

static const struct allocator allocator = {allocator_system, NULL};

/* What `restore` makes of a `records` string must be the bytes again. */
static void check_text(struct slice bytes)
{
	struct buf event, back;

	buf_init(&event, &allocator);
	buf_init(&back, &allocator);
	BUF_LITERAL(&event, "{\"ID\":\"1.000:1\",\"ORIGINAL\":[");
	put_records_text(&event, bytes);
	BUF_LITERAL(&event, "]}\n");
	if (memchr(bytes.p, '\n', bytes.n) == NULL &&
	    (restore_lines(event.data, event.len, &back).lines != 1 || back.len != bytes.n + 1 || memcmp(back.data, bytes.p, bytes.n) != 0))
		abort();
	buf_free(&event);
	buf_free(&back);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	struct buf token, out, scratch;

	buf_init(&token, &allocator);
	buf_init(&out, &allocator);
	buf_init(&scratch, &allocator);
	buf_put(&token, data, n);
	for (int kind = KIND_DECIMAL; kind <= KIND_PLAIN && buf_room(&token, 0); kind++) {
		struct slice slice = {token.data, token.len};

		out.len = scratch.len = 0;
		if (slice.n == 0 && kind == KIND_BRACES)
			continue; /* a token of braces is never empty */
		records_value(&out, (enum kind)kind, slice, &scratch);
		if (out.failed || out.len == 0)
			abort();
		for (size_t i = 0; i < out.len;) {
			size_t step = utf8_sequence((const unsigned char *)out.data + i, out.len - i);

			if (step == 0 || (unsigned char)out.data[i] < 0x20)
				abort();
			i += step;
		}
	}
	if (n > 0 && buf_room(&token, 0))
		check_text((struct slice){token.data, token.len});
	buf_free(&token);
	buf_free(&out);
	buf_free(&scratch);
	return 0;
}
