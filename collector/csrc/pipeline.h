/* SPDX-License-Identifier: Apache-2.0 */
/* The whole path, scan -> coalesce -> decode -> emit, by the rules of pipeline.py. */
#ifndef AUDITPACK_PIPELINE_H
#define AUDITPACK_PIPELINE_H

#include "coalesce.h"
#include "emit.h"

#define MAX_LINE 131072u
#define HOSTNAME_MAX_BYTES 255u

struct pipeline_options {
	enum format format;
	enum translate translate;
	double timeout;
	uint64_t last_serial;  /* of the collector before this one, 0 = unknown */
	bool original;         /* events carry their raw lines */
	bool event_clock;      /* age open events by the newest time stamp, not by `now` */
	struct slice hostname; /* UTF-8, copied */
	names_resolve *resolve;
	void *resolve_ctx;
};

struct pipeline_counters {
	uint64_t bytes_in, records_in, records_out, events_out, malformed, incomplete, lost;
};

struct pipeline {
	struct coalesce coalesce;
	struct emitter emitter;
	struct names names;
	struct buf out;  /* lines made by the last feed or flush */
	struct buf rest; /* the line that has no newline yet */
	struct pipeline_counters counters;
	double now;
	bool event_clock, skipping, ecs;
};

/* False: no memory; nothing to free. */
bool pipeline_init(struct pipeline *p, const struct pipeline_options *options, const struct allocator *alloc);
void pipeline_free(struct pipeline *p);

/* Afterwards p->out holds the JSON lines made; the caller takes them before the next call. Short memory loses events, counted. */
void pipeline_feed(struct pipeline *p, const char *data, size_t n, double now);
void pipeline_flush(struct pipeline *p, double now, bool all);

#endif
