/* SPDX-License-Identifier: Apache-2.0 */
/* restore_lines() for Python. */
#ifndef AUDITPACK_BINDING_RESTORE_H
#define AUDITPACK_BINDING_RESTORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define RESTORE_DOC                                                                                                                        \
	"restore(data: bytes, start: int) -> tuple[bytes, int, int]\n\nRaw lines of the events from `start` on, where the first event that is " \
	"for restore.py begins, and how many were taken."

PyObject *native_restore(PyObject *module, PyObject *args);

#endif
