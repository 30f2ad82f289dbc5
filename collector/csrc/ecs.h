/* SPDX-License-Identifier: Apache-2.0 */
/* Format `ecs`: decoded records (ecs_record.c), what the emitter asks of them (ecs_view.c), and the ECS fields (emit_ecs.c). */
#ifndef AUDITPACK_ECS_H
#define AUDITPACK_ECS_H

#include "emit.h"
#include "ecs_value.h"

/* One element of auditd.records. */
struct ecs_record {
	uint16_t number;
	struct slice type;
	struct object_value *object;
};

/* The decoded records of one event. EXECVE records are one. */
struct ecs_event {
	struct arena *arena;
	struct emitter *m;
	const struct event *event;
	const struct arch_entry *arch; /* of the first SYSCALL record, NULL when unknown */
	struct ecs_record *records;
	uint32_t count;
	bool whole; /* the argument vector */
};

void ecs_decode(struct ecs_event *x);

/* <field>_name of what flags, modes and commands of a record say. */
void ecs_put_flags(struct ecs_event *x, struct object_value *o, uint16_t number, struct slice fields);

/* Who someone is: id and name have n == 0 when they are not there, and p == NULL too. */
struct identity {
	struct slice id, name, group_id, group_name;
};

struct view {
	struct arena *arena;
	const struct ecs_record *records;
	uint32_t count;
	const struct object_value *syscall; /* SYSCALL's or URINGOP's record, or NULL */
	const struct ecs_record *main;
};

struct view view_of(const struct ecs_event *x);

/* Of an event for which an AVC record speaks; its outcome without a system call, NULL: unknown or no AVC. */
struct meaning ecs_avc_meaning(const struct view *v);
const char *ecs_avc_outcome(const struct view *v);

/* The first record of a type, NULL when there is none. */
const struct object_value *view_type(const struct view *v, uint16_t number);

/* From the messages: of the first record whose msg='…' has the name. */
const struct value *view_message(const struct view *v, uint16_t field);

/* From the main record, else the messages; of a list its first value. NULL stands for null too. */
const struct value *view_first(const struct view *v, uint16_t field);

/* Text of view_first(); p == NULL when it is none. */
struct slice view_string(const struct view *v, uint16_t field);

/* A vector (of a repeated name the first), or NULL. */
const struct value *view_vector(const struct view *v, uint16_t number, uint16_t field);

struct slice view_result(const struct view *v);
struct identity view_identity(const struct view *v, uint16_t uid, uint16_t uid_name, uint16_t gid, uint16_t gid_name);

/* A name as it is known, p == NULL for none, unset and unknown(n). */
struct slice known_name(struct slice name);
bool same_identity(const struct identity *a, const struct identity *b);
bool has_identity(const struct identity *a);

#endif
