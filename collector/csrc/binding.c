/* SPDX-License-Identifier: Apache-2.0 */
/* auditpack_collector._native: the pipeline as a Python type. The only file that knows Python.h. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "binding_options.h"
#include "binding_restore.h"

struct native {
	PyObject_HEAD
	struct pipeline *pipeline;
	PyObject *names;     /* users.Names */
	PyObject *callbacks; /* callbacks.Callbacks, or NULL */
	PyObject *source;    /* enrich_source.Source, or NULL */
};

static const struct allocator system_allocator = {allocator_system, NULL};

/* Asks users.Names; a name that fails counts as unknown to the C, and the exception goes out as unraisable. */
static size_t resolve_name(void *ctx, bool group, int64_t id, double now, char *to)
{
	const struct native *self = ctx;
	PyObject *name = PyObject_CallMethod(self->names, group ? "group" : "user", "Ld", (long long)id, now), *bytes = NULL;
	char *text;
	Py_ssize_t n;
	size_t len = 0;

	if (name != NULL)
		bytes = PyUnicode_AsEncodedString(name, "utf-8", "replace");
	if (bytes != NULL && PyBytes_AsStringAndSize(bytes, &text, &n) == 0 && n > 0 && (size_t)n <= NAME_MAX_BYTES) {
		memcpy(to, text, (size_t)n);
		len = (size_t)n;
	}
	if (PyErr_Occurred() != NULL)
		PyErr_WriteUnraisable(self->names);
	Py_XDECREF(bytes);
	Py_XDECREF(name);
	return len;
}

/* The raw lines of an event as a list; NULL with an exception. */
static PyObject *lines_of(const struct event *e)
{
	PyObject *list = PyList_New((Py_ssize_t)e->count);

	for (uint32_t i = 0; list != NULL && i < e->count; i++) {
		struct slice line = record_line(e, &e->records[i]);
		PyObject *bytes = PyBytes_FromStringAndSize(line.p, (Py_ssize_t)line.n);

		if (bytes == NULL || PyList_SetItem(list, (Py_ssize_t)i, bytes) < 0) {
			Py_DECREF(list);
			list = NULL;
		}
	}
	return list;
}

/* Callbacks.raw(); what fails does not match, and the exception goes out as unraisable. */
static bool match_raw(void *ctx, uint32_t rule, const struct event *e)
{
	const struct native *self = ctx;
	PyObject *lines = lines_of(e), *answer = NULL;
	bool found;

	if (lines != NULL)
		answer = PyObject_CallMethod(self->callbacks, "raw", "IO", rule, lines);
	found = answer != NULL && PyObject_IsTrue(answer) == 1;
	if (PyErr_Occurred() != NULL)
		PyErr_WriteUnraisable(self->callbacks);
	Py_XDECREF(answer);
	Py_XDECREF(lines);
	return found;
}

static bool take_lines(PyObject *list, struct new_lines *to)
{
	Py_ssize_t count = PyList_Size(list);

	if (count < 0 || !new_lines_room(to, (uint32_t)count))
		return false;
	for (Py_ssize_t i = 0; i < count; i++) {
		char *text;
		Py_ssize_t n;

		if (PyBytes_AsStringAndSize(PyList_GetItem(list, i), &text, &n) < 0)
			return false;
		buf_put(&to->bytes, text, (size_t)n);
		to->lengths[to->count++] = (uint32_t)n;
	}
	return true;
}

/* Callbacks.redact(). */
static bool redact_lines(void *ctx, const struct event *e, struct new_lines *to, uint64_t *ret_values)
{
	const struct native *self = ctx;
	PyObject *lines = lines_of(e), *answer = NULL;
	bool good = false;

	if (lines != NULL)
		answer = PyObject_CallMethod(self->callbacks, "redact", "O", lines);
	if (answer != NULL && PyTuple_Check(answer) && PyTuple_Size(answer) == 2) {
		*ret_values = PyLong_AsUnsignedLongLong(PyTuple_GetItem(answer, 0));
		good = PyErr_Occurred() == NULL && (*ret_values == 0 || take_lines(PyTuple_GetItem(answer, 1), to));
	}
	if (PyErr_Occurred() != NULL)
		PyErr_WriteUnraisable(self->callbacks);
	Py_XDECREF(answer);
	Py_XDECREF(lines);
	return good;
}

/* Source.ask(); what fails has no answer, and the exception goes out as unraisable. */
static void ask_source(void *ctx, enum enrich_question question, int64_t number, uint64_t second, struct slice text, struct buf *to)
{
	const struct native *self = ctx;
	PyObject *answer = PyObject_CallMethod(self->source, "ask", "iLKy#", (int)question, (long long)number, (unsigned long long)second,
					       text.p == NULL ? "" : text.p, (Py_ssize_t)text.n);
	char *bytes;
	Py_ssize_t n;

	if (answer != NULL && PyBytes_AsStringAndSize(answer, &bytes, &n) == 0)
		buf_put(to, bytes, (size_t)n);
	if (PyErr_Occurred() != NULL)
		PyErr_WriteUnraisable(self->source);
	Py_XDECREF(answer);
}

static int native_init(PyObject *object, PyObject *args, PyObject *kwargs)
{
	static char *keywords[] = {"options", "names", NULL};
	struct native *self = (struct native *)object;
	struct pipeline_options options = {.resolve = resolve_name, .resolve_ctx = self};
	struct stream_options streams[MAX_STREAMS];
	struct options_objects held = {0};
	PyObject *given, *names;

	if (self->pipeline != NULL) {
		PyErr_SetString(PyExc_RuntimeError, "Pipeline is already initialised");
		return -1;
	}
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:Pipeline", keywords, &given, &names) || !read_options(given, &options, streams, &held)) {
		release_options(&held);
		return -1;
	}
	options.callback_ctx = self;
	options.match_raw = match_raw;
	options.enrich_ask = held.source != NULL ? ask_source : NULL;
	options.redact = held.redacts ? redact_lines : NULL;
	self->pipeline = PyMem_Malloc(sizeof(*self->pipeline));
	if (self->pipeline == NULL || !pipeline_init(self->pipeline, &options, &system_allocator)) {
		PyMem_Free(self->pipeline);
		self->pipeline = NULL;
		release_options(&held);
		PyErr_NoMemory();
		return -1;
	}
	self->callbacks = held.callbacks;
	self->source = held.source;
	held.callbacks = held.source = NULL;
	release_options(&held);
	Py_INCREF(names);
	self->names = names;
	return 0;
}

static void native_dealloc(PyObject *object)
{
	struct native *self = (struct native *)object;
	PyTypeObject *type = Py_TYPE(object);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

	if (self->pipeline != NULL) {
		pipeline_free(self->pipeline);
		PyMem_Free(self->pipeline);
	}
	Py_XDECREF(self->names);
	Py_XDECREF(self->callbacks);
	Py_XDECREF(self->source);
	release(object);
	Py_DECREF(type);
}

static struct pipeline *ready(PyObject *object)
{
	struct native *self = (struct native *)object;

	if (self->pipeline == NULL)
		PyErr_SetString(PyExc_RuntimeError, "Pipeline was not initialised");
	return self->pipeline;
}

static PyObject *output(const struct pipeline *p, size_t stream)
{
	return PyBytes_FromStringAndSize(p->streams[stream].out.data, (Py_ssize_t)p->streams[stream].out.len);
}

PyDoc_STRVAR(feed_doc, "feed(data: bytes, now: float) -> bytes\n\nJSON lines of the events that ended, for the first stream; see pipeline.Pipeline.");

static PyObject *native_feed(PyObject *object, PyObject *args, PyObject *kwargs)
{
	static char *keywords[] = {"data", "now", NULL};
	struct pipeline *p = ready(object);
	PyObject *data;
	double now;

	if (p == NULL || !PyArg_ParseTupleAndKeywords(args, kwargs, "Sd:feed", keywords, &data, &now))
		return NULL;
	pipeline_feed(p, PyBytes_AsString(data), (size_t)PyBytes_Size(data), now);
	return output(p, 0);
}

PyDoc_STRVAR(flush_doc, "flush(now: float, all: bool = False) -> bytes\n\nJSON lines of the events that timed out, or of all.");

static PyObject *native_flush(PyObject *object, PyObject *args, PyObject *kwargs)
{
	static char *keywords[] = {"now", "all", NULL};
	struct pipeline *p = ready(object);
	int all = 0;
	double now;

	if (p == NULL || !PyArg_ParseTupleAndKeywords(args, kwargs, "d|p:flush", keywords, &now, &all))
		return NULL;
	pipeline_flush(p, now, all != 0);
	return output(p, 0);
}

PyDoc_STRVAR(others_doc, "others() -> tuple[bytes, ...]\n\nWhat the last feed or flush made for each stream behind the first.");

static PyObject *native_others(PyObject *object, PyObject *unused)
{
	const struct pipeline *p = ready(object);
	PyObject *tuple;

	(void)unused;
	if (p == NULL || (tuple = PyTuple_New((Py_ssize_t)p->stream_count - 1)) == NULL)
		return NULL;
	for (size_t i = 1; i < p->stream_count; i++) {
		PyObject *bytes = output(p, i);

		if (bytes == NULL || PyTuple_SetItem(tuple, (Py_ssize_t)i - 1, bytes) < 0) {
			Py_DECREF(tuple);
			return NULL;
		}
	}
	return tuple;
}

/* Takes the value and, when that fails, the dict too: NULL with an exception. */
static PyObject *put_item(PyObject *dict, const char *name, PyObject *value)
{
	bool good = value != NULL && PyDict_SetItemString(dict, name, value) == 0;

	Py_XDECREF(value);
	if (good)
		return dict;
	Py_DECREF(dict);
	return NULL;
}

PyDoc_STRVAR(counters_doc, "counters() -> dict[str, int]\n\nNumbers since the start; no_memory: records and events lost for lack of memory.");

static PyObject *native_counters(PyObject *object, PyObject *unused)
{
	const struct pipeline *p = ready(object);
	PyObject *dict;

	(void)unused;
	if (p == NULL)
		return NULL;
	const struct {
		const char *name;
		uint64_t value;
	} all[] = {
		{"bytes_in", p->counters.bytes_in},
		{"records_in", p->counters.records_in},
		{"records_out", p->counters.records_out},
		{"events_out", p->counters.events_out},
		{"malformed", p->counters.malformed},
		{"late", p->coalesce.counters.late},
		{"incomplete", p->counters.incomplete},
		{"forced", p->coalesce.counters.forced},
		{"serial_gaps", p->coalesce.counters.serial_gaps},
		{"open_events", p->coalesce.open},
		{"events_filtered", p->counters.events_filtered},
		{"records_filtered", p->counters.records_filtered},
		{"redacted", p->counters.redacted},
		{"last_serial", p->counters.last_serial},
		{"no_memory", p->coalesce.counters.no_memory + p->counters.lost + (p->filter != NULL ? p->filter->repeats.lost : 0)},
	};
	dict = PyDict_New();
	for (size_t i = 0; dict != NULL && i < sizeof(all) / sizeof(all[0]); i++)
		dict = put_item(dict, all[i].name, PyLong_FromUnsignedLongLong(all[i].value));
	return dict;
}

/* The name of a type that the tables have. */
static const char *type_name(uint16_t number)
{
	for (size_t i = 0; i < (size_t)1 << type_bits; i++)
		if (type_slots[i] != 0 && type_entries[type_slots[i] - 1].number == number)
			return type_entries[type_slots[i] - 1].name;
	return "other";
}

PyDoc_STRVAR(types_doc, "types() -> dict[str, tuple[int, int]]\n\nRecords by type, (in, out); `other` are those that the tables lack.");

static PyObject *native_types(PyObject *object, PyObject *unused)
{
	const struct pipeline *p = ready(object);
	PyObject *dict = p != NULL ? PyDict_New() : NULL;

	(void)unused;
	for (size_t i = 0; dict != NULL && i < TYPE_NUMBERS; i++) {
		unsigned long long came = p->types_in[i], went = p->types_out[i];

		if (came != 0 || went != 0)
			dict = put_item(dict, i == 0 ? "other" : type_name((uint16_t)(i - 1 + TYPE_FIRST)), Py_BuildValue("KK", came, went));
	}
	return dict;
}

PyDoc_STRVAR(rules_doc, "rules() -> tuple[tuple[int, int], ...]\n\nOf each filter rule the events that it matched and held back.");

static PyObject *native_rules(PyObject *object, PyObject *unused)
{
	const struct pipeline *p = ready(object);
	uint32_t count = p != NULL && p->filter != NULL ? p->filter->count : 0;
	PyObject *tuple = p != NULL ? PyTuple_New((Py_ssize_t)count) : NULL;

	(void)unused;
	for (uint32_t i = 0; tuple != NULL && i < count; i++) {
		const struct filter_rule *rule = &p->filter->rules[i];
		PyObject *pair = Py_BuildValue("KK", (unsigned long long)rule->matched, (unsigned long long)rule->held);

		if (pair == NULL || PyTuple_SetItem(tuple, (Py_ssize_t)i, pair) < 0) {
			Py_DECREF(tuple);
			return NULL;
		}
	}
	return tuple;
}

PyDoc_STRVAR(repeats_doc, "repeats() -> list[tuple]\n\nAggregates that ended since the last call; shape: limit.Repeat.");

static PyObject *native_repeats(PyObject *object, PyObject *unused)
{
	struct pipeline *p = ready(object);
	PyObject *list = p != NULL ? PyList_New(0) : NULL;
	struct repeats *ended = p != NULL && p->filter != NULL ? &p->filter->repeats : NULL;

	(void)unused;
	for (size_t i = 0; list != NULL && ended != NULL && i < ended->count; i++) {
		const struct repeat *r = &ended->list[i];
		const char *name = r->n > 0 ? ended->names.data + r->at : "";
		PyObject *each = Py_BuildValue("Iy#(KI)(KI)K", r->rule, name, (Py_ssize_t)r->n, (unsigned long long)r->first.sec,
					       r->first.ms, (unsigned long long)r->last.sec, r->last.ms, (unsigned long long)r->events);

		if (each == NULL || PyList_Append(list, each) < 0) {
			Py_DECREF(list);
			list = NULL;
		}
		Py_XDECREF(each);
	}
	if (list != NULL && ended != NULL)
		ended->count = ended->names.len = 0;
	return list;
}

static PyObject *native_implementation(PyObject *object, void *unused)
{
	(void)object;
	(void)unused;
	return PyUnicode_FromString("native");
}

static PyMethodDef methods[] = {
	{"feed", (PyCFunction)(void (*)(void))native_feed, METH_VARARGS | METH_KEYWORDS, feed_doc},
	{"flush", (PyCFunction)(void (*)(void))native_flush, METH_VARARGS | METH_KEYWORDS, flush_doc},
	{"others", native_others, METH_NOARGS, others_doc},
	{"counters", native_counters, METH_NOARGS, counters_doc},
	{"types", native_types, METH_NOARGS, types_doc},
	{"rules", native_rules, METH_NOARGS, rules_doc},
	{"repeats", native_repeats, METH_NOARGS, repeats_doc},
	{NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
	{"implementation", native_implementation, NULL, "\"native\"", NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot pipeline_slots[] = {
	{Py_tp_doc, (void *)"Pipeline(options: Options, names: Names): the C behind pipeline.Pipeline."},
	{Py_tp_init, (void *)native_init},
	{Py_tp_dealloc, (void *)native_dealloc},
	{Py_tp_methods, methods},
	{Py_tp_getset, properties},
	{0, NULL},
};

static PyType_Spec pipeline_spec = {
	.name = "auditpack_collector._native.Pipeline",
	.basicsize = (int)sizeof(struct native),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = pipeline_slots,
};

static int module_exec(PyObject *module)
{
	PyObject *type = PyType_FromSpec(&pipeline_spec);

	if (type == NULL)
		return -1;
	if (PyModule_AddObject(module, "Pipeline", type) < 0) {
		Py_DECREF(type);
		return -1;
	}
	return 0;
}

static PyMethodDef module_methods[] = {
	{"restore", native_restore, METH_VARARGS, RESTORE_DOC},
	{NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
	{Py_mod_exec, (void *)module_exec},
	{0, NULL},
};

static struct PyModuleDef module = {
	PyModuleDef_HEAD_INIT,
	.m_name = "auditpack_collector._native",
	.m_doc = "The collector's pipeline in C.",
	.m_methods = module_methods,
	.m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__native(void);

PyMODINIT_FUNC PyInit__native(void)
{
	return PyModuleDef_Init(&module);
}
