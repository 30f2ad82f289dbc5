/* SPDX-License-Identifier: Apache-2.0 */
/* The argument vector of an event's EXECVE records (decode.py, arguments). */
#ifndef AUDITPACK_DECODE_EXECVE_H
#define AUDITPACK_DECODE_EXECVE_H

#include "coalesce.h"

/* A whole argument aN, or a chunk aN[place]. */
struct piece {
	uint32_t index;
	int64_t place; /* -1: whole */
	uint32_t order;
	struct slice bytes; /* decoded */
	struct field field;
};

/* A field that is no argument. They print in this order: as they came, then the chunks of arguments that are there whole too. */
struct spare_field {
	uint64_t order;
	int64_t place;
	struct field field;
};

struct execve {
	const struct allocator *alloc;
	struct buf bytes; /* decoded arguments; never moves while it is read */
	struct buf joined;
	struct piece *pieces; /* sorted by index and place */
	size_t piece_count, piece_capacity;
	struct spare_field *rest;
	size_t rest_count, rest_capacity;
	size_t count; /* of the vector */
	size_t next;  /* piece that execve_argument() looks at */
	size_t arguments; /* that came */
	bool whole;       /* nothing that argc and aN_len promise is missing */
	bool failed;
};

void execve_init(struct execve *x, const struct allocator *alloc);
void execve_free(struct execve *x);

/* Reads all EXECVE records of the event; false: no memory. Slices point into the event and into `bytes`. */
bool execve_read(struct execve *x, const struct event *e);

/* The argument at `index`, to be asked for in rising order; false when it never came. */
bool execve_argument(struct execve *x, size_t index, struct slice *ret);

#endif
