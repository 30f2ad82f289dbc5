/* SPDX-License-Identifier: Apache-2.0 */
#include "records_fields.h"

#include "decode.h"
#include "records_value.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

static inline bool at_end(const char *p, const char *end)
{
	return p >= end || *p == ' ';
}

static inline size_t within(size_t n, const char *p, const char *end)
{
	return n < (size_t)(end - p) ? n : (size_t)(end - p);
}

static inline const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

/* The word p begins with the entry's name and `=`. */
static inline bool is_name(const char *p, const char *end, const struct field_entry *entry)
{
	if (end - p <= entry->len || p[entry->len] != '=')
		return false;
#if defined(AUDITPACK_VECTOR)
	if (entry->len < 16)
		return v16_begins(v16_mask(v16_equal(v16_load(p), v16_load(entry->json + 1))), entry->len);
#endif
	return memcmp(p, entry->json + 1, entry->len) == 0;
}

/* The entry of the name at the word p, noted as guess; NULL when it is no known name. *ret_joins: the word has no `=`. */
static const struct field_entry *learn_name(const char *p, const char *end, uint16_t *guess, bool *ret_joins)
{
	const char *stop = text_find2(p, end, '=', ' ');
	const struct field_entry *entry;

	*ret_joins = stop >= end || *stop == ' ';
	if (*ret_joins)
		return NULL;
	entry = field_find((struct slice){p, (size_t)(stop - p)});
	if (entry != NULL)
		*guess = entry->index;
	return entry;
}

/* Where a value's JSON and its token end. */
struct done {
	char *out; /* NULL: not the short way */
	const char *stop;
	bool closed; /* by its quote: no words without `=` belong to it */
};

/* "…" without anything to escape. */
static inline struct done put_quoted(char *out, const char *p, const char *end)
{
	size_t n = text_copy_plain(out + 1, p + 1, (size_t)(end - p - 1));

	if (n + 1 >= (size_t)(end - p) || p[n + 1] != '"' || !at_end(p + n + 2, end))
		return (struct done){NULL, p, false};
	out[0] = out[n + 1] = '"';
	return (struct done){out + n + 2, p + n + 2, true};
}

/* Writes the value at p, which records_fields() made room for, when it looks like most of its kind. */
static ALWAYS_INLINE struct done put_common(char *out, enum kind kind, const char *p, const char *end)
{
	const struct done no = {NULL, p, false};
	const char *zero = p;
	size_t n;

	switch (kind) {
	case KIND_DECIMAL:
		n = within(text_copy_digits(out, p), p, end);
		if (n == 0 || n == 16 || (*p == '0' && n > 1) || !at_end(p + n, end))
			return no;
		return (struct done){out + n, p + n, false};
	case KIND_HEX:
		memcpy(out, "\"0x", 3);
		n = within(text_copy_hex(out + 3, p), p, end);
		if (n == 0 || (*p == '0' && n > 1) || !at_end(p + n, end))
			return no;
		out[n + 3] = '"';
		return (struct done){out + n + 4, p + n, false};
	case KIND_OCTAL:
		n = within(text_copy_digits(out, p), p, end);
		while (n > 1 && *zero == '0') {
			zero++;
			n--;
		}
		memcpy(out, "\"0o", 3);
		for (size_t i = 0; i < n; i++) {
			if (zero[i] > '7')
				return no;
			out[i + 3] = zero[i];
		}
		if (n == 0 || n == 16 || !at_end(zero + n, end))
			return no;
		out[n + 3] = '"';
		return (struct done){out + n + 4, zero + n, false};
	case KIND_ENCODED:
		if (p < end && *p == '"')
			return put_quoted(out, p, end);
		if (end - p < 6 || memcmp(p, "(null)", 6) != 0 || !at_end(p + 6, end))
			return no;
		memcpy(out, "null", 4);
		return (struct done){out + 4, p + 6, false};
	case KIND_PLAIN:
		if (p < end && *p == '"')
			return put_quoted(out, p, end);
		n = text_copy_word(out + 1, p, (size_t)(end - p));
		if (!at_end(p + n, end) || (n == 6 && *p == '('))
			return no;
		if (n == 1 && *p == '?') {
			memcpy(out, "null", 4);
			return (struct done){out + 4, p + 1, false};
		}
		out[0] = out[n + 1] = '"';
		return (struct done){out + n + 2, p + n, false};
	case KIND_BRACES:
		break;
	}
	return no;
}

/* Any value, by records_value(). */
static struct done put_any(struct buf *to, char *out, enum kind kind, const char *p, const char *end, struct buf *scratch)
{
	struct done done = {NULL, p, false};

	if (p < end && *p == '"') {
		const char *close = text_find2(p + 1, end, '"', '"');

		if (close >= end || !at_end(close + 1, end))
			return done;
		done.stop = close + 1;
		done.closed = true;
	} else {
		done.stop = text_find2(p, end, ' ', ' ');
	}
	to->len = (size_t)(out - to->data);
	records_value(to, kind, (struct slice){p, (size_t)(done.stop - p)}, scratch);
	if (!to->failed)
		done.out = to->data + to->len;
	return done;
}

static void note_field(struct syscall_notes *notes, const struct field_entry *entry, const char *value, const char *stop)
{
	if (entry->index == F_ARCH)
		notes->arch = (struct slice){value, (size_t)(stop - value)};
	else if (entry->index == F_SYSCALL)
		notes->syscall = (struct slice){value, (size_t)(stop - value)};
}

static ALWAYS_INLINE const char *put_run(struct writer *w, uint16_t *guess, struct slice run, enum run_kind what,
					 struct syscall_notes *notes, struct buf *scratch)
{
	const char *end = run.p + run.n, *p = skip_blanks(run.p, end);
	uint16_t *last = guess + SHAPE_FIELDS - 1;
	const struct field_entry *entry, *next;
	struct buf *to = w->to;
	bool joins = false;
	char *out;

	/* A field of n bytes, of which two at least are its blank and `=`, takes at most 3 n + 8: a text's bytes may become three. */
	if (p >= end || !buf_room(to, 7 * run.n + 64)) /* run.n is bounded by MAX_LINE */
		return p;
	out = to->data + to->len;
	entry = &field_entries[*guess];
	if (!is_name(p, end, entry))
		entry = learn_name(p, end, guess, &joins);
	while (entry != NULL) {
		const char *value = p + entry->len + 1, *word;
		bool argument = notes != NULL && is_argument((struct slice){p, entry->len});
		uint64_t *seen = &w->seen[entry->index / 64], bit = (uint64_t)1 << entry->index % 64;
		enum kind kind = what == RUN_TAIL ? KIND_PLAIN : (enum kind)entry->kind;
		size_t start = (size_t)(out - to->data);
		struct done done;

		if (argument) {
			if (notes->count >= 4 || *value == '"')
				break;
			done = (struct done){out, text_find2(value, end, ' ', ' '), false};
		} else {
			if ((*seen & bit) != 0 || (what == RUN_TAIL && *value == '{')) /* {: SADDR */
				break;
			*out = ',';
			out += w->comma;
			memcpy(out, entry->json, sizeof(entry->json));
			out += entry->len + 3u;
			done = put_common(out, kind, value, end);
			if (__builtin_expect(done.out == NULL, 0)) {
				done = put_any(to, out, kind, value, end, scratch);
				out = to->data + start;
				if (done.out == NULL)
					break;
			}
		}
		word = skip_blanks(done.stop, end);
		guess += guess < last;
		next = NULL;
		if (word < end) {
			next = &field_entries[*guess];
			joins = false;
			if (!is_name(word, end, next))
				next = learn_name(word, end, guess, &joins);
			if (__builtin_expect(joins && !done.closed, 0)) {
				out = to->data + start;
				break;
			}
		}
		out = done.out;
		if (argument) {
			notes->arguments[notes->count++] = (struct slice){value, (size_t)(done.stop - value)};
		} else {
			*seen |= bit;
			w->comma = true;
			if (notes != NULL)
				note_field(notes, entry, value, done.stop);
		}
		p = word;
		entry = next;
	}
	if (!to->failed)
		to->len = (size_t)(out - to->data);
	return p;
}

const char *records_fields(struct writer *w, struct shape *shape, struct slice run, enum run_kind what, struct syscall_notes *notes,
			   struct buf *scratch)
{
	if (notes != NULL)
		return put_run(w, shape->fields, run, RUN_FIELDS, notes, scratch);
	return put_run(w, shape->fields, run, what, NULL, scratch);
}
