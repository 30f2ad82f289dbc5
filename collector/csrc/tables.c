/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

uint16_t type_number(struct slice type)
{
	const struct type_entry *entry;
	unsigned slot = type_slots[table_place(type, type_hash, type_bits)];

	if (slot == 0)
		return 0;
	entry = &type_entries[slot - 1];
	return slice_is(type, entry->name, entry->len) ? entry->number : 0;
}

static bool is_single_number(uint64_t number)
{
	return number == 1005 || (number >= 1100 && number <= 1299) || (number >= 2100 && number <= 2999);
}

bool type_is_single(struct slice type, uint16_t number)
{
	uint64_t written = 0;

	if (number != 0)
		return is_single_number(number);
	if (type.n < 10 || memcmp(type.p, "UNKNOWN[", 8) != 0)
		return false;
	for (size_t i = 8; i + 1 < type.n; i++) /* at most 10 digits: scan_head */
		written = written * 10 + (uint64_t)(type.p[i] - '0');
	return is_single_number(written);
}

const struct call_meaning *call_find(struct slice name)
{
	unsigned slot = name.n == 0 ? 0 : call_slots[table_place(name, call_hash, call_bits)];
	const struct call_meaning *call = &call_meanings[slot == 0 ? 0 : slot - 1];

	return slot != 0 && slice_is(name, call->name, call->len) ? call : NULL;
}

const struct arch_entry *arch_find(struct slice token)
{
	for (unsigned i = 0; i < arch_count; i++)
		if (token.n == 8 && memcmp(arch_entries[i].token, token.p, 8) == 0)
			return &arch_entries[i];
	return NULL;
}

const char *syscall_name(const struct arch_entry *arch, uint64_t number)
{
	if (number < arch->count)
		return arch->syscalls[number] == 0 ? NULL : syscall_pool + arch->syscalls[number] - 1;
	for (unsigned i = 0; i < sparse_count; i++)
		if (&arch_entries[sparse_syscalls[i].arch] == arch && sparse_syscalls[i].number == number)
			return syscall_pool + sparse_syscalls[i].name - 1;
	return NULL;
}
