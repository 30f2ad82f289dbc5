/* SPDX-License-Identifier: Apache-2.0 */
#include "binding_options.h"

/* The text of an attribute as a new bytes object; NULL with an exception. */
static PyObject *text_attribute(PyObject *options, const char *name)
{
	PyObject *value = PyObject_GetAttrString(options, name), *bytes = NULL;

	if (value == NULL)
		return NULL;
	if (PyUnicode_Check(value))
		bytes = PyUnicode_AsEncodedString(value, "utf-8", "replace");
	else
		PyErr_Format(PyExc_TypeError, "options.%s: expected str", name);
	Py_DECREF(value);
	return bytes;
}

/* The index of an option's value among the choices; -1 with an exception. */
static int choice(PyObject *options, const char *name, const char *const *choices)
{
	PyObject *bytes = text_attribute(options, name);
	int found = -1;

	if (bytes == NULL)
		return -1;
	for (int i = 0; choices[i] != NULL && found < 0; i++)
		if (strcmp(PyBytes_AsString(bytes), choices[i]) == 0)
			found = i;
	if (found < 0)
		PyErr_Format(PyExc_ValueError, "options.%s: %s is not one of its values", name, PyBytes_AsString(bytes));
	Py_DECREF(bytes);
	return found;
}

/* 1, 0, or -1 with an exception. */
static int truth(PyObject *options, const char *name)
{
	PyObject *value = PyObject_GetAttrString(options, name);
	int is;

	if (value == NULL)
		return -1;
	is = PyObject_IsTrue(value);
	Py_DECREF(value);
	return is;
}

static bool read_stream(PyObject *stream, struct stream_options *ret)
{
	static const char *const formats[] = {"ecs", "records", NULL}, *const translations[] = {"none", "universal", "all", NULL};
	int format = choice(stream, "format", formats), translate, original, receives;

	if (format < 0 || (translate = choice(stream, "translate", translations)) < 0 || (original = truth(stream, "original")) < 0 ||
	    (receives = truth(stream, "receives_all")) < 0)
		return false;
	*ret = (struct stream_options){(enum format)format, (enum translate)translate, original != 0, receives != 0};
	return true;
}

/* all_streams() of the options. */
static bool read_streams(PyObject *options, struct pipeline_options *ret, struct stream_options *streams)
{
	PyObject *all = PyObject_CallMethod(options, "all_streams", NULL);
	Py_ssize_t count = all != NULL && PyTuple_Check(all) ? PyTuple_Size(all) : 0;
	bool good = count >= 1 && count <= (Py_ssize_t)MAX_STREAMS;

	if (all != NULL && !good)
		PyErr_SetString(PyExc_ValueError, "options.streams: from 1 to 16 streams");
	for (Py_ssize_t i = 0; good && i < count; i++)
		good = read_stream(PyTuple_GetItem(all, i), &streams[i]);
	Py_XDECREF(all);
	ret->streams = streams;
	ret->stream_count = (size_t)count;
	return good;
}

/* The bytes of the host's name; NULL with an exception. */
static PyObject *read_hostname(PyObject *options, struct slice *ret)
{
	PyObject *bytes = text_attribute(options, "hostname");

	if (bytes == NULL)
		return NULL;
	*ret = (struct slice){PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes)};
	if (ret->n <= HOSTNAME_MAX_BYTES)
		return bytes;
	PyErr_SetString(PyExc_ValueError, "options.hostname: longer than 255 bytes");
	Py_DECREF(bytes);
	return NULL;
}

/* The filter's program, and the object that regular expressions and redaction are asked of. */
static bool read_rules(PyObject *options, struct pipeline_options *ret, struct options_objects *held)
{
	PyObject *redact;

	held->program = PyObject_CallMethod(options, "program", NULL);
	if (held->program == NULL)
		return false;
	if (!PyBytes_Check(held->program)) {
		PyErr_SetString(PyExc_TypeError, "options.program(): expected bytes");
		return false;
	}
	ret->program = (struct slice){PyBytes_AsString(held->program), (size_t)PyBytes_Size(held->program)};
	held->callbacks = PyObject_CallMethod(options, "callbacks", NULL);
	if (held->callbacks == Py_None)
		Py_CLEAR(held->callbacks);
	if (PyErr_Occurred() != NULL)
		return false;
	redact = PyObject_GetAttrString(options, "redact");
	if (redact == NULL)
		return false;
	held->redacts = redact != Py_None;
	Py_DECREF(redact);
	return true;
}

/* What enrichment is asked for, and the object that asks this machine. */
static bool read_enrichment(PyObject *options, struct pipeline_options *ret, struct options_objects *held)
{
	held->enrich = PyObject_CallMethod(options, "enrich_program", NULL);
	if (held->enrich == NULL)
		return false;
	if (!PyBytes_Check(held->enrich)) {
		PyErr_SetString(PyExc_TypeError, "options.enrich_program(): expected bytes");
		return false;
	}
	ret->enrich_program = (struct slice){PyBytes_AsString(held->enrich), (size_t)PyBytes_Size(held->enrich)};
	held->source = PyObject_CallMethod(options, "enrich_source", NULL);
	if (held->source == Py_None)
		Py_CLEAR(held->source);
	return PyErr_Occurred() == NULL;
}

void release_options(struct options_objects *held)
{
	Py_XDECREF(held->hostname);
	Py_XDECREF(held->program);
	Py_XDECREF(held->callbacks);
	Py_XDECREF(held->enrich);
	Py_XDECREF(held->source);
	*held = (struct options_objects){0};
}

bool read_options(PyObject *options, struct pipeline_options *ret, struct stream_options *streams, struct options_objects *held)
{
	static const char *const clocks[] = {"wall", "event", NULL};
	int clock = choice(options, "clock", clocks);
	PyObject *number;

	if (clock < 0 || !read_streams(options, ret, streams))
		return false;
	ret->event_clock = clock == 1;
	number = PyObject_GetAttrString(options, "timeout");
	if (number == NULL)
		return false;
	ret->timeout = PyFloat_AsDouble(number);
	Py_DECREF(number);
	number = PyErr_Occurred() != NULL ? NULL : PyObject_GetAttrString(options, "last_serial");
	if (number == NULL)
		return false;
	ret->last_serial = PyLong_AsUnsignedLongLong(number);
	Py_DECREF(number);
	if (PyErr_Occurred() != NULL)
		return false;
	held->hostname = read_hostname(options, &ret->hostname);
	return held->hostname != NULL && read_rules(options, ret, held) && read_enrichment(options, ret, held);
}
