/* SPDX-License-Identifier: Apache-2.0 */
#include "filter.h"

bool filter_init(struct filter *f, struct slice program, uint32_t streams, filter_match_raw *match_raw, void *ctx,
		 const struct allocator *alloc)
{
	*f = (struct filter){.alloc = alloc, .every = streams >= 32 ? UINT32_MAX : (1u << streams) - 1, .match_raw = match_raw, .ctx = ctx};
	buf_init(&f->program, alloc);
	buf_init(&f->repeats.names, alloc);
	facts_init(&f->facts, alloc);
	buf_put(&f->program, program.p, program.n);
	return !f->program.failed && filter_read(f);
}

static void release(struct filter *f, void *p)
{
	if (p != NULL)
		f->alloc->resize(f->alloc->ctx, p, 0);
}

void filter_free(struct filter *f)
{
	for (uint32_t i = 0; i < f->count; i++)
		groups_free(&f->rules[i].groups, f->alloc);
	release(f, f->rules);
	release(f, f->conditions);
	release(f, f->values);
	release(f, f->repeats.list);
	buf_free(&f->repeats.names);
	buf_free(&f->program);
	facts_free(&f->facts);
}

/* `*` is any bytes, `?` one byte; the whole text must match. Linear in both but for the last star's way back. */
static bool glob_matches(struct slice pattern, struct slice text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, back = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			back = t;
		} else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == text.p[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++back;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

struct hits {
	const struct filter_condition *c;
	bool positive, negative;
};

static bool try_text(void *ctx, struct slice text)
{
	struct hits *h = ctx;

	for (uint32_t i = 0; i < h->c->count; i++) {
		const struct filter_value *v = &h->c->values[i];

		if (v->negative ? h->negative : h->positive)
			continue;
		if (glob_matches(v->pattern, text))
			*(v->negative ? &h->negative : &h->positive) = true;
	}
	return !h->negative;
}

static bool in_ranges(const struct filter_condition *c, int64_t number, bool negative)
{
	for (uint32_t i = 0; i < c->count; i++)
		if (c->values[i].negative == negative && number >= c->values[i].low && number <= c->values[i].high)
			return true;
	return false;
}

/* Some value matches, if any must, and none that must not. */
static bool condition_holds(struct filter *f, const struct filter_condition *c)
{
	if (c->field < FILTER_AUID) {
		struct hits h = {c, !c->positive, false};

		facts_texts(&f->facts, c->field, try_text, &h);
		return h.positive && !h.negative;
	}
	if (c->field < FILTER_SADDR) {
		int64_t number;

		if (!facts_number(&f->facts, c->field, &number))
			return !c->positive;
		return (!c->positive || in_ranges(c, number, false)) && !in_ranges(c, number, true);
	}
	return (!c->positive || facts_in_networks(&f->facts, c, false)) && !facts_in_networks(&f->facts, c, true);
}

static bool rule_matches(struct filter *f, uint32_t at)
{
	const struct filter_rule *rule = &f->rules[at];

	for (uint32_t i = 0; i < rule->count; i++)
		if (!condition_holds(f, &rule->conditions[i]))
			return false;
	return !rule->raw || (f->match_raw != NULL && f->match_raw(f->ctx, at, f->facts.event));
}

static void give_label(struct filter_facts *x, struct slice label)
{
	for (size_t i = 0; i < x->label_count; i++)
		if (slice_is(x->labels[i], label.p, label.n))
			return;
	for (size_t i = 0; i < x->given_count; i++)
		if (slice_is(x->given[i], label.p, label.n))
			return;
	if (x->given_count < FILTER_MAX_LABELS)
		x->given[x->given_count++] = label;
}

/* Whether a drop, limit or aggregate lets the event go on. */
static bool passes(struct filter *f, uint32_t at, double now)
{
	struct filter_rule *rule = &f->rules[at];
	const struct event *e = f->facts.event;
	struct slice group;

	if (rule->action == FILTER_DROP)
		return false;
	group = facts_group(&f->facts, rule->per);
	if (rule->action == FILTER_LIMIT)
		return limit_passes(&rule->groups, group, now, rule->rate, rule->burst, f->alloc);
	return aggregate_passes(&rule->groups, group, now, rule->window, (struct stamp){e->id.sec, e->id.ms}, at, &f->repeats, f->alloc);
}

/* Whether a rule is tried only where the event goes to one of its outputs. */
static inline bool needs_receiver(enum filter_action action)
{
	return action == FILTER_MOVE || action == FILTER_LIMIT || action == FILTER_AGGREGATE;
}

uint32_t filter_event(struct filter *f, const struct event *e, uint32_t to, double now)
{
	uint32_t undecided = f->every;

	f->facts.event = e;
	for (uint32_t i = 0; i < f->count && undecided != 0; i++) {
		struct filter_rule *rule = &f->rules[i];
		uint32_t concerned = rule->outputs & undecided;

		if (needs_receiver(rule->action))
			concerned &= to;
		if (concerned == 0 || !rule_matches(f, i))
			continue;
		rule->matched++;
		switch (rule->action) {
		case FILTER_COUNT:
			break;
		case FILTER_LABEL:
			give_label(&f->facts, rule->label);
			break;
		case FILTER_COPY:
			to |= rule->to & undecided;
			undecided &= ~rule->to;
			break;
		case FILTER_KEEP:
			undecided &= ~concerned;
			break;
		case FILTER_MOVE:
			rule->held++;
			to = (to & ~concerned) | (rule->to & undecided);
			undecided &= ~(concerned | rule->to);
			break;
		case FILTER_DROP:
		case FILTER_LIMIT:
		case FILTER_AGGREGATE:
			if (passes(f, i, now))
				break;
			rule->held += (to & concerned) != 0;
			to &= ~concerned;
			undecided &= ~concerned;
			break;
		}
	}
	return to;
}

void filter_expire(struct filter *f, double now, bool everything)
{
	for (uint32_t i = 0; i < f->count; i++)
		if (f->rules[i].action == FILTER_AGGREGATE)
			aggregate_expire(&f->rules[i].groups, now, everything, f->rules[i].window, i, &f->repeats, f->alloc);
}
