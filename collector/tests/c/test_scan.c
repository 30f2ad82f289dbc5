/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "tables.h"

static const struct allocator allocator = {allocator_system, NULL};

/* "name=token|name=token|" of a run */
static void check_walk(const char *run, const char *expected)
{
	struct buf memory, out;
	struct walk walk;
	struct field f;

	buf_init(&memory, &allocator);
	buf_init(&out, &allocator);
	buf_puts(&memory, run);
	CHECK(buf_room(&memory, 1));
	walk = walk_run((struct slice){memory.data, memory.len});
	while (walk_next(&walk, &f)) {
		buf_put(&out, f.name.p, f.name.n);
		buf_putc(&out, '=');
		buf_put(&out, f.token.p, f.token.n);
		buf_putc(&out, '|');
	}
	buf_putc(&out, 0);
	if (strcmp(out.data, expected) != 0)
		fprintf(stderr, "%s\n%s\n", out.data, expected);
	CHECK(strcmp(out.data, expected) == 0);
	buf_free(&memory);
	buf_free(&out);
}

static bool head_of(const char *line, struct head *head)
{
	static struct head_memo memo; /* of the line before, whatever that was */
	struct head_memo none = {0};
	struct head alone = {0};
	bool ok = scan_head(line, strlen(line), &memo, head), again = scan_head(line, strlen(line), &none, &alone);

	CHECK(ok == again);
	CHECK(!ok || (head->sec == alone.sec && head->ms == alone.ms && head->serial == alone.serial && head->digits == alone.digits &&
		      head->body == alone.body && head->number == alone.number && head->id.p == alone.id.p && head->id.n == alone.id.n));
	return ok;
}

void test_scan(void)
{
	struct head head;

	check_walk(" a=1 b=\"x y\" c=d e f g=", "a=1|b=\"x y\"|c=d e f|g=|");
	check_walk("lead text a= b=\"x\"y z c==d =e", "=lead text|a=|b=\"x\"y z|c==d|==e|");
	check_walk("avc:  denied  { read } for  pid=1", "seresult=denied|seperms={ read }|pid=1|");
	check_walk("avc: denied for pid=1", "=avc: denied for|pid=1|");
	check_walk("", "");
	check_walk("   ", "");
	CHECK(head_of("type=PATH msg=audit(1.5:7):", &head) && head.sec == 1 && head.ms == 5 && head.serial == 7 && head.node.n == 0);
	CHECK(head_of("type=CWD msg=audit(1.5:7): cwd=\"/\"", &head) && head.serial == 7 && head.body == 26 && head.number == AUDIT_CWD);
	CHECK(head_of("type=CWD msg=audit(1.5:70):", &head) && head.serial == 70 && !head_of("type=CWD msg=audit(1.5:70)", &head));
	CHECK(head_of("type=CWD msg=audit(01.5:70):", &head) && head.sec == 1 && head.digits == (2u << 16 | 2u << 8 | 3u));
	CHECK(head_of("node=h type=UNKNOWN[1999] msg=audit(001.005:9999999999999999999): x", &head) && head.node.n == 1 && head.type.n == 13);
	CHECK(!head_of("type=PATH msg=audit(1.5:7)", &head) && !head_of("type= msg=audit(1.5:7):", &head) && !head_of("", &head));
	CHECK(!head_of("type=ID msg=audit(1.5:7):", &head) && !head_of("type=NODE msg=audit(1.5:7):", &head));
	CHECK(!head_of("type=X msg=audit(1.5000:7):", &head) && !head_of("type=X msg=audit(1.5:10000000000000000000):", &head));
	CHECK(!head_of("node= type=X msg=audit(1.5:7):", &head) && !head_of("type=X[] msg=audit(1.5:7):", &head));
}
