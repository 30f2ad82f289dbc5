/* SPDX-License-Identifier: Apache-2.0 */
/* The ECS objects of an event: user, group, process, file, service, network, source or destination, related; and the summary. */
#ifndef AUDITPACK_ECS_PARTS_H
#define AUDITPACK_ECS_PARTS_H

#include "ecs.h"

/* source or destination; p == NULL where there is nothing */
struct end_point {
	struct slice ip, domain, address;
	const struct value *port;
};

struct ecs_parts {
	struct identity user, audit, effective, saved, filesystem, target;
	struct slice group;
	struct slice process_name, executable, command_line;
	struct slice file_path;
	const struct object_value *file; /* the PATH record, NULL without or of an AVC */
	struct end_point source, destination;
	const struct enricher *enrich; /* NULL: nothing is added */
	const char *direction, *network_type; /* NULL without */
};

void ecs_find_parts(const struct view *v, const struct meaning *meaning, struct ecs_parts *ret);
void ecs_put_parts(struct buf *to, const struct view *v, const struct meaning *meaning, const struct ecs_parts *p);
void ecs_put_related(struct buf *to, const struct ecs_parts *p);
void ecs_put_summary(struct buf *to, const struct view *v, const struct meaning *meaning, const struct ecs_parts *p);

#endif
