/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of processes (labels.py), and what enrichment is asked for (enrich_options.py), read from the program that Python encoded. */
#ifndef AUDITPACK_LABELS_H
#define AUDITPACK_LABELS_H

#include "buf.h"

#define MAX_LABELS 64u
#define MAX_ANCESTORS 32u
#define MAX_LABEL_ARGUMENTS 32u
#define MAX_LABEL_ARGUMENT_BYTES 4096u

enum label_condition { LABEL_EXE, LABEL_ARGV, LABEL_SCRIPT, LABEL_KEY, LABEL_UNIT, LABEL_USER, LABEL_LOGIN, LABEL_CONDITIONS };

/* Globs in the program: how many, and where the first one's length stands. */
struct patterns {
	uint32_t count;
	struct slice at;
};

struct label_rule {
	uint8_t label;
	bool remove;
	struct patterns conditions[LABEL_CONDITIONS]; /* count 0: not asked for */
};

struct enrich_options {
	bool decode, process, parent, script, guid, container, unit, groups, environment, hash, proc, labels;
	uint32_t ancestors, limit, key_count, label_count, rule_count;
	uint64_t inherited;
	struct slice label_names[MAX_LABELS]; /* the first key_count are those of keys */
	struct slice boot;
	struct slice machine[4]; /* host id, boot id, cloud provider, cloud instance */
	struct label_rule *rules; /* owned */
	bool wants_argv;
	struct buf program; /* a copy that the slices point into */
};

/* False: no memory, or no program. */
bool enrich_options_read(struct enrich_options *o, struct slice program, const struct allocator *alloc);
void enrich_options_free(struct enrich_options *o, const struct allocator *alloc);

/* Values that conditions are held against; count 0: unknown. Keys have several, all others one. */
struct label_subjects {
	struct slice values[LABEL_CONDITIONS];
	bool known[LABEL_CONDITIONS];
	const struct slice *keys;
	size_t key_count;
};

bool glob_fits(struct slice pattern, struct slice value);
uint64_t labels_of_keys(const struct enrich_options *o, uint64_t labels, const struct slice *keys, size_t count);
uint64_t labels_of_rules(const struct enrich_options *o, uint64_t labels, const struct label_subjects *s, bool only_keys);

#endif
