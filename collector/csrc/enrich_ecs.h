/* SPDX-License-Identifier: Apache-2.0 */
/* What enrichment adds to an event of `ecs` (enrich_ecs.py). All append to an object that is open. */
#ifndef AUDITPACK_ENRICH_ECS_H
#define AUDITPACK_ENRICH_ECS_H

#include "arena.h"
#include "enrich.h"

/* Members of process.parent behind its pid, each with a comma before it. */
void enrich_put_parent(const struct enricher *n, struct arena *a, struct buf *to);

/* Members of process, each with a comma before it. `with_parent`: its parent has not been written. */
void enrich_put_process(const struct enricher *n, struct arena *a, struct buf *to, bool with_parent);

/* The machine has an id or a boot id. */
static inline bool enrich_has_machine(const struct enricher *n)
{
	return n->options.machine[0].n > 0 || n->options.machine[1].n > 0;
}

/* id and boot of host, whose first member this is when `comma` is false; and cloud, with a comma before it. */
void enrich_put_machine(const struct enricher *n, struct arena *a, struct buf *to, bool comma);
void enrich_put_cloud(const struct enricher *n, struct arena *a, struct buf *to);

/* container and orchestrator, and auditd.process, each with a comma before it. */
void enrich_put_container(const struct enricher *n, struct arena *a, struct buf *to);
void enrich_put_auditd(const struct enricher *n, struct arena *a, struct buf *to);

#endif
