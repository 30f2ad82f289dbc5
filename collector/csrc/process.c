/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#define BUCKETS 4096u

static void *resize(struct process_table *t, void *old, size_t size)
{
	return t->alloc->resize(t->alloc->ctx, old, size);
}

static size_t pid_bucket(uint64_t node, int64_t pid)
{
	return (size_t)((((uint64_t)pid ^ node) * 0x9e3779b97f4a7c15u) >> 52); /* < BUCKETS */
}

static struct process **take_buckets(struct process_table *t)
{
	struct process **p = resize(t, NULL, BUCKETS * sizeof(struct process *));

	if (p != NULL)
		memset(p, 0, BUCKETS * sizeof(struct process *));
	return p;
}

bool process_table_init(struct process_table *t, const struct allocator *alloc)
{
	*t = (struct process_table){.alloc = alloc};
	t->pids = take_buckets(t);
	t->numbers = take_buckets(t);
	if (t->pids != NULL && t->numbers != NULL)
		return true;
	process_table_free(t);
	return false;
}

static void free_text(struct process_table *t, struct slice *text)
{
	if (text->n > 0)
		resize(t, (char *)(uintptr_t)text->p, 0);
	*text = (struct slice){NULL, 0};
}

static size_t texts_size(const struct process *p)
{
	size_t size = p->comm.n + p->exe.n + p->script.n + p->cgroup.n;

	for (size_t i = 0; i < p->cgroup.n; i++) /* without the NULs that part them */
		size -= p->cgroup.p[i] == 0;
	return size;
}

static void free_process(struct process_table *t, struct process *p)
{
	free_text(t, &p->started);
	free_text(t, &p->comm);
	free_text(t, &p->exe);
	free_text(t, &p->script);
	free_text(t, &p->cgroup);
	resize(t, p, 0);
}

void process_table_free(struct process_table *t)
{
	while (t->oldest != NULL) {
		struct process *next = t->oldest->newer;

		free_process(t, t->oldest);
		t->oldest = next;
	}
	if (t->pids != NULL)
		resize(t, t->pids, 0);
	if (t->numbers != NULL)
		resize(t, t->numbers, 0);
	*t = (struct process_table){.alloc = t->alloc};
}

static void unlink_use(struct process_table *t, struct process *p)
{
	*(p->older != NULL ? &p->older->newer : &t->oldest) = p->newer;
	*(p->newer != NULL ? &p->newer->older : &t->newest) = p->older;
}

static void link_newest(struct process_table *t, struct process *p)
{
	p->older = t->newest;
	p->newer = NULL;
	*(t->newest != NULL ? &t->newest->newer : &t->oldest) = p;
	t->newest = p;
}

/* Buckets hold the newest of a pid first. */
struct process *process_find(struct process_table *t, uint64_t node, int64_t pid)
{
	struct process *p = t->pids[pid_bucket(node, pid)];

	while (p != NULL && (p->pid != pid || p->node != node))
		p = p->by_pid;
	if (p != NULL && p != t->newest) {
		unlink_use(t, p);
		link_newest(t, p);
	}
	return p;
}

struct process *process_parent(const struct process_table *t, const struct process *p)
{
	struct process *found = p->parent == 0 ? NULL : t->numbers[p->parent % BUCKETS];

	while (found != NULL && found->number != p->parent)
		found = found->by_number;
	return found;
}

/* One that lost its pid to a newer process is no longer in the buckets of pids. */
static void unlink_pid(struct process_table *t, struct process *p)
{
	struct process **link = &t->pids[pid_bucket(p->node, p->pid)];

	while (*link != NULL && *link != p)
		link = &(*link)->by_pid;
	if (*link != NULL)
		*link = p->by_pid;
}

static void drop_oldest(struct process_table *t)
{
	struct process *p = t->oldest, **link = &t->numbers[p->number % BUCKETS];

	while (*link != p)
		link = &(*link)->by_number;
	*link = p->by_number;
	unlink_pid(t, p);
	unlink_use(t, p);
	t->count--;
	t->bytes -= texts_size(p);
	free_process(t, p);
}

struct process *process_add(struct process_table *t, uint64_t node, int64_t pid, int64_t ppid)
{
	struct process *p = resize(t, NULL, sizeof(*p)), **bucket;
	struct process *before = t->pids[pid_bucket(node, pid)];

	if (p == NULL)
		return NULL;
	while (before != NULL && (before->pid != pid || before->node != node))
		before = before->by_pid;
	if (before != NULL)
		unlink_pid(t, before);
	*p = (struct process){.node = node, .pid = pid, .ppid = ppid, .start = -1, .number = ++t->last};
	bucket = &t->pids[pid_bucket(node, pid)];
	p->by_pid = *bucket;
	*bucket = p;
	bucket = &t->numbers[p->number % BUCKETS];
	p->by_number = *bucket;
	*bucket = p;
	link_newest(t, p);
	if (++t->count > MAX_PROCESSES)
		drop_oldest(t);
	return p;
}

void process_set(struct process_table *t, struct process *p, struct slice *text, struct slice value, size_t max)
{
	size_t before = texts_size(p), n = value.n < max ? value.n : max;
	char *copy;

	if (text->n == n && (n == 0 || memcmp(text->p, value.p, n) == 0))
		return;
	copy = n == 0 ? NULL : resize(t, NULL, n + BUF_SLACK);
	if (copy != NULL) {
		memcpy(copy, value.p, n);
		memset(copy + n, 0, BUF_SLACK);
	}
	free_text(t, text);
	*text = (struct slice){copy, copy == NULL ? 0 : n};
	t->bytes += texts_size(p) - before;
}

void process_table_trim(struct process_table *t)
{
	while (t->bytes > MAX_PROCESS_BYTES && t->count > 1)
		drop_oldest(t);
}

void process_set_id(struct process *p, unsigned which, struct slice id)
{
	struct slice *text = which == 0 ? &p->event : &p->first;

	if (id.n > PROCESS_ID_BYTES)
		id.n = PROCESS_ID_BYTES;
	memcpy(p->ids[which], id.p, id.n);
	*text = (struct slice){p->ids[which], id.n};
}

struct slice process_cgroup(const struct process *p, unsigned at)
{
	const char *from = p->cgroup.p, *end = p->cgroup.p + p->cgroup.n, *stop;

	while (from != NULL && from < end) {
		stop = memchr(from, 0, (size_t)(end - from));
		if (stop == NULL)
			break;
		if (at-- == 0)
			return (struct slice){from, (size_t)(stop - from)};
		from = stop + 1;
	}
	return (struct slice){NULL, 0};
}
