/* SPDX-License-Identifier: Apache-2.0 */
/* What names and numbers mean: record types, field names, system calls, errnos. The data (tables_data.c) is generated. */
#ifndef AUDITPACK_TABLES_H
#define AUDITPACK_TABLES_H

#include "buf.h"
#include "tables_fields.h"

enum record_number {
	AUDIT_USER_TTY = 1124,
	AUDIT_SYSCALL = 1300,
	AUDIT_PATH = 1302,
	AUDIT_SOCKADDR = 1306,
	AUDIT_CWD = 1307,
	AUDIT_EXECVE = 1309,
	AUDIT_OBJ_PID = 1318,
	AUDIT_TTY = 1319,
	AUDIT_EOE = 1320,
	AUDIT_SECCOMP = 1326,
	AUDIT_PROCTITLE = 1327,
	AUDIT_KERN_MODULE = 1330,
	AUDIT_URINGOP = 1336,
	AUDIT_AVC = 1400,
	AUDIT_ANOM_ABEND = 1701,
};

struct type_entry {
	char name[32];
	uint8_t len;
	uint16_t number;
};

enum kind { KIND_DECIMAL, KIND_HEX, KIND_OCTAL, KIND_ENCODED, KIND_BRACES, KIND_PLAIN };

enum ecs_kind {
	ECS_DECIMAL, ECS_HEX, ECS_OCTAL, ECS_KEY, ECS_TITLE, ECS_SADDR, ECS_BRACES, ECS_RESULT, ECS_ENCODED, ECS_PLAIN,
};

#define FIELD_NONE 0xffffu

#define FIELD_USER 1u  /* a user's number */
#define FIELD_GROUP 2u /* a group's number */

struct field_entry {
	char json[32]; /* "name": */
	uint8_t len;   /* of the name */
	uint8_t kind;
	uint8_t flags;
	uint16_t index;
	uint8_t ecs_kind;
	uint16_t lower;  /* index of the name in lower case */
	uint16_t beside; /* index of <lower-case name>_name, or FIELD_NONE */
};

struct arch_entry {
	char token[12]; /* as in arch= */
	const char *name;
	const uint16_t *syscalls; /* offset + 1 in syscall_pool */
	unsigned count;
};

enum object_kind {
	OBJECT_FILE, OBJECT_PROCESS, OBJECT_SOCKET, OBJECT_SOCKET_IN, OBJECT_SOCKET_OUT, OBJECT_USER_SESSION, OBJECT_ACCOUNT, OBJECT_GROUP,
	OBJECT_SERVICE, OBJECT_MODULE, OBJECT_SYSTEM,
};

struct meaning {
	const char *action;
	const char *categories, *types; /* JSON lists */
	enum object_kind object;
};

struct prefix_meaning {
	const char *prefix;
	struct meaning meaning;
};

#define MEANING_FIRST 1000u
#define MEANING_NUMBERS 2000u
#define MEANING_NONE 0xffffu
#define MEANING_SPOKEN_BY_SYSCALL 1u
#define MEANING_ACCOUNT 2u /* `acct` is the user of the session */

struct record_meaning {
	uint8_t rank;     /* 0: no row */
	uint16_t meaning; /* index in meanings */
	uint8_t flags;
};

struct call_meaning {
	char name[32];
	uint8_t len;
	uint16_t meaning; /* index in meanings, or MEANING_NONE */
	bool at;          /* a0 is the directory that a relative path starts from */
	int8_t flags;     /* which argument holds open's flags, or -1 */
	uint8_t decoders[4]; /* of a0 to a3: 1 + index in flag_decoders (flags.h), 0 = none */
};

extern const struct meaning meanings[];
extern const struct prefix_meaning prefix_meanings[];
extern const struct record_meaning record_meanings[MEANING_NUMBERS];
/* What `apparmor` or seresult of an AVC record says; outcome: NULL unknown. */
struct avc_word {
	const char *word;
	uint16_t meaning; /* index in meanings, or MEANING_NONE: that of AVC */
	const char *outcome;
};

extern const struct avc_word avc_words[];
extern const unsigned avc_word_count;
extern const struct call_meaning call_meanings[];
extern const uint16_t call_slots[];
extern const uint64_t call_hash[2];
extern const unsigned call_bits;

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

/* The row of a system call's name, or NULL; eight bytes from the name's start must be readable. */
const struct call_meaning *call_find(struct slice name);

/* The architecture of an `arch` token, or NULL; the name of one of its system calls, or NULL. */
const struct arch_entry *arch_find(struct slice token);
const char *syscall_name(const struct arch_entry *arch, uint64_t number);

#endif
