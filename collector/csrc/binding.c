/* SPDX-License-Identifier: Apache-2.0 */
/* auditpack_collector._native: the pipeline as a Python type. The only file that knows Python.h. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "binding_options.h"

struct native {
	PyObject_HEAD
	struct pipeline *pipeline;
	PyObject *names; /* users.Names */
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

static int native_init(PyObject *object, PyObject *args, PyObject *kwargs)
{
	static char *keywords[] = {"options", "names", NULL};
	struct native *self = (struct native *)object;
	struct pipeline_options options = {.resolve = resolve_name, .resolve_ctx = self};
	struct stream_options streams[MAX_STREAMS];
	PyObject *given, *names, *hostname = NULL;

	if (self->pipeline != NULL) {
		PyErr_SetString(PyExc_RuntimeError, "Pipeline is already initialised");
		return -1;
	}
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:Pipeline", keywords, &given, &names) || !read_options(given, &options, streams, &hostname))
		return -1;
	self->pipeline = PyMem_Malloc(sizeof(*self->pipeline));
	if (self->pipeline == NULL || !pipeline_init(self->pipeline, &options, &system_allocator)) {
		PyMem_Free(self->pipeline);
		self->pipeline = NULL;
		Py_DECREF(hostname);
		PyErr_NoMemory();
		return -1;
	}
	Py_DECREF(hostname);
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

PyDoc_STRVAR(counters_doc, "counters() -> dict[str, int]\n\nNumbers since the start; no_memory: records and events lost for lack of memory.");

static PyObject *native_counters(PyObject *object, PyObject *unused)
{
	const struct pipeline *p = ready(object);

	(void)unused;
	if (p == NULL)
		return NULL;
	return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K}", "bytes_in", (unsigned long long)p->counters.bytes_in,
			     "records_in", (unsigned long long)p->counters.records_in, "records_out",
			     (unsigned long long)p->counters.records_out, "events_out", (unsigned long long)p->counters.events_out,
			     "malformed", (unsigned long long)p->counters.malformed, "late",
			     (unsigned long long)p->coalesce.counters.late, "incomplete",
			     (unsigned long long)p->counters.incomplete, "forced",
			     (unsigned long long)p->coalesce.counters.forced, "serial_gaps",
			     (unsigned long long)p->coalesce.counters.serial_gaps, "open_events", (unsigned long long)p->coalesce.open,
			     "no_memory", (unsigned long long)(p->coalesce.counters.no_memory + p->counters.lost));
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

static PyModuleDef_Slot module_slots[] = {
	{Py_mod_exec, (void *)module_exec},
	{0, NULL},
};

static struct PyModuleDef module = {
	PyModuleDef_HEAD_INIT,
	.m_name = "auditpack_collector._native",
	.m_doc = "The collector's pipeline in C.",
	.m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__native(void);

PyMODINIT_FUNC PyInit__native(void)
{
	return PyModuleDef_Init(&module);
}
