/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDITPACK_TEST_CHECK_H
#define AUDITPACK_TEST_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline.h"

#define CHECK(condition)                                                                                                       \
	do {                                                                                                                   \
		if (!(condition)) {                                                                                            \
			fprintf(stderr, "%s:%d: %s: not true: %s\n", __FILE__, __LINE__, __func__, #condition);                \
			exit(1);                                                                                               \
		}                                                                                                              \
	} while (0)

/* Fails the allocation number `fail_at` (counted from 1) and, with `then_all`, all later ones. Counts what is held. */
struct failing {
	size_t calls, fail_at, held;
	bool then_all;
};

void *failing_resize(void *ctx, void *old, size_t size);

/* Names for tests: "u<id>" and "g<id>". */
size_t test_name(void *ctx, bool group, int64_t id, double now, char *to);

void test_decode(void);
void test_scan(void);
void test_tables(void);
void test_pipeline(void);
void test_allocation(void);
void test_filter(void);

extern const char sample_records[];

#endif
