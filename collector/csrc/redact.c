/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include "redact.h"

#include "tables.h"

void redact_init(struct redact *r, redact_ask *ask, void *ctx, const struct allocator *alloc)
{
	*r = (struct redact){.ask = ask, .ctx = ctx};
	buf_init(&r->lines.bytes, alloc);
}

void redact_free(struct redact *r)
{
	if (r->lines.lengths != NULL)
		r->lines.bytes.alloc->resize(r->lines.bytes.alloc->ctx, r->lines.lengths, 0);
	buf_free(&r->lines.bytes);
}

bool new_lines_room(struct new_lines *lines, uint32_t count)
{
	const struct allocator *alloc = lines->bytes.alloc;
	uint32_t *lengths;

	lines->bytes.len = 0;
	lines->count = 0;
	if (count <= lines->capacity)
		return true;
	lengths = alloc->resize(alloc->ctx, lines->lengths, (size_t)count * sizeof(*lengths));
	if (lengths == NULL)
		return false;
	lines->lengths = lengths;
	lines->capacity = count;
	return true;
}

/* Whether there is anything that redact.py looks at. */
static bool is_candidate(const struct event *e)
{
	for (uint32_t i = 0; i < e->count; i++) {
		struct slice body = record_body(e, &e->records[i]);

		if (e->records[i].number == AUDIT_EXECVE || e->records[i].number == AUDIT_PROCTITLE || memmem(body.p, body.n, "cmd", 3) != NULL ||
		    memmem(body.p, body.n, "data=", 5) != NULL)
			return true;
	}
	return false;
}

/* The lines are whole, and each begins with its record's head. */
static bool fits(const struct event *e, const struct new_lines *lines)
{
	size_t at = 0;

	if (lines->bytes.failed || lines->count != e->count)
		return false;
	for (uint32_t i = 0; i < e->count; i++) {
		const struct record *r = &e->records[i];

		if (lines->lengths[i] < r->body || at + lines->lengths[i] > lines->bytes.len ||
		    memcmp(lines->bytes.data + at, e->lines.data + r->line, r->body) != 0)
			return false;
		at += lines->lengths[i];
	}
	return at == lines->bytes.len;
}

static bool put_lines(struct event *e, const struct new_lines *lines)
{
	size_t at = 0;

	if (lines->bytes.len > e->lines.len && !buf_room(&e->lines, lines->bytes.len - e->lines.len)) {
		e->lines.failed = false;
		return false;
	}
	memcpy(e->lines.data, lines->bytes.data, lines->bytes.len);
	e->lines.len = lines->bytes.len;
	for (uint32_t i = 0; i < e->count; i++) {
		e->records[i].line = (uint32_t)at;
		e->records[i].line_len = lines->lengths[i];
		at += lines->lengths[i];
	}
	return true;
}

bool redact_event(struct redact *r, struct event *e, uint64_t *ret_values)
{
	bool good;

	*ret_values = 0;
	if (!is_candidate(e))
		return true;
	if (!r->ask(r->ctx, e, &r->lines, ret_values))
		return false;
	good = *ret_values == 0 || (fits(e, &r->lines) && put_lines(e, &r->lines));
	r->lines.bytes.failed = false;
	return good;
}
