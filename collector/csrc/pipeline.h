/* SPDX-License-Identifier: Apache-2.0 */
/* The whole path, scan -> coalesce -> decode -> emit, by the rules of pipeline.py. */
#ifndef AUDITPACK_PIPELINE_H
#define AUDITPACK_PIPELINE_H

#include "coalesce.h"
#include "emit.h"

#define MAX_LINE 131072u
#define HOSTNAME_MAX_BYTES 255u

#define MAX_STREAMS 16u

/* One of several outputs. */
struct stream_options {
	enum format format;
	enum translate translate;
	bool original;     /* events carry their raw lines */
	bool receives_all; /* false: only what a filter sends to it */
};

struct pipeline_options {
	enum format format;
	enum translate translate;
	const struct stream_options *streams; /* NULL: one stream of format, translate and original */
	size_t stream_count;                  /* at most MAX_STREAMS */
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

struct stream {
	struct emitter emitter;
	struct buf out; /* lines made by the last feed or flush */
	size_t like;    /* the first stream of the same kind, whose line is copied */
	bool ecs;
};

struct pipeline {
	struct coalesce coalesce;
	struct stream streams[MAX_STREAMS];
	size_t stream_count;
	uint32_t all; /* a bit for each stream that gets all */
	struct names names;
	struct buf rest;      /* the line that has no newline yet */
	struct buf malformed; /* a copy of the line */
	struct pipeline_counters counters;
	double now;
	bool event_clock, skipping;
};

/* False: no memory; nothing to free. */
bool pipeline_init(struct pipeline *p, const struct pipeline_options *options, const struct allocator *alloc);
void pipeline_free(struct pipeline *p);

/* Afterwards the streams' buffers hold the JSON lines made; the caller takes them before the next call. Short memory loses events, counted. */
void pipeline_feed(struct pipeline *p, const char *data, size_t n, double now);
void pipeline_flush(struct pipeline *p, double now, bool all);

#endif
