/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of filter_rules.encode() -> rules. Little-endian; counts before lists. */
#include "filter.h"

struct reader {
	const char *p, *end;
	bool bad;
};

static uint64_t take_number(struct reader *r, size_t bytes)
{
	uint64_t number = 0;

	if ((size_t)(r->end - r->p) < bytes) {
		r->bad = true;
		r->p = r->end;
		return 0;
	}
	for (size_t i = bytes; i-- > 0;)
		number = number << 8 | (unsigned char)r->p[i];
	r->p += bytes;
	return number;
}

static double take_double(struct reader *r)
{
	uint64_t bits = take_number(r, 8);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static struct slice take_slice(struct reader *r)
{
	size_t n = (size_t)take_number(r, 2);
	struct slice ret = {r->p, n};

	if ((size_t)(r->end - r->p) < n) {
		r->bad = true;
		ret.n = 0;
		return ret;
	}
	r->p += n;
	return ret;
}

static struct filter_value take_value(struct reader *r, enum filter_field field)
{
	struct filter_value ret = {.negative = take_number(r, 1) != 0};

	if (field < FILTER_AUID) {
		ret.pattern = take_slice(r);
	} else if (field < FILTER_SADDR) {
		ret.low = (int64_t)take_number(r, 8);
		ret.high = (int64_t)take_number(r, 8);
	} else {
		ret.family = (uint8_t)take_number(r, 1);
		ret.bits = (uint8_t)take_number(r, 1);
		for (size_t i = 0; i < sizeof(ret.address); i++)
			ret.address[i] = (unsigned char)take_number(r, 1);
		ret.low_port = (uint16_t)take_number(r, 2);
		ret.high_port = (uint16_t)take_number(r, 2);
		if ((ret.family != 0 && ret.family != 4 && ret.family != 6) || ret.bits > (ret.family == 4 ? 32 : 128))
			r->bad = true;
	}
	return ret;
}

/* Goes through the program once. Without arrays it only counts what they must hold. */
static bool walk(struct filter *f, size_t *conditions, size_t *values)
{
	struct reader r = {f->program.data, f->program.data + f->program.len, false};
	uint64_t count = take_number(&r, 4);

	*conditions = *values = 0;
	if (count > FILTER_MAX_RULES)
		return false;
	for (uint32_t i = 0; i < count && !r.bad; i++) {
		struct filter_rule rule = {.action = (enum filter_action)take_number(&r, 1), .raw = take_number(&r, 1) != 0};

		rule.per = (uint16_t)take_number(&r, 2);
		rule.outputs = (uint32_t)take_number(&r, 4);
		rule.to = (uint32_t)take_number(&r, 4);
		rule.rate = take_double(&r);
		rule.burst = take_double(&r);
		rule.window = take_double(&r);
		rule.label = take_slice(&r);
		rule.count = (uint32_t)take_number(&r, 1);
		if (rule.action >= FILTER_ACTIONS || rule.per >= 1u << FILTER_GROUPINGS)
			return false;
		if (f->conditions != NULL)
			rule.conditions = &f->conditions[*conditions];
		for (uint32_t k = 0; k < rule.count && !r.bad; k++) {
			struct filter_condition c = {.field = (enum filter_field)take_number(&r, 1), .count = (uint32_t)take_number(&r, 4)};

			if (c.field >= FILTER_FIELDS)
				return false;
			if (f->values != NULL)
				c.values = &f->values[*values];
			for (uint32_t v = 0; v < c.count && !r.bad; v++, ++*values) {
				struct filter_value value = take_value(&r, c.field);

				c.positive = c.positive || !value.negative;
				if (f->values != NULL)
					f->values[*values] = value;
			}
			if (f->conditions != NULL)
				f->conditions[*conditions] = c;
			++*conditions;
		}
		if (f->rules != NULL)
			f->rules[i] = rule;
		f->count = i + 1;
	}
	return !r.bad && r.p == r.end;
}

static void *take_zeroed(struct filter *f, size_t count, size_t size)
{
	void *p = f->alloc->resize(f->alloc->ctx, NULL, (count + 1) * size); /* counts are below the program's bytes */

	if (p != NULL)
		memset(p, 0, (count + 1) * size);
	return p;
}

bool filter_read(struct filter *f)
{
	size_t conditions, values;
	bool good = walk(f, &conditions, &values);
	uint32_t count = f->count;

	f->count = 0;
	if (!good)
		return false;
	f->rules = take_zeroed(f, count, sizeof(*f->rules));
	f->conditions = take_zeroed(f, conditions, sizeof(*f->conditions));
	f->values = take_zeroed(f, values, sizeof(*f->values));
	return f->rules != NULL && f->conditions != NULL && f->values != NULL && walk(f, &conditions, &values);
}
