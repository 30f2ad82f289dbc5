/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_execve.h"

#include <stdlib.h>

#include "decode.h"
#include "tables.h"

#define MAX_ARGUMENTS ((size_t)1 << 20)
#define SPARE_ARGUMENTS 4096u
#define PLACE_LENGTH INT64_MAX /* aN_len: sorted behind the chunks of its argument */

void execve_init(struct execve *x, const struct allocator *alloc)
{
	*x = (struct execve){.alloc = alloc};
	buf_init(&x->bytes, alloc);
	buf_init(&x->joined, alloc);
}

void execve_free(struct execve *x)
{
	buf_free(&x->bytes);
	buf_free(&x->joined);
	if (x->pieces != NULL)
		x->alloc->resize(x->alloc->ctx, x->pieces, 0);
	if (x->rest != NULL)
		x->alloc->resize(x->alloc->ctx, x->rest, 0);
	execve_init(x, x->alloc);
}

/* Room for one more element. */
static bool more(struct execve *x, void **items, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity == 0 ? 64 : *capacity * 2, bytes;
	void *grown;

	if (count < *capacity)
		return true;
	if (__builtin_mul_overflow(wanted, size, &bytes))
		return false;
	grown = x->alloc->resize(x->alloc->ctx, *items, bytes);
	if (grown == NULL)
		return false;
	*items = grown;
	*capacity = wanted;
	return true;
}

static void add_rest(struct execve *x, const struct field *f, uint64_t order, int64_t place)
{
	if (!more(x, (void **)&x->rest, x->rest_count, &x->rest_capacity, sizeof(*x->rest))) {
		x->failed = true;
		return;
	}
	x->rest[x->rest_count++] = (struct spare_field){order, place, *f};
}

/* 0 or [1-9][0-9]{0,9} at *p. */
static bool take_index(const char **p, const char *end, int64_t *ret)
{
	const char *start = *p, *q = start;
	int64_t value = 0;

	while (q < end && is_digit(*q) && q - start < 10)
		value = value * 10 + (*q++ - '0');
	if (q == start || (*start == '0' && q - start > 1))
		return false;
	*p = q;
	*ret = value;
	return true;
}

enum argument { ARGUMENT_NONE, ARGUMENT_PIECE, ARGUMENT_LENGTH };

/* aN, aN[place] or aN_len */
static enum argument parse_name(struct slice name, int64_t *index, int64_t *place)
{
	const char *p = name.p + 1, *end = name.p + name.n;

	if (name.n < 2 || name.p[0] != 'a' || !take_index(&p, end, index))
		return ARGUMENT_NONE;
	*place = -1;
	if (p == end)
		return ARGUMENT_PIECE;
	if (*p == '[') {
		p++;
		return take_index(&p, end, place) && end - p == 1 && *p == ']' ? ARGUMENT_PIECE : ARGUMENT_NONE;
	}
	return end - p == 4 && memcmp(p, "_len", 4) == 0 ? ARGUMENT_LENGTH : ARGUMENT_NONE;
}

static int compare_pieces(const void *left, const void *right)
{
	const struct piece *a = left, *b = right;

	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int compare_rest(const void *left, const void *right)
{
	const struct spare_field *a = left, *b = right;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

/* True when chunks [first, last) of one argument are 0, 1, 2, … and as long as aN_len, if there is one, says (in bytes or digits). */
static bool chunks_whole(const struct execve *x, size_t first, size_t last, const struct piece *length)
{
	int64_t bytes = 0, expected;

	for (size_t i = first; i < last; i++) {
		if (x->pieces[i].place != (int64_t)(i - first))
			return false;
		bytes += (int64_t)x->pieces[i].bytes.n;
	}
	if (length == NULL || !token_is_decimal(length->field.token))
		return true;
	expected = token_number(length->field.token);
	return expected == bytes || expected == 2 * bytes;
}

/* An argument's chunk that is there whole too becomes a field. */
static void add_spare_chunk(struct execve *x, struct piece piece, uint64_t first_chunk)
{
	size_t at = x->bytes.len;

	buf_putc(&x->bytes, '"');
	buf_put(&x->bytes, piece.bytes.p, piece.bytes.n);
	buf_putc(&x->bytes, '"');
	piece.field.token = (struct slice){x->bytes.data + at, x->bytes.len - at};
	add_rest(x, &piece.field, ((uint64_t)1 << 32) + first_chunk, piece.place);
}

/* Of a place that came twice the first stays; of an argument that came whole and in chunks the chunks become fields. */
static void settle(struct execve *x)
{
	size_t kept = 0, was = x->rest_count, arguments = 0;

	for (size_t i = 0, end; i < x->piece_count; i = end) {
		bool whole = x->pieces[i].place < 0;
		const struct piece *length = NULL;
		uint64_t first_chunk = UINT64_MAX;
		size_t start = kept;

		for (end = i; end < x->piece_count && x->pieces[end].index == x->pieces[i].index; end++)
			if (x->pieces[end].place >= 0 && x->pieces[end].order < first_chunk)
				first_chunk = x->pieces[end].order;
		for (size_t k = i; k < end; k++) {
			struct piece piece = x->pieces[k];

			if (piece.place == PLACE_LENGTH)
				length = &x->pieces[k]; /* the last one counts */
			else if (k > i && piece.place == x->pieces[k - 1].place)
				add_rest(x, &piece.field, piece.order, 0);
			else if (whole && piece.place >= 0)
				add_spare_chunk(x, piece, first_chunk);
			else
				x->pieces[kept++] = piece; /* kept <= k: pieces[k - 1] of the next round is untouched */
		}
		if (kept > start) {
			arguments++;
			x->whole = x->whole && (whole || chunks_whole(x, start, kept, length));
		}
	}
	x->piece_count = kept;
	x->arguments = arguments;
	if (x->rest_count > was)
		qsort(x->rest, x->rest_count, sizeof(*x->rest), compare_rest);
}

static void add_piece(struct execve *x, const struct field *f, int64_t index, int64_t place, uint32_t order)
{
	struct slice bytes = {"", 0};

	if (!more(x, (void **)&x->pieces, x->piece_count, &x->piece_capacity, sizeof(*x->pieces))) {
		x->failed = true;
		return;
	}
	if (place == PLACE_LENGTH || !token_encoded(f->token, &x->bytes, &bytes))
		bytes.n = 0;
	x->pieces[x->piece_count++] = (struct piece){(uint32_t)index, place, order, bytes, *f};
}

static void read_record(struct execve *x, const struct event *e, const struct record *r, size_t limit, uint32_t *order, int64_t *argc)
{
	struct parts parts = scan_parts(record_body(e, r), &x->bytes);
	struct walk w = walk_run(parts.fields);
	struct field f;

	while (walk_next(&w, &f)) {
		int64_t index, place;
		enum argument what = parse_name(f.name, &index, &place);

		if (what == ARGUMENT_PIECE && (size_t)index < limit) {
			add_piece(x, &f, index, place, (*order)++);
			continue;
		}
		if (what == ARGUMENT_LENGTH && (size_t)index < limit) {
			add_piece(x, &f, index, PLACE_LENGTH, (*order)++);
			continue;
		}
		if (SLICE_IS(f.name, "argc") && token_is_decimal(f.token) && token_number(f.token) > *argc)
			*argc = token_number(f.token);
		add_rest(x, &f, (*order)++, 0);
	}
}

bool execve_read(struct execve *x, const struct event *e)
{
	size_t raw = 0, limit, room;
	uint32_t order = 0;
	int64_t argc = 0;
	bool sorted = true;

	x->bytes.len = x->piece_count = x->rest_count = x->count = x->next = 0;
	x->failed = x->bytes.failed = x->joined.failed = false;
	for (uint32_t i = 0; i < e->count; i++)
		if (e->records[i].number == AUDIT_EXECVE)
			raw += e->records[i].line_len;
	/* decoded arguments take at most half of it, chunks kept as fields and joined fields the rest */
	if (__builtin_mul_overflow(raw, (size_t)3, &room) || !buf_room(&x->bytes, room))
		return false;
	limit = raw < MAX_ARGUMENTS - SPARE_ARGUMENTS ? raw + SPARE_ARGUMENTS : MAX_ARGUMENTS;
	for (uint32_t i = 0; i < e->count; i++)
		if (e->records[i].number == AUDIT_EXECVE)
			read_record(x, e, &e->records[i], limit, &order, &argc);
	for (size_t i = 1; i < x->piece_count && sorted; i++)
		sorted = compare_pieces(&x->pieces[i - 1], &x->pieces[i]) < 0;
	if (!sorted)
		qsort(x->pieces, x->piece_count, sizeof(*x->pieces), compare_pieces);
	x->whole = true;
	settle(x);
	x->count = (uint64_t)argc < limit ? (size_t)argc : limit;
	if (x->piece_count > 0 && x->pieces[x->piece_count - 1].index >= x->count)
		x->count = (size_t)x->pieces[x->piece_count - 1].index + 1;
	x->whole = x->whole && (uint64_t)argc == x->count && x->arguments == x->count;
	return !x->failed && !x->bytes.failed;
}

bool execve_argument(struct execve *x, size_t index, struct slice *ret)
{
	size_t first = x->next, last = first;

	while (last < x->piece_count && x->pieces[last].index == index)
		last++;
	x->next = last;
	if (last == first)
		return false;
	*ret = x->pieces[first].bytes;
	if (last == first + 1)
		return true;
	x->joined.len = 0;
	for (size_t i = first; i < last; i++)
		buf_put(&x->joined, x->pieces[i].bytes.p, x->pieces[i].bytes.n);
	*ret = (struct slice){x->joined.data, x->joined.len};
	return true;
}
