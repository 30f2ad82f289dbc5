/* SPDX-License-Identifier: Apache-2.0 */
#include "binding_restore.h"

#include "restore.h"

static const struct allocator system_allocator = {allocator_system, NULL};

PyObject *native_restore(PyObject *module, PyObject *args)
{
	PyObject *data, *result = NULL;
	struct restored restored;
	Py_ssize_t start, size;
	struct buf out;

	(void)module;
	if (!PyArg_ParseTuple(args, "Sn:restore", &data, &start))
		return NULL;
	size = PyBytes_Size(data);
	if (start < 0 || start > size) {
		PyErr_SetString(PyExc_ValueError, "restore: start is outside the data");
		return NULL;
	}
	buf_init(&out, &system_allocator);
	restored = restore_lines(PyBytes_AsString(data) + start, (size_t)(size - start), &out);
	if (out.failed)
		PyErr_NoMemory();
	else
		result = Py_BuildValue("y#nn", out.data == NULL ? "" : out.data, (Py_ssize_t)out.len, start + (Py_ssize_t)restored.bytes,
				       (Py_ssize_t)restored.lines);
	buf_free(&out);
	return result;
}
