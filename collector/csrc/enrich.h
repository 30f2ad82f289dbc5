/* SPDX-License-Identifier: Apache-2.0 */
/* enrich: an ended event -> what is known about its process beyond its records (enrich.py). Between coalesce and filter. */
#ifndef AUDITPACK_ENRICH_H
#define AUDITPACK_ENRICH_H

#include "coalesce.h"
#include "decode_execve.h"
#include "labels.h"
#include "process.h"
#include "tables.h"

#define MAX_PARENTS 8u
#define MAX_ENRICH_KEYS 64u

enum enrich_question { ASK_PROCESS, ASK_GROUPS, ASK_ENVIRONMENT, ASK_HASH };

/* Asks enrich_source.Source.ask(): appends the answer; nothing when there is none. */
typedef void enrich_ask(void *ctx, enum enrich_question question, int64_t number, uint64_t second, struct slice text, struct buf *to);

/* Of one event; valid until the next. */
struct enrichment {
	struct process *process, *parent; /* NULL unknown */
	struct process *ancestors[MAX_ANCESTORS];
	unsigned ancestor_count;
	bool executed;
	struct slice script; /* of an execve of a #! script */
	const struct arch_entry *arch; /* of the first SYSCALL record, or NULL */
	struct buf groups, environment, hash; /* texts with a NUL behind each */
};

struct enricher {
	const struct allocator *alloc;
	struct enrich_options options;
	struct process_table table;
	struct execve execve;
	struct buf scratch, argv, answer, hostname;
	enrich_ask *ask; /* NULL: this machine is not asked */
	void *ask_ctx;
	struct enrichment current;
};

/* False: no memory, or no program. */
bool enrich_init(struct enricher *n, struct slice program, struct slice hostname, enrich_ask *ask, void *ask_ctx, const struct allocator *alloc);
void enrich_free(struct enricher *n);

/* Fills `current`. */
void enrich_event(struct enricher *n, const struct event *e);

/* Appends the process's GUID, raw text. */
void enrich_guid(const struct enricher *n, const struct process *p, struct buf *to);

/* The next of texts with a NUL behind each; false behind the last. */
bool enrich_next_text(const struct buf *texts, size_t *at, struct slice *ret);

struct writer;
struct emitter;

/* The event is this machine's, which has a name in options.machine. */
bool enrich_is_own(const struct enricher *n, const struct event *e);

/* `records`: HOST, with a comma before it. */
void enrich_put_host(const struct enricher *n, const struct event *e, struct buf *to);

/* `records`: at the end of a record's object (enrich_records.py). */
void enrich_put_record(struct emitter *m, struct writer *w, const struct event *e, const struct record *r, struct slice fields);

#endif
