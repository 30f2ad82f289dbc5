/* SPDX-License-Identifier: Apache-2.0 */
/* User and group names by number: a cache before a resolver (users.py) that may be slow. */
#ifndef AUDITPACK_NAMES_H
#define AUDITPACK_NAMES_H

#include "buf.h"

#define NAMES_MAX_AGE 1800.0
#define NAMES_SLOTS 1024u
#define NAME_MAX_BYTES 256u
#define UNSET_ID 4294967295u

/* Writes the name of a user (group) into `to`, at most NAME_MAX_BYTES; returns its length, 0 when that failed. */
typedef size_t names_resolve(void *ctx, bool group, int64_t id, double now, char *to);

struct cached_name {
	int64_t id;
	double asked;
	uint16_t len; /* 0: empty slot */
	bool group;
	char name[NAME_MAX_BYTES];
};

struct names {
	const struct allocator *alloc;
	names_resolve *resolve;
	void *ctx;
	struct cached_name *slots;
	char unknown[BUF_SLACK + 32]; /* of a number that is none of a user's */
};

void names_init(struct names *n, names_resolve *resolve, void *ctx, const struct allocator *alloc);
void names_free(struct names *n);

/* The name of a decimal token; valid until the next call. */
struct slice names_of(struct names *n, bool group, struct slice token, double now);

#endif
