/* SPDX-License-Identifier: Apache-2.0 */
/* scan: one line of audit text -> its head (node, type, id) and its fields, as slices of the line. */
#ifndef AUDITPACK_SCAN_H
#define AUDITPACK_SCAN_H

#include "buf.h"
#include "text.h"

#define NODE_MAX 255u
#define TYPE_MAX 64u

struct head {
	struct slice node; /* n == 0: no node= */
	struct slice type;
	struct slice id; /* "sec.ms:serial" as written */
	uint64_t sec;
	uint64_t serial;
	uint32_t ms;
	uint32_t digits; /* how many the three numbers were written with: tells 01.5:7 from 1.05:7 */
	uint32_t body;   /* offset in the line of what follows "):" */
	uint16_t number; /* AUDIT_… of the type's name, 0 when the tables lack it */
};

#define ID_MAX 40u /* 15 + 3 + 19 digits and what stands between them */

/* The id of the line before: the records of an event have the same. */
struct head_memo {
	char text[ID_MAX + 2]; /* with "):" behind it */
	uint32_t len;          /* with "):"; 0: none */
	uint32_t ms, digits;
	uint64_t sec, serial;
};

/* The three runs of fields in a body. */
struct parts {
	struct slice fields;
	struct slice message; /* inside msg='…' */
	struct slice tail;    /* behind 0x1d: auditd's own additions */
	bool has_message;
};

/* name=token; the token with its quotes. name.n == 0: text without `=` at the start of a run. */
struct field {
	struct slice name;
	struct slice token;
};

/* Walks a run of fields. */
struct walk {
	const char *p;        /* a word's first byte, or end */
	const char *name_end; /* the first '=' or ' ' of that word, or end */
	const char *end;
	struct field ready[2]; /* fields to give before those at p */
	unsigned ready_count;
};

/* The line's head; false when it does not begin so. */
bool scan_head(const char *line, size_t n, struct head_memo *memo, struct head *ret);
struct parts scan_parts(struct slice body, struct buf *scratch);
struct walk walk_run(struct slice run);
struct walk walk_tail(struct slice tail, bool is_sockaddr);

/* Moves to the next word and finds its name's end. */
static inline void walk_to(struct walk *w, const char *p)
{
	while (p < w->end && *p == ' ')
		p++;
	w->p = p;
	w->name_end = p < w->end ? text_find2(p, w->end, '=', ' ') : p;
}

/* From a word on, in the middle of a run. */
static inline struct walk walk_from(const char *p, const char *end)
{
	struct walk w = {.end = end};

	walk_to(&w, p);
	return w;
}

/* The next field; false at the end. A token is "…" up to a blank, else a word and the words without `=` behind it. */
static inline bool walk_next(struct walk *w, struct field *ret)
{
	const char *end = w->end, *start = w->p, *q = w->name_end;

	if (__builtin_expect(w->ready_count > 0, 0)) {
		*ret = w->ready[0];
		w->ready[0] = w->ready[1];
		w->ready_count--;
		return true;
	}
	if (start >= end)
		return false;
	if (q < end && *q == '=') {
		ret->name = (struct slice){start, (size_t)(q - start)};
		start = q > start ? q + 1 : start; /* "=x" has no name: it is text */
		if (start < end && *start == '"') {
			const char *close = text_find2(start + 1, end, '"', '"');

			if (close < end && (close + 1 == end || close[1] == ' ')) {
				ret->token = (struct slice){start, (size_t)(close + 1 - start)};
				walk_to(w, close + 1);
				return true;
			}
		}
		q = text_find2(start, end, ' ', ' ');
	} else {
		ret->name = (struct slice){start, 0};
	}
	for (;;) {
		walk_to(w, q);
		if (w->p >= end || (w->name_end < end && *w->name_end == '='))
			break;
		q = w->name_end;
	}
	ret->token = (struct slice){start, (size_t)(q - start)};
	return true;
}

#endif
