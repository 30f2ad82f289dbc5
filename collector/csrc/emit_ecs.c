/* SPDX-License-Identifier: Apache-2.0 */
#include "emit.h"
bool emit_ecs_event(struct emitter *m, struct event *e){(void)m;(void)e;return true;}
bool emit_ecs_malformed(struct emitter *m, struct slice raw, const char *reason){(void)m;(void)raw;(void)reason;return true;}
