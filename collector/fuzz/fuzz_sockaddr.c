/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a socket address: the parts lie inside, the JSON is whole. */
#include <stdlib.h>

#include "decode.h"
#include "records_value.h"

static const struct allocator allocator = {allocator_system, NULL};

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	struct buf bytes, out;

	buf_init(&bytes, &allocator);
	buf_init(&out, &allocator);
	buf_put(&bytes, data, n);
	for (int big_endian = 0; big_endian < 2 && buf_room(&bytes, 0); big_endian++) {
		struct sockaddr_parts parts = sockaddr_parse((struct slice){bytes.data, bytes.len}, big_endian != 0);

		if (parts.rest.n > n || (parts.path.n > 0 && (parts.path.p < bytes.data || parts.path.p + parts.path.n > bytes.data + n)))
			abort();
		if (parts.shape == SA_OPAQUE)
			continue;
		out.len = 0;
		records_address(&out, &parts);
		if (out.failed || out.data[0] != '{' || out.data[out.len - 1] != '}')
			abort();
	}
	buf_free(&bytes);
	buf_free(&out);
	return 0;
}
