/* SPDX-License-Identifier: Apache-2.0 */
/* The whole path, scan -> coalesce -> decode -> emit, by the rules of pipeline.py. */
#ifndef AUDITPACK_PIPELINE_H
#define AUDITPACK_PIPELINE_H

#include "coalesce.h"
#include "emit.h"
#include "enrich.h"
#include "filter.h"
#include "redact.h"

#define MAX_LINE 131072u
#define HOSTNAME_MAX_BYTES 255u

#define MAX_STREAMS 16u

/* Where records of a type are counted: by its number, those that the tables lack at 0. */
#define TYPE_FIRST 1000u
#define TYPE_NUMBERS 2001u

static inline size_t type_place(uint16_t number)
{
	return number >= TYPE_FIRST && number < TYPE_FIRST + TYPE_NUMBERS - 1 ? number - TYPE_FIRST + 1u : 0;
}

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
	struct slice program; /* of the filter, n == 0: none */
	filter_match_raw *match_raw;
	struct slice enrich_program; /* n == 0: nothing is added */
	enrich_ask *enrich_ask;      /* NULL: this machine is not asked */
	redact_ask *redact; /* NULL: nothing is redacted */
	void *callback_ctx;
};

struct pipeline_counters {
	uint64_t bytes_in, records_in, records_out, events_out, malformed, incomplete, lost, events_filtered, records_filtered, redacted, last_serial;
};

struct stream {
	struct emitter emitter;
	struct buf out; /* lines made by the last feed or flush */
	size_t like;    /* the first stream of the same kind, whose line is copied */
	bool ecs;
};

struct pipeline {
	struct coalesce coalesce;
	size_t stream_count;
	uint32_t all; /* a bit for each stream that gets all */
	struct names names;
	struct buf rest;      /* the line that has no newline yet */
	struct buf malformed; /* a copy of the line */
	struct enricher *enrich; /* NULL: none */
	struct filter *filter; /* NULL: none */
	struct redact redact;
	struct pipeline_counters counters;
	uint64_t types_in[TYPE_NUMBERS], types_out[TYPE_NUMBERS]; /* by type_place() */
	struct head_memo head_memo;
	double now;
	bool event_clock, skipping;
	struct stream streams[MAX_STREAMS];
};

/* False: no memory; nothing to free. */
bool pipeline_init(struct pipeline *p, const struct pipeline_options *options, const struct allocator *alloc);
void pipeline_free(struct pipeline *p);

/* Afterwards the streams' buffers hold the JSON lines made; the caller takes them before the next call. Short memory loses events, counted. */
void pipeline_feed(struct pipeline *p, const char *data, size_t n, double now);
void pipeline_flush(struct pipeline *p, double now, bool all);

#endif
