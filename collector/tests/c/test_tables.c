/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "tables.h"

static struct slice padded(char *memory, const char *text)
{
	memset(memory, 0, 64);
	memcpy(memory, text, strlen(text));
	return (struct slice){memory, strlen(text)};
}

void test_tables(void)
{
	char memory[64];

	CHECK(field_count <= MAX_FIELD_NAMES);
	for (unsigned i = 0; i < field_count; i++) {
		char name[32] = {0};

		CHECK(field_entries[i].index == i && field_entries[i].lower < field_count);
		memcpy(name, field_entries[i].json + 1, field_entries[i].len);
		CHECK(field_find(padded(memory, name)) == &field_entries[i]);
	}
	CHECK(field_find(padded(memory, "no_such_name")) == NULL && field_find(padded(memory, "")) == NULL);
	CHECK(type_number(padded(memory, "SYSCALL")) == AUDIT_SYSCALL && type_number(padded(memory, "URINGOP")) == AUDIT_URINGOP);
	CHECK(type_number(padded(memory, "NO_SUCH_TYPE")) == 0 && type_number(padded(memory, "X")) == 0);
	CHECK(type_is_single(slice_of("UNKNOWN[1199]"), 0) && !type_is_single(slice_of("UNKNOWN[1399]"), 0));
	CHECK(type_is_single(slice_of("USER"), 1005) && !type_is_single(slice_of("SYSCALL"), 1300));
	CHECK(arch_find(slice_of("c000003e")) != NULL && strcmp(syscall_name(arch_find(slice_of("c000003e")), 59), "execve") == 0);
	CHECK(syscall_name(arch_find(slice_of("c000003e")), 100000) == NULL && arch_find(slice_of("c000003")) == NULL);
	CHECK(call_find(padded(memory, "openat")) != NULL && call_find(padded(memory, "openat")) ->at && call_find(padded(memory, "nope")) == NULL);
}
