/* SPDX-License-Identifier: Apache-2.0 */
/* options.Options -> struct pipeline_options. */
#ifndef AUDITPACK_BINDING_OPTIONS_H
#define AUDITPACK_BINDING_OPTIONS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "pipeline.h"

/* False with an exception. `streams` has room for MAX_STREAMS; the hostname's bytes live as long as *ret_hostname. */
bool read_options(PyObject *options, struct pipeline_options *ret, struct stream_options *streams, PyObject **ret_hostname);

#endif
