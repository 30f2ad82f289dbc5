/* SPDX-License-Identifier: Apache-2.0 */
#include "emit.h"

#include "pipeline.h"

void emitter_init(struct emitter *m, const struct pipeline_options *options, struct names *names, struct buf *out, const struct allocator *alloc)
{
	*m = (struct emitter){.translate = options->translate, .original = options->original, .names = names, .out = out};
	buf_init(&m->scratch, alloc);
	object_init(&m->members, alloc);
	object_init(&m->message_members, alloc);
	execve_init(&m->execve, alloc);
	arena_init(&m->arena, alloc);
	buf_init(&m->hostname, alloc);
	buf_put(&m->hostname, options->hostname.p, options->hostname.n);
}

void emitter_free(struct emitter *m)
{
	buf_free(&m->scratch);
	object_free(&m->members);
	object_free(&m->message_members);
	execve_free(&m->execve);
	arena_free(&m->arena);
	buf_free(&m->hostname);
}

bool emitter_check(struct emitter *m, size_t start)
{
	bool whole = !m->out->failed && !m->scratch.failed;

	if (!whole)
		m->out->len = start;
	m->out->failed = m->scratch.failed = false;
	return whole;
}
