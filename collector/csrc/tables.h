/* SPDX-License-Identifier: Apache-2.0 */
/* What names and numbers mean: record types, field names, system calls, errnos. The data (tables_data.c) is generated. */
#ifndef AUDITPACK_TABLES_H
#define AUDITPACK_TABLES_H

#include "buf.h"

enum record_number {
	AUDIT_SYSCALL = 1300,
	AUDIT_PATH = 1302,
	AUDIT_SOCKADDR = 1306,
	AUDIT_CWD = 1307,
	AUDIT_EXECVE = 1309,
	AUDIT_EOE = 1320,
	AUDIT_PROCTITLE = 1327,
	AUDIT_URINGOP = 1336,
};

struct type_entry {
	char name[32];
	uint8_t len;
	uint16_t number;
};

enum kind { KIND_DECIMAL, KIND_HEX, KIND_OCTAL, KIND_ENCODED, KIND_BRACES, KIND_PLAIN };

#define FIELD_USER 1u  /* a user's number */
#define FIELD_GROUP 2u /* a group's number */

struct field_entry {
	char json[32]; /* "name": */
	uint8_t len;   /* of the name */
	uint8_t kind;
	uint8_t flags;
	uint16_t index;
};

struct arch_entry {
	char token[12]; /* as in arch= */
	const char *name;
	const uint16_t *syscalls; /* offset + 1 in syscall_pool */
	unsigned count;
};

struct sparse_syscall {
	unsigned arch; /* index in arch_entries */
	uint32_t number;
	uint16_t name; /* offset + 1 in syscall_pool */
};

extern const struct sparse_syscall sparse_syscalls[];
extern const unsigned type_bits, sparse_count, field_bits, field_count, arch_count, errno_count;
extern const uint64_t type_hash[2], field_hash[2];
extern const struct type_entry type_entries[];
extern const struct field_entry field_entries[];
extern const uint16_t type_slots[], field_slots[];
extern const struct arch_entry arch_entries[];
extern const char syscall_pool[];
extern const char *const errno_names[];

#define MAX_FIELD_NAMES 512u /* >= field_count; checked by a C unit test */

/* Eight bytes as a little-endian number. */
static inline uint64_t table_load8(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* The slot of a name of 1 or more bytes; eight bytes from its start must be readable. */
static inline size_t table_place(struct slice name, const uint64_t hash[2], unsigned bits)
{
	uint64_t low = table_load8(name.p), high = 0;

	if (name.n < 8)
		low &= ((uint64_t)1 << 8 * name.n) - 1;
	else if (name.n > 8)
		high = table_load8(name.p + name.n - 8);
	return (size_t)((low * hash[0] ^ high * hash[1] ^ name.n * hash[0]) >> (64 - bits));
}

/* The entry of a field's name, NULL when it is not in the table. */
static inline const struct field_entry *field_find(struct slice name)
{
	const struct field_entry *entry;
	unsigned slot;

	if (name.n == 0)
		return NULL;
	slot = field_slots[table_place(name, field_hash, field_bits)];
	if (slot == 0)
		return NULL;
	entry = &field_entries[slot - 1];
	return entry->len == name.n && memcmp(entry->json + 1, name.p, name.n) == 0 ? entry : NULL;
}

/* AUDIT_… of a record type's name, 0 when it is not in the table. */
uint16_t type_number(struct slice type);

/* Sent alone by user space: 1005, 1100-1299, 2100-2999, also as UNKNOWN[n]. */
bool type_is_single(struct slice type, uint16_t number);

/* The architecture of an `arch` token, or NULL; the name of one of its system calls, or NULL. */
const struct arch_entry *arch_find(struct slice token);
const char *syscall_name(const struct arch_entry *arch, uint64_t number);

#endif
