/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"
#include "ecs.h"

void put_marks(struct emitter *m, bool ecs)
{
	const struct marks *marks = m->marks;

	if (marks == NULL)
		return;
	for (size_t i = 0; i < marks->label_count; i++) {
		if (i > 0)
			buf_putc(m->out, ',');
		else if (ecs)
			BUF_LITERAL(m->out, ",\"labels\":[");
		else
			BUF_LITERAL(m->out, ",\"LABELS\":[");
		if (ecs)
			put_json_text(m->out, ecs_text(&m->arena, marks->labels[i]));
		else
			put_records_text(m->out, marks->labels[i]);
	}
	if (marks->label_count > 0)
		buf_putc(m->out, ']');
	if (marks->redacted == 0)
		return;
	if (ecs)
		BUF_LITERAL(m->out, ",\"redacted\":");
	else
		BUF_LITERAL(m->out, ",\"REDACTED\":");
	put_number(m->out, marks->redacted);
}
