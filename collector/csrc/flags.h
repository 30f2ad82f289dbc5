/* SPDX-License-Identifier: Apache-2.0 */
/* decode, what a number says: flags, commands, modes and capabilities by name, as flags.py states. The data is generated. */
#ifndef AUDITPACK_FLAGS_H
#define AUDITPACK_FLAGS_H

#include "scan.h"
#include "tables.h"

enum flag_kind { FLAGS_NAMES, FLAGS_PERMISSIONS, FLAGS_CREATION, FLAGS_MODE, FLAGS_CAPABILITIES, FLAGS_KEYS };

#define FLAG_ARCHES 8u /* an unknown one, and those of arch_entries */

struct flag_name {
	uint64_t value;
	const char *name;
};

struct flag_table {
	const struct flag_name *names;
	unsigned count;
};

struct flag_decoder {
	enum flag_kind kind;
	uint64_t mask, width;                          /* bits of the command; of the argument */
	uint8_t names[FLAG_ARCHES], bits[FLAG_ARCHES]; /* by architecture: 1 + number of the table, 0 = none */
};

/* A field of a record type; base 10, 16 or 8. */
struct flag_field {
	uint16_t field;
	uint8_t decoder; /* 1 + index in flag_decoders */
	uint8_t base;
};

struct flag_type {
	uint16_t number;
	uint16_t first, count; /* in flag_fields */
};

extern const struct flag_table flag_tables[];
extern const struct flag_decoder flag_decoders[];
extern const struct flag_field flag_fields[];
extern const struct flag_type flag_types[];
extern const unsigned flag_type_count;

/* Longest JSON that flags_put() writes. */
#define FLAGS_JSON_MAX 2048u

/* Appends what a number says as JSON; false, and nothing appended, when it says nothing. `arch` may be NULL. */
bool flags_put(struct buf *to, unsigned decoder, uint64_t value, const struct arch_entry *arch);

/* What fields of a record say: calls `found` for each with its name and JSON. `syscall`: the call's name, in a SYSCALL record. */
typedef void flags_found(void *ctx, uint16_t field, struct slice json);
void flags_of_record(uint16_t number, struct slice fields, const struct arch_entry *arch, struct slice syscall, flags_found *found, void *ctx);

/* Bytes that a typed key takes at most. */
#define FLAGS_KEY_MAX 11u

/* Keys typed at a terminal, from the bytes of `data`; appended. */
void flags_put_keys(struct buf *to, struct slice data);

#endif
