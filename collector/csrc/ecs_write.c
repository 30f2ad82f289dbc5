/* SPDX-License-Identifier: Apache-2.0 */
/* The ECS objects of an event as JSON members. */
#include "decode.h"
#include "ecs_parts.h"
#include "enrich_ecs.h"

/* An object that opens with its first member and is left out without one. */
struct opening {
	struct buf *to;
	const char *open;  /* what stands before the first member, `,"user":{` */
	const char *close; /* what ends it */
	bool opened;
};

/* Writes the name; the value follows. */
static struct buf *member(struct opening *o, const char *name)
{
	buf_puts(o->to, o->opened ? "," : o->open);
	o->opened = true;
	buf_putc(o->to, '"');
	buf_puts(o->to, name);
	BUF_LITERAL(o->to, "\":");
	return o->to;
}

static void text_member(struct opening *o, const char *name, struct slice text)
{
	if (text.p != NULL)
		put_json_text(member(o, name), text);
}

static void word_member(struct opening *o, const char *name, const char *word)
{
	if (word != NULL)
		put_word(member(o, name), slice_of(word));
}

static void number_member(struct opening *o, const char *name, const struct value *value)
{
	if (is_number(value))
		put_value_json(member(o, name), value);
}

static void close_object(struct opening *o)
{
	if (o->opened)
		buf_puts(o->to, o->close);
}

static void put_identity_members(struct opening *o, const struct identity *who)
{
	struct opening group = {o->to, "{", "}", false};

	text_member(o, "id", who->id);
	text_member(o, "name", who->name);
	if (who->group_id.p == NULL)
		return;
	member(o, "group");
	text_member(&group, "id", who->group_id);
	text_member(&group, "name", who->group_name);
	close_object(&group);
}

static void put_identity(struct opening *o, const char *name, const struct identity *who)
{
	struct opening inner = {o->to, "{", "}", false};

	if (!has_identity(who))
		return;
	member(o, name);
	put_identity_members(&inner, who);
	close_object(&inner);
}

static void put_user(struct buf *to, const struct ecs_parts *p)
{
	struct opening user = {to, ",\"user\":{", "}", false};

	put_identity_members(&user, &p->user);
	put_identity(&user, "saved", &p->saved);
	put_identity(&user, "filesystem", &p->filesystem);
	put_identity(&user, "target", &p->target);
	put_identity(&user, "audit", &p->audit);
	put_identity(&user, "effective", &p->effective);
	close_object(&user);
}

static void put_title(struct buf *to, const struct value *title)
{
	size_t start;

	buf_putc(to, '"');
	for (const struct value *part = title->first; part != NULL; part = part->next) {
		if (part != title->first)
			buf_putc(to, ' ');
		start = to->len;
		put_json_text(to, part->text);
		if (to->failed)
			return;
		to->len -= 2; /* without its quotes */
		memmove(to->data + start, to->data + start + 1, to->len - start);
	}
	buf_putc(to, '"');
}

static struct slice working_directory(const struct view *v)
{
	const struct object_value *record = view_type(v, AUDIT_CWD);
	const struct value *cwd = record == NULL ? NULL : object_get_field(record, F_CWD);

	if (cwd == NULL || cwd->type == VALUE_NULL || (is_text(cwd) && cwd->text.n == 0))
		cwd = view_message(v, F_CWD);
	return is_text(cwd) ? cwd->text : (struct slice){NULL, 0};
}

static void put_process(struct buf *to, const struct view *v, const struct ecs_parts *p)
{
	const struct object_value *execve = view_type(v, AUDIT_EXECVE);
	const struct value *title = view_vector(v, AUDIT_PROCTITLE, F_PROCTITLE), *parent = view_first(v, F_PPID);
	const struct value *signal = object_get_field(v->main->object, F_SIG);
	struct opening process = {to, ",\"process\":{", "}", false};

	number_member(&process, "pid", view_first(v, F_PID));
	if (is_number(parent)) {
		BUF_LITERAL(member(&process, "parent"), "{\"pid\":");
		put_value_json(to, parent);
		if (p->enrich != NULL)
			enrich_put_parent(p->enrich, v->arena, to);
		buf_putc(to, '}');
	}
	if (p->process_name.n > 0)
		text_member(&process, "name", p->process_name);
	if (p->executable.n > 0)
		text_member(&process, "executable", p->executable);
	if (execve != NULL) {
		put_value_json(member(&process, "args"), view_vector(v, AUDIT_EXECVE, F_ARGS));
		number_member(&process, "args_count", object_get_field(execve, F_ARGC));
	} else if (title != NULL) {
		put_value_json(member(&process, "args"), title);
	}
	text_member(&process, "command_line", p->command_line);
	if (title != NULL)
		put_title(member(&process, "title"), title);
	text_member(&process, "working_directory", working_directory(v));
	if (v->main->number == AUDIT_ANOM_ABEND && is_number(signal) && signal->number > 0 && signal->number < 128)
		put_number(member(&process, "exit_code"), 128 + (uint64_t)signal->number);
	if (p->enrich != NULL && process.opened) /* by its pid, if the process is known */
		enrich_put_process(p->enrich, v->arena, to, !is_number(parent));
	close_object(&process);
}

static const char *file_type(unsigned kind)
{
	switch (kind) {
	case 1: return "fifo";
	case 2: return "char_device";
	case 4: return "dir";
	case 6: return "block_device";
	case 8: return "file";
	case 10: return "symlink";
	case 12: return "socket";
	default: return NULL;
	}
}

static void put_mode(struct opening *file, const struct value *mode)
{
	uint64_t bits = 0;
	char text[4];

	for (size_t i = 0; i < mode->text.n; i++) /* octal digits: ecs_record.c */
		bits = bits << 3 | (uint64_t)(mode->text.p[i] - '0');
	for (unsigned i = 0; i < 4; i++)
		text[i] = (char)('0' + (bits >> (9 - 3 * i) & 7));
	put_word(member(file, "mode"), (struct slice){text, 4});
	word_member(file, "type", bits >> 12 < 16 ? file_type((unsigned)(bits >> 12)) : NULL);
}

static void scalar_member(struct opening *o, const char *name, const struct value *value)
{
	if (is_text(value) || is_number(value))
		text_member(o, name, value->text);
}

static void known_member(struct opening *o, const char *name, const struct value *value)
{
	struct slice known = known_name(is_text(value) ? value->text : (struct slice){NULL, 0});

	if (known.n > 0)
		text_member(o, name, known);
}

static void put_file(struct buf *to, const struct ecs_parts *p)
{
	struct opening file = {to, ",\"file\":{", "}", false};
	struct slice name = p->file_path;
	const struct value *mode;

	text_member(&file, "path", p->file_path);
	if (p->file == NULL) {
		close_object(&file);
		return;
	}
	while (name.n > 0 && name.p[name.n - 1] == '/')
		name.n--;
	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/') {
			name = (struct slice){name.p + i, name.n - i};
			break;
		}
	if (name.n > 0)
		text_member(&file, "name", name);
	else
		word_member(&file, "name", "/");
	mode = object_get_field(p->file, F_MODE);
	if (is_text(mode))
		put_mode(&file, mode);
	scalar_member(&file, "inode", object_get_field(p->file, F_INODE));
	scalar_member(&file, "uid", object_get_field(p->file, F_OUID));
	scalar_member(&file, "gid", object_get_field(p->file, F_OGID));
	scalar_member(&file, "device", object_get_field(p->file, F_DEV));
	known_member(&file, "owner", object_get_field(p->file, F_OUID_NAME));
	known_member(&file, "group", object_get_field(p->file, F_OGID_NAME));
	close_object(&file);
}

static void put_end(struct buf *to, const char *open, const struct end_point *end)
{
	struct opening o = {to, open, "}", false};

	text_member(&o, "ip", end->ip);
	text_member(&o, "domain", end->domain);
	text_member(&o, "address", end->address);
	number_member(&o, "port", end->port);
	close_object(&o);
}

void ecs_put_parts(struct buf *to, const struct view *v, const struct meaning *meaning, const struct ecs_parts *p)
{
	const struct value *message = view_message(v, F_TEXT), *unit = view_message(v, F_UNIT);
	struct opening network = {to, ",\"network\":{", "}", false};

	if (is_text(message)) {
		BUF_LITERAL(to, ",\"message\":");
		put_json_text(to, message->text);
	}
	put_user(to, p);
	if (p->group.p != NULL) {
		BUF_LITERAL(to, ",\"group\":{\"name\":");
		put_json_text(to, p->group);
		buf_putc(to, '}');
	}
	put_process(to, v, p);
	put_file(to, p);
	if (meaning->object == OBJECT_SERVICE && is_text(unit)) {
		BUF_LITERAL(to, ",\"service\":{\"name\":");
		put_json_text(to, unit->text);
		buf_putc(to, '}');
	}
	word_member(&network, "direction", p->direction);
	word_member(&network, "type", p->network_type);
	close_object(&network);
	put_end(to, ",\"source\":{", &p->source);
	put_end(to, ",\"destination\":{", &p->destination);
}

static void put_related_users(struct opening *related, const struct ecs_parts *p)
{
	const struct identity *who[] = {&p->user, &p->audit, &p->effective, &p->saved, &p->filesystem, &p->target};
	struct opening list = {related->to, "[", "]", false};

	for (unsigned i = 0; i < 6; i++) {
		bool again = who[i]->name.p == NULL;

		for (unsigned k = 0; k < i && !again; k++)
			again = who[k]->name.p != NULL && slice_is(who[k]->name, who[i]->name.p, who[i]->name.n);
		if (again)
			continue;
		if (!list.opened)
			member(related, "user");
		buf_puts(list.to, list.opened ? "," : list.open);
		list.opened = true;
		put_json_text(list.to, who[i]->name);
	}
	close_object(&list);
}

void ecs_put_related(struct buf *to, const struct ecs_parts *p)
{
	struct opening related = {to, ",\"related\":{", "}", false};
	struct slice ip = p->source.ip.p != NULL ? p->source.ip : p->destination.ip; /* an event has one of the two */

	put_related_users(&related, p);
	if (ip.p != NULL) {
		buf_putc(member(&related, "ip"), '[');
		put_json_text(to, ip);
		buf_putc(to, ']');
	}
	close_object(&related);
}

static const char *object_name(enum object_kind object)
{
	switch (object) {
	case OBJECT_FILE: return "file";
	case OBJECT_PROCESS: return "process";
	case OBJECT_SOCKET:
	case OBJECT_SOCKET_IN:
	case OBJECT_SOCKET_OUT: return "socket";
	case OBJECT_USER_SESSION: return "user-session";
	case OBJECT_ACCOUNT: return "account";
	case OBJECT_GROUP: return "group";
	case OBJECT_SERVICE: return "service";
	case OBJECT_MODULE: return "module";
	case OBJECT_SYSTEM: return "system";
	}
	return "";
}

static struct slice scalar(const struct value *value)
{
	return is_text(value) || is_number(value) ? value->text : (struct slice){NULL, 0};
}

static struct slice either(struct slice a, struct slice b)
{
	return a.n > 0 ? a : b;
}

/* The two names of what the event is about. */
static void find_object(const struct view *v, const struct meaning *meaning, const struct ecs_parts *p, struct slice *first, struct slice *second)
{
	const struct object_value *record;
	const struct value *value;

	switch (meaning->object) {
	case OBJECT_FILE:
		*first = p->file_path;
		break;
	case OBJECT_SOCKET:
	case OBJECT_SOCKET_IN:
	case OBJECT_SOCKET_OUT:
		record = view_type(v, AUDIT_SOCKADDR);
		value = record == NULL ? NULL : object_get_field(record, F_SADDR);
		if (!is_object(value))
			break;
		*first = either(scalar(object_get_field(value->object, F_ADDR)),
				either(scalar(object_get_field(value->object, F_PATH)), scalar(object_get_field(value->object, F_ABSTRACT))));
		*second = scalar(object_get_field(value->object, F_PORT));
		break;
	case OBJECT_USER_SESSION:
		*first = either(view_string(v, F_TERMINAL), view_string(v, F_TTY));
		*second = either(p->source.ip, p->source.domain);
		break;
	case OBJECT_ACCOUNT:
	case OBJECT_GROUP:
		*first = either(p->target.name, p->target.id);
		if (meaning->object == OBJECT_GROUP && p->group.n > 0)
			*first = p->group;
		break;
	case OBJECT_SERVICE:
		*first = scalar(view_message(v, F_UNIT));
		break;
	case OBJECT_MODULE:
		record = view_type(v, AUDIT_KERN_MODULE);
		*first = scalar(record == NULL ? NULL : object_get_field(record, F_NAME));
		break;
	case OBJECT_PROCESS:
		record = view_type(v, AUDIT_OBJ_PID);
		if (record != NULL) {
			*first = scalar(object_get_field(record, F_OCOMM));
			*second = scalar(object_get_field(record, F_OPID));
		} else {
			*first = either(p->file_path, either(p->command_line, p->executable.n > 0 ? p->executable : (struct slice){NULL, 0}));
		}
		break;
	case OBJECT_SYSTEM:
		break;
	}
}

void ecs_put_summary(struct buf *to, const struct view *v, const struct meaning *meaning, const struct ecs_parts *p)
{
	const struct value *auid = view_first(v, F_AUID);
	struct identity acting = view_identity(v, F_UID, F_UID_NAME, FIELD_NONE, FIELD_NONE);
	struct opening actor = {to, "", "", true}, object = {to, "", "", true};
	struct slice login = either(p->audit.name, p->audit.id), first = {NULL, 0}, second = {NULL, 0};
	struct slice how = either(p->executable, p->process_name);

	BUF_LITERAL(to, ",\"summary\":{\"actor\":{");
	actor = (struct opening){to, "", "}", false};
	text_member(&actor, "primary", login);
	if (login.p == NULL && is_number(auid) && auid->number == UNSET_ID)
		word_member(&actor, "primary", "unset");
	text_member(&actor, "secondary", either(acting.name, acting.id));
	BUF_LITERAL(to, "},\"object\":{\"type\":");
	put_word(to, slice_of(object_name(meaning->object)));
	object = (struct opening){to, "", "}", true};
	find_object(v, meaning, p, &first, &second);
	text_member(&object, "primary", first);
	text_member(&object, "secondary", second);
	buf_putc(to, '}');
	if (how.n > 0) {
		BUF_LITERAL(to, ",\"how\":");
		put_json_text(to, how);
	}
	buf_putc(to, '}');
}
