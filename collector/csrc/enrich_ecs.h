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

/* container and orchestrator, and auditd.process, each with a comma before it. */
void enrich_put_container(const struct enricher *n, struct arena *a, struct buf *to);
void enrich_put_auditd(const struct enricher *n, struct arena *a, struct buf *to);

#endif
