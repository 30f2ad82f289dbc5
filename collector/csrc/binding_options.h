/* SPDX-License-Identifier: Apache-2.0 */
/* options.Options -> struct pipeline_options. */
#ifndef AUDITPACK_BINDING_OPTIONS_H
#define AUDITPACK_BINDING_OPTIONS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "pipeline.h"

/* What the options' slices point into, and whom to call back. */
struct options_objects {
	PyObject *hostname, *program;
	PyObject *callbacks; /* NULL: none */
	PyObject *enrich;    /* bytes */
	PyObject *source;    /* NULL: none */
	bool redacts;
};

/* False with an exception; release_options() in any case. `streams` has room for MAX_STREAMS. */
bool read_options(PyObject *options, struct pipeline_options *ret, struct stream_options *streams, struct options_objects *held);
void release_options(struct options_objects *held);

#endif
