/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens -> JSON values of `ecs`, in the arena. Every text has BUF_SLACK or the arena's 16 bytes behind it. */
#ifndef AUDITPACK_ECS_VALUE_H
#define AUDITPACK_ECS_VALUE_H

#include "value.h"

struct slice ecs_copy(struct arena *a, struct slice s);

/* quote.py's ecs_text: the bytes themselves or a copy. */
struct slice ecs_text(struct arena *a, struct slice bytes);

/* A text of ours, copied: a literal has nothing behind it. */
struct value *ecs_own_text(struct arena *a, const char *text);

/* Bytes of an ENCODED token; false for null. */
bool ecs_encoded(struct arena *a, struct slice token, struct slice *ret);

struct value *ecs_plain(struct arena *a, struct slice token);
struct value *ecs_hex(struct arena *a, struct slice token); /* "0x…", or plain */
struct value *ecs_split(struct arena *a, struct slice bytes, char separator);
struct value *ecs_braces(struct arena *a, struct slice token); /* the words of { read write } */
struct value *ecs_address(struct arena *a, struct slice token, bool big_endian);

#endif
