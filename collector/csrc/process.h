/* SPDX-License-Identifier: Apache-2.0 */
/* Processes as events show them (process.py): a bounded table by node and pid, the longest unused goes first. */
#ifndef AUDITPACK_PROCESS_H
#define AUDITPACK_PROCESS_H

#include "buf.h"

#define MAX_PROCESSES 16384u
#define MAX_PROCESS_BYTES ((size_t)16 << 20) /* of all names and paths */
#define MAX_PROCESS_NAME 64u
#define MAX_PROCESS_PATH 4096u
#define PROCESS_ID_BYTES 48u /* an event's id has at most 39 */

/* Texts of struct cgroup, in the order in which they come; services follow. */
enum cgroup_text { CGROUP_CONTAINER, CGROUP_RUNTIME, CGROUP_POD, CGROUP_UNIT, CGROUP_NAME, CGROUP_IMAGE, CGROUP_POD_NAME, CGROUP_NAMESPACE, CGROUP_TEXTS };

struct process {
	uint64_t node; /* hash of its name */
	int64_t pid, ppid;
	int64_t start; /* clock ticks since boot, -1 unknown */
	uint64_t number, parent, labels; /* parent: a number, 0 unknown */
	struct slice event, first, started, comm, exe, script; /* owned; n == 0: none */
	struct slice cgroup;             /* texts with a NUL behind each, owned */
	char ids[2][PROCESS_ID_BYTES + BUF_SLACK];
	struct process *by_pid, *by_number; /* next in bucket */
	struct process *older, *newer;      /* by last use */
};

struct process_table {
	const struct allocator *alloc;
	struct process **pids, **numbers;
	struct process *oldest, *newest;
	uint64_t last;
	size_t count, bytes;
};

bool process_table_init(struct process_table *t, const struct allocator *alloc);
void process_table_free(struct process_table *t);

/* The process of a pid, which counts as a use; the parent, which does not. */
struct process *process_find(struct process_table *t, uint64_t node, int64_t pid);
struct process *process_parent(const struct process_table *t, const struct process *p);

/* A new process; NULL: no memory. One of that pid before it stays known to its children. */
struct process *process_add(struct process_table *t, uint64_t node, int64_t pid, int64_t ppid);

/* Sets one of a process's texts, shortened to `max`; without memory it becomes empty. `p` must be the newest. */
void process_set(struct process_table *t, struct process *p, struct slice *text, struct slice value, size_t max);

/* Drops old processes until the texts fit their bound. */
void process_table_trim(struct process_table *t);

/* Sets event or first (which: 0 or 1). */
void process_set_id(struct process *p, unsigned which, struct slice id);

/* A text of the cgroup, n == 0 when there is none; at CGROUP_TEXTS and after it the services, p == NULL behind the last. */
struct slice process_cgroup(const struct process *p, unsigned at);

#endif
