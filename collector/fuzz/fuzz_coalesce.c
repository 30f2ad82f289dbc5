/* SPDX-License-Identifier: Apache-2.0 */
/* Records of few ids and types in any order, with any passing of time: each comes out in one event of its id, and none stays. Three bytes
 * are one record: its type and items, its serial, the seconds since the one before. */
#define _GNU_SOURCE /* memmem */
#include <stdio.h>
#include <stdlib.h>

#include "coalesce.h"
#include "tables.h"

static const struct allocator allocator = {allocator_system, NULL};
static const char *const types[] = {"SYSCALL", "PATH", "CWD", "PROCTITLE", "EOE", "EXECVE", "USER_CMD", "SOCKADDR", "DAEMON_START", "UNKNOWN[1999]"};

static void count(void *ctx, struct event *e)
{
	size_t *out = ctx;
	struct slice id = event_id_text(e);

	for (uint32_t i = 0; i < e->count; i++) {
		struct slice line = record_line(e, &e->records[i]);

		if (line.n <= id.n || memmem(line.p, line.n, id.p, id.n) == NULL)
			abort();
	}
	if (e->count == 0)
		abort();
	*out += e->count;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
	struct head_memo memo = {0};
	struct coalesce c;
	size_t in = 0, out = 0;
	double now = 0;

	if (!coalesce_init(&c, 2.0, 0, &allocator))
		abort();
	for (; n >= 3; data += 3, n -= 3) {
		char line[128 + BUF_SLACK] = {0};
		const char *type = types[data[0] % (sizeof(types) / sizeof(*types))];
		int len = snprintf(line, 128, "type=%s msg=audit(1.000:%u): arch=c000003e items=%u ppid=1", type, data[1], data[0] >> 4);
		struct head head;

		if (!scan_head(line, (size_t)len, &memo, &head))
			abort();
		now += data[2] / 64.0;
		in += head.number != AUDIT_EOE;
		coalesce_add(&c, line, (size_t)len, &head, now, count, &out);
		if ((data[2] & 1) != 0)
			coalesce_expire(&c, now, false, count, &out);
		if (c.open > MAX_OPEN_EVENTS || c.bytes > MAX_OPEN_BYTES)
			abort();
	}
	coalesce_expire(&c, now, true, count, &out);
	if (in != out || c.open != 0 || c.bytes != 0 || c.counters.no_memory != 0)
		abort();
	coalesce_free(&c);
	return 0;
}
