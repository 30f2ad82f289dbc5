/* SPDX-License-Identifier: Apache-2.0 */
#include "labels.h"

/* Reads the program; `failed` once it ends too early. */
struct reader {
	const char *p, *end;
	bool failed;
};

static struct slice take(struct reader *r, size_t n)
{
	struct slice ret = {r->p, n};

	if (r->failed || (size_t)(r->end - r->p) < n) {
		r->failed = true;
		return (struct slice){NULL, 0};
	}
	r->p += n;
	return ret;
}

static uint64_t take_number(struct reader *r, unsigned size)
{
	struct slice bytes = take(r, size);
	uint64_t value = 0;

	while (bytes.n > 0)
		value = value << 8 | (unsigned char)bytes.p[--bytes.n];
	return value;
}

static struct slice take_text(struct reader *r)
{
	return take(r, (size_t)take_number(r, 4));
}

static struct patterns take_patterns(struct reader *r)
{
	struct patterns ret = {.count = (uint32_t)take_number(r, 4)};

	ret.at.p = r->p;
	for (uint32_t i = 0; i < ret.count && !r->failed; i++)
		take_text(r);
	ret.at.n = (size_t)(r->p - ret.at.p);
	return ret;
}

static void take_rule(struct reader *r, struct enrich_options *o, struct label_rule *rule)
{
	rule->label = (uint8_t)take_number(r, 1);
	rule->remove = take_number(r, 1) != 0;
	for (unsigned i = 0; i < LABEL_CONDITIONS; i++)
		rule->conditions[i] = take_patterns(r);
	o->wants_argv |= rule->conditions[LABEL_ARGV].count > 0;
	r->failed |= rule->label >= o->label_count;
}

/* Python: EnrichOptions.encode(); numbers are little-endian. */
bool enrich_options_read(struct enrich_options *o, struct slice program, const struct allocator *alloc)
{
	struct reader r;

	*o = (struct enrich_options){0};
	buf_init(&o->program, alloc);
	buf_put(&o->program, program.p, program.n);
	if (program.n == 0 || o->program.failed)
		return false;
	memset(o->program.data + o->program.len, 0, BUF_SLACK);
	r = (struct reader){o->program.data, o->program.data + o->program.len, false};
	{
		bool *const switches[] = {&o->decode, &o->process, &o->parent, &o->script, &o->guid, &o->container, &o->unit,
					  &o->groups, &o->environment, &o->hash, &o->proc, &o->labels};

		for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
			*switches[i] = take_number(&r, 1) != 0;
	}
	o->ancestors = (uint32_t)take_number(&r, 4);
	o->limit = (uint32_t)take_number(&r, 4);
	o->key_count = (uint32_t)take_number(&r, 4);
	o->label_count = (uint32_t)take_number(&r, 4);
	if (o->ancestors > MAX_ANCESTORS || o->label_count > MAX_LABELS || o->key_count > o->label_count)
		r.failed = true;
	for (uint32_t i = 0; i < o->label_count && !r.failed; i++)
		o->label_names[i] = take_text(&r);
	take_number(&r, 4); /* five texts */
	o->boot = take_text(&r);
	for (unsigned i = 0; i < 4; i++)
		o->machine[i] = take_text(&r);
	o->inherited = take_number(&r, 8);
	o->rule_count = (uint32_t)take_number(&r, 4);
	if (!r.failed && o->rule_count > 0 && o->rule_count <= o->program.len) {
		o->rules = alloc->resize(alloc->ctx, NULL, o->rule_count * sizeof(*o->rules));
		r.failed = o->rules == NULL;
	}
	for (uint32_t i = 0; i < o->rule_count && !r.failed; i++)
		take_rule(&r, o, &o->rules[i]);
	if (!r.failed && r.p == r.end)
		return true;
	enrich_options_free(o, alloc);
	return false;
}

void enrich_options_free(struct enrich_options *o, const struct allocator *alloc)
{
	if (o->rules != NULL)
		alloc->resize(alloc->ctx, o->rules, 0);
	o->rules = NULL;
	buf_free(&o->program);
}

/* `*` is any bytes, `?` one byte. */
bool glob_fits(struct slice pattern, struct slice value)
{
	size_t at = 0, place = 0, star = SIZE_MAX, mark = 0;

	while (place < value.n) {
		if (at < pattern.n && pattern.p[at] == '*') {
			star = at++;
			mark = place;
		} else if (at < pattern.n && (pattern.p[at] == '?' || pattern.p[at] == value.p[place])) {
			at++;
			place++;
		} else if (star != SIZE_MAX) {
			at = star + 1;
			place = ++mark;
		} else {
			return false;
		}
	}
	while (at < pattern.n && pattern.p[at] == '*')
		at++;
	return at == pattern.n;
}

static bool any_fits(const struct patterns *patterns, struct slice value)
{
	struct reader r = {patterns->at.p, patterns->at.p + patterns->at.n, false};

	for (uint32_t i = 0; i < patterns->count; i++)
		if (glob_fits(take_text(&r), value))
			return true;
	return false;
}

static bool holds(const struct label_rule *rule, const struct label_subjects *s)
{
	for (unsigned i = 0; i < LABEL_CONDITIONS; i++) {
		bool found = false;

		if (rule->conditions[i].count == 0)
			continue;
		if (i == LABEL_KEY)
			for (size_t k = 0; k < s->key_count && !found; k++)
				found = any_fits(&rule->conditions[i], s->keys[k]);
		else
			found = s->known[i] && any_fits(&rule->conditions[i], s->values[i]);
		if (!found)
			return false;
	}
	return true;
}

static uint64_t give(const struct enrich_options *o, uint64_t labels, unsigned label)
{
	uint64_t bit = (uint64_t)1 << label;

	return (labels & bit) != 0 || (uint32_t)__builtin_popcountll(labels) < o->limit ? labels | bit : labels;
}

uint64_t labels_of_keys(const struct enrich_options *o, uint64_t labels, const struct slice *keys, size_t count)
{
	for (size_t k = 0; k < count; k++)
		for (uint32_t i = 0; i < o->key_count; i++)
			if (slice_is(keys[k], o->label_names[i].p, o->label_names[i].n))
				labels = give(o, labels, i);
	return labels;
}

uint64_t labels_of_rules(const struct enrich_options *o, uint64_t labels, const struct label_subjects *s, bool only_keys)
{
	for (uint32_t i = 0; i < o->rule_count; i++) {
		const struct label_rule *rule = &o->rules[i];

		if ((only_keys && rule->conditions[LABEL_KEY].count == 0) || !holds(rule, s))
			continue;
		labels = rule->remove ? labels & ~((uint64_t)1 << rule->label) : give(o, labels, rule->label);
	}
	return labels;
}
