/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

/* An output buffer that grew beyond this for one batch is given back. */
#define OUT_KEEP ((size_t)8 << 20)

static void stream_init(struct pipeline *p, size_t place, const struct stream_options *wanted, const struct pipeline_options *options,
			const struct allocator *alloc)
{
	struct stream *stream = &p->streams[place];
	struct pipeline_options mine = *options;

	mine.format = wanted->format;
	mine.translate = wanted->translate;
	mine.original = wanted->original;
	buf_init(&stream->out, alloc);
	emitter_init(&stream->emitter, &mine, &p->names, &stream->out, alloc);
	stream->emitter.enrich = p->enrich;
	stream->ecs = wanted->format == FORMAT_ECS;
	for (stream->like = 0; stream->like < place; stream->like++) {
		const struct stream *other = &p->streams[stream->like];

		if (other->ecs == stream->ecs && other->emitter.translate == wanted->translate && other->emitter.original == wanted->original)
			break;
	}
	if (wanted->receives_all)
		p->all |= 1u << place;
}

static void enrich_drop(struct pipeline *p)
{
	const struct allocator *alloc;

	if (p->enrich == NULL)
		return;
	alloc = p->enrich->alloc;
	enrich_free(p->enrich);
	alloc->resize(alloc->ctx, p->enrich, 0);
	p->enrich = NULL;
}

/* False: no memory, or a program that is none. */
static bool enrich_make(struct pipeline *p, const struct pipeline_options *options, const struct allocator *alloc)
{
	if (options->enrich_program.n == 0)
		return true;
	p->enrich = alloc->resize(alloc->ctx, NULL, sizeof(*p->enrich));
	if (p->enrich == NULL)
		return false;
	if (enrich_init(p->enrich, options->enrich_program, options->hostname, options->enrich_ask, options->callback_ctx, alloc))
		return true;
	alloc->resize(alloc->ctx, p->enrich, 0);
	p->enrich = NULL;
	return false;
}

static void filter_drop(struct pipeline *p)
{
	const struct allocator *alloc;

	if (p->filter == NULL)
		return;
	alloc = p->filter->alloc;
	filter_free(p->filter);
	alloc->resize(alloc->ctx, p->filter, 0);
	p->filter = NULL;
}

/* False: no memory, or rules that are none. */
static bool filter_make(struct pipeline *p, const struct pipeline_options *options, const struct allocator *alloc)
{
	if (options->program.n == 0)
		return true;
	p->filter = alloc->resize(alloc->ctx, NULL, sizeof(*p->filter));
	if (p->filter == NULL)
		return false;
	if (filter_init(p->filter, options->program, (uint32_t)p->stream_count, options->match_raw, options->callback_ctx, alloc))
		return true;
	filter_drop(p);
	return false;
}

bool pipeline_init(struct pipeline *p, const struct pipeline_options *options, const struct allocator *alloc)
{
	const struct stream_options one = {options->format, options->translate, options->original, true};

	memset(p, 0, offsetof(struct pipeline, streams)); /* of those, stream_init() makes the ones that there are */
	p->event_clock = options->event_clock;
	p->stream_count = options->streams != NULL ? options->stream_count : 1;
	buf_init(&p->rest, alloc);
	buf_init(&p->malformed, alloc);
	p->counters.last_serial = options->last_serial;
	names_init(&p->names, options->resolve, options->resolve_ctx, alloc);
	redact_init(&p->redact, options->redact, options->callback_ctx, alloc);
	if (!enrich_make(p, options, alloc))
		return false;
	if (!filter_make(p, options, alloc) || !coalesce_init(&p->coalesce, options->timeout, options->last_serial, alloc)) {
		filter_drop(p);
		enrich_drop(p);
		return false;
	}
	for (size_t i = 0; i < p->stream_count; i++)
		stream_init(p, i, options->streams != NULL ? &options->streams[i] : &one, options, alloc);
	return true;
}

void pipeline_free(struct pipeline *p)
{
	for (size_t i = 0; i < p->stream_count; i++) {
		emitter_free(&p->streams[i].emitter);
		buf_free(&p->streams[i].out);
	}
	filter_drop(p);
	enrich_drop(p);
	redact_free(&p->redact);
	coalesce_free(&p->coalesce);
	names_free(&p->names);
	buf_free(&p->rest);
	buf_free(&p->malformed);
}

/* What goes out: an event, or a line that is none. */
struct item {
	struct event *event;
	struct slice raw;
	const char *reason;
};

static bool emit_item(struct stream *stream, const struct item *item)
{
	struct emitter *m = &stream->emitter;

	if (item->event != NULL)
		return stream->ecs ? emit_ecs_event(m, item->event) : emit_records_event(m, item->event);
	return stream->ecs ? emit_ecs_malformed(m, item->raw, item->reason) : emit_records_malformed(m, item->raw, item->reason);
}

/* One line for each stream whose bit is in `to`. An item counts as lost when any of them could not take it. */
static void emit_to(struct pipeline *p, uint32_t to, const struct item *item)
{
	struct slice made[MAX_STREAMS] = {{NULL, 0}}; /* by stream kind; none of the buffers grows between writing and copying */
	bool whole = true;

	for (size_t i = 0; i < p->stream_count; i++) {
		struct stream *stream = &p->streams[i];
		size_t start = stream->out.len;

		if ((to >> i & 1) == 0)
			continue;
		if (made[stream->like].p != NULL) {
			buf_put(&stream->out, made[stream->like].p, made[stream->like].n);
			whole = whole && !stream->out.failed;
			stream->out.failed = false;
			continue;
		}
		stream->emitter.now = p->now;
		if (emit_item(stream, item))
			made[stream->like] = (struct slice){stream->out.data + start, stream->out.len - start};
		else
			whole = false;
	}
	if (whole)
		p->counters.events_out++;
	else
		p->counters.lost++;
}

/* What rules may ask of the event's process. */
static void tell_process(struct filter_facts *x, const struct enricher *n)
{
	const struct process *process = n->current.process;

	if (process == NULL)
		return;
	x->unit = process_cgroup(process, CGROUP_UNIT);
	x->container = process_cgroup(process, CGROUP_CONTAINER);
	for (uint32_t i = 0; i < n->options.label_count; i++)
		if ((process->labels >> i & 1) != 0)
			x->labels[x->label_count++] = n->options.label_names[i];
}

/* The streams that get the event, and what rules and redaction add to it. */
static uint32_t judge_event(struct pipeline *p, struct event *e, struct marks *ret_marks)
{
	uint32_t to = p->all;

	if (p->filter != NULL) {
		facts_begin(&p->filter->facts, e);
		if (p->enrich != NULL)
			tell_process(&p->filter->facts, p->enrich);
		to = filter_event(p->filter, e, to, p->now);
		ret_marks->labels = p->filter->facts.given;
		ret_marks->label_count = p->filter->facts.given_count;
		if (to == 0) {
			p->counters.events_filtered++;
			p->counters.records_filtered += e->count;
			return 0;
		}
	}
	if (p->redact.ask != NULL) {
		if (!redact_event(&p->redact, e, &ret_marks->redacted)) {
			p->counters.lost++;
			return 0;
		}
		p->counters.redacted += ret_marks->redacted;
	}
	return to;
}

static void emit_event(void *ctx, struct event *e)
{
	struct pipeline *p = ctx;
	struct marks marks = {0};
	uint32_t to = p->all;

	if (p->enrich != NULL)
		enrich_event(p->enrich, e);
	if (p->filter != NULL || p->redact.ask != NULL) {
		to = judge_event(p, e, &marks);
		if (to == 0)
			return;
		for (size_t i = 0; i < p->stream_count; i++)
			p->streams[i].emitter.marks = marks.label_count > 0 || marks.redacted > 0 ? &marks : NULL;
	}
	p->counters.records_out += e->count;
	for (uint32_t i = 0; i < e->count; i++)
		p->types_out[type_place(e->records[i].number)]++;
	emit_to(p, to, &(struct item){.event = e});
	p->counters.incomplete += !e->complete;
	for (size_t i = 0; i < p->stream_count; i++)
		p->streams[i].emitter.marks = NULL;
}

static void emit_malformed(struct pipeline *p, struct slice raw, const char *reason)
{
	struct buf *copy = &p->malformed; /* the caller's bytes have no BUF_SLACK */

	p->counters.malformed++;
	copy->len = 0;
	buf_put(copy, raw.p, raw.n);
	if (copy->failed) {
		copy->failed = false;
		p->counters.lost++;
		return;
	}
	emit_to(p, p->all, &(struct item){.raw = {copy->data, copy->len}, .reason = reason});
}

static bool is_empty(const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

static void expire(struct pipeline *p, bool everything)
{
	coalesce_expire(&p->coalesce, p->now, everything, emit_event, p);
	if (p->filter != NULL)
		filter_expire(p->filter, p->now, everything);
}

static void count_record(struct pipeline *p, const struct head *head)
{
	uint16_t number = head->number;
	size_t place = type_place(number);

	p->types_in[place]++;
	if (number == AUDIT_EOE) { /* it says that the event ended and nothing else */
		p->counters.records_out++;
		p->types_out[place]++;
	} else if ((head->serial > p->counters.last_serial || p->counters.last_serial - head->serial >= MAX_ENDED) &&
		   !(head->type.n >= 7 && memcmp(head->type.p, "DAEMON_", 7) == 0)) {
		p->counters.last_serial = head->serial;
	}
}

static void take_line(struct pipeline *p, const char *line, size_t n)
{
	struct head head;

	if (n > MAX_LINE) {
		emit_malformed(p, (struct slice){line, MAX_LINE}, "too-long");
		return;
	}
	if (!scan_head(line, n, &p->head_memo, &head)) {
		if (!is_empty(line, n))
			emit_malformed(p, (struct slice){line, n}, "no-header");
		return;
	}
	p->counters.records_in++;
	if (p->event_clock) {
		double stamp = (double)head.sec + head.ms / 1000.0;

		if (stamp > p->now)
			p->now = stamp;
	}
	count_record(p, &head);
	coalesce_add(&p->coalesce, line, n, &head, p->now, emit_event, p);
	if (p->event_clock)
		expire(p, false);
}

/* Keeps the start of a line for the next call; a line that grew too long goes out at once and its end is skipped. */
static void keep_rest(struct pipeline *p, const char *data, size_t n)
{
	size_t room = MAX_LINE + 1 - p->rest.len;

	if (p->skipping)
		return;
	buf_put(&p->rest, data, n < room ? n : room);
	if (p->rest.failed) { /* what cannot be kept is lost; its end must not pass for a line */
		p->rest.failed = false;
		p->counters.lost++;
	} else if (p->rest.len <= MAX_LINE) {
		return;
	} else {
		take_line(p, p->rest.data, p->rest.len);
	}
	p->rest.len = 0;
	p->skipping = true;
}

static void begin_batch(struct pipeline *p, double now)
{
	for (size_t i = 0; i < p->stream_count; i++) {
		if (p->streams[i].out.cap > OUT_KEEP)
			buf_free(&p->streams[i].out);
		p->streams[i].out.len = 0;
	}
	if (!p->event_clock)
		p->now = now;
}

void pipeline_feed(struct pipeline *p, const char *data, size_t n, double now)
{
	const char *end = data + n, *newline;

	begin_batch(p, now);
	p->counters.bytes_in += n;
	while (data < end && (newline = memchr(data, '\n', (size_t)(end - data))) != NULL) {
		if (p->rest.len > 0)
			keep_rest(p, data, (size_t)(newline - data));
		if (p->skipping)
			p->skipping = false;
		else if (p->rest.len > 0)
			take_line(p, p->rest.data, p->rest.len);
		else
			take_line(p, data, (size_t)(newline - data));
		p->rest.len = 0;
		data = newline + 1;
	}
	if (data < end)
		keep_rest(p, data, (size_t)(end - data));
	expire(p, false);
}

void pipeline_flush(struct pipeline *p, double now, bool all)
{
	begin_batch(p, now);
	if (all) {
		if (p->rest.len > 0 && !p->skipping)
			take_line(p, p->rest.data, p->rest.len);
		p->rest.len = 0;
		p->skipping = false;
	}
	expire(p, all);
}
