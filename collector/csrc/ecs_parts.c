/* SPDX-License-Identifier: Apache-2.0 */
/* Which ECS objects an event fills, and from what (emit_ecs.py, _user, _process, _file, _network). */
#include "ecs_parts.h"

#include <arpa/inet.h>

#include "decode.h"

static struct slice text_of(const struct value *v)
{
	return is_text(v) ? v->text : (struct slice){NULL, 0};
}

static bool equal(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The account that a user-space message is about. */
static struct identity account_of(const struct view *v)
{
	const struct value *name = view_message(v, F_ACCT), *number = view_message(v, F_ID);
	struct identity ret = {0};

	ret.name = text_of(name);
	if (is_number(number) && number->number != UNSET_ID) {
		ret.id = number->text;
		if (ret.name.p == NULL) {
			ret.name = known_name(view_string(v, F_ID_NAME));
			if (ret.name.n == 0)
				ret.name.p = NULL;
		}
	}
	return ret;
}

static bool is_account_type(uint16_t number)
{
	unsigned at = number - MEANING_FIRST;

	return at < MEANING_NUMBERS && (record_meanings[at].flags & MEANING_ACCOUNT) != 0;
}

static void find_user(const struct view *v, struct ecs_parts *p)
{
	struct identity account = account_of(v);

	p->user = view_identity(v, F_UID, F_UID_NAME, F_GID, F_GID_NAME);
	p->audit = view_identity(v, F_AUID, F_AUID_NAME, FIELD_NONE, FIELD_NONE);
	p->effective = view_identity(v, F_EUID, F_EUID_NAME, F_EGID, F_EGID_NAME);
	if (v->syscall != NULL) {
		p->saved = view_identity(v, F_SUID, F_SUID_NAME, F_SGID, F_SGID_NAME);
		p->filesystem = view_identity(v, F_FSUID, F_FSUID_NAME, F_FSGID, F_FSGID_NAME);
		if (same_identity(&p->saved, &p->effective))
			p->saved = (struct identity){0};
		if (same_identity(&p->filesystem, &p->effective))
			p->filesystem = (struct identity){0};
	}
	if (!has_identity(&account))
		return;
	if (!is_account_type(v->main->number)) {
		p->target = account;
	} else if (!has_identity(&p->audit) || (p->audit.name.p != NULL && account.name.p != NULL && equal(p->audit.name, account.name))) {
		p->user = p->audit;
		if (account.id.p != NULL)
			p->user.id = account.id;
		if (account.name.p != NULL)
			p->user.name = account.name;
		p->saved = p->filesystem = (struct identity){0};
	} else if (account.id.p != NULL || (account.name.p == NULL) != (p->user.name.p == NULL) || !equal(account.name, p->user.name)) {
		p->effective = account;
	}
}

static struct slice basename_of(struct slice path)
{
	for (size_t i = path.n; i > 0; i--)
		if (path.p[i - 1] == '/')
			return (struct slice){path.p + i, path.n - i};
	return path;
}

static void find_process(const struct view *v, struct ecs_parts *p)
{
	p->executable = view_string(v, F_EXE);
	p->process_name = view_string(v, F_COMM);
	if (p->process_name.n == 0 && p->executable.n > 0)
		p->process_name = basename_of(p->executable);
	p->command_line = text_of(view_message(v, F_CMD));
}

static unsigned rank_of(struct slice nametype)
{
	if (SLICE_IS(nametype, "CREATE"))
		return 0;
	if (SLICE_IS(nametype, "DELETE"))
		return 1;
	if (SLICE_IS(nametype, "NORMAL"))
		return 2;
	return SLICE_IS(nametype, "UNKNOWN") ? 3 : 9;
}

static bool is_fdcwd(const struct value *a0)
{
	return is_text(a0) && (SLICE_IS(a0->text, "0xffffff9c") || SLICE_IS(a0->text, "0xffffffffffffff9c"));
}

static bool is_at_call(const struct value *call)
{
	const struct call_meaning *row = is_text(call) ? call_find(call->text) : NULL;

	return row != NULL && row->at;
}

/* Relative names start at CWD, unless the call was given another directory, which no record names. */
static struct slice absolute(const struct view *v, struct slice name)
{
	const struct object_value *cwd_record = view_type(v, AUDIT_CWD);
	const struct value *cwd = cwd_record == NULL ? NULL : object_get_field(cwd_record, F_CWD);
	bool slash;
	char *joined;

	if (name.n > 0 && name.p[0] == '/')
		return name;
	if (v->syscall != NULL && is_at_call(object_get_field(v->syscall, F_SYSCALL)) && !is_fdcwd(object_get_field(v->syscall, F_A0)))
		return name;
	if (!is_text(cwd))
		return name;
	slash = cwd->text.n > 0 && cwd->text.p[cwd->text.n - 1] != '/';
	joined = arena_take(v->arena, cwd->text.n + slash + name.n);
	memcpy(joined, cwd->text.p, cwd->text.n);
	if (slash)
		joined[cwd->text.n] = '/';
	memcpy(joined + cwd->text.n + slash, name.p, name.n);
	return (struct slice){joined, cwd->text.n + slash + name.n};
}

/* The PATH record the event is about: what it created, else deleted, else the first normal one; else what an AVC names. */
static void find_file(const struct view *v, struct ecs_parts *p)
{
	const struct object_value *avc = view_type(v, AUDIT_AVC);
	const struct value *name = NULL;
	unsigned best = 10;

	for (uint32_t i = 0; i < v->count; i++) {
		const struct object_value *path = v->records[i].object;
		struct slice nametype;

		if (v->records[i].number != AUDIT_PATH || !is_text(object_get_field(path, F_NAME)))
			continue;
		nametype = text_of(object_get_field(path, F_NAMETYPE));
		if (!SLICE_IS(nametype, "PARENT") && rank_of(nametype) < best) {
			best = rank_of(nametype);
			p->file = path;
		}
	}
	if (p->file != NULL) {
		p->file_path = absolute(v, object_get_field(p->file, F_NAME)->text);
		return;
	}
	if (avc != NULL)
		name = object_get_field(avc, F_PATH);
	if (avc != NULL && (name == NULL || name->type == VALUE_NULL || (is_text(name) && name->text.n == 0)))
		name = object_get_field(avc, F_NAME);
	p->file_path = text_of(name);
}

static void find_peer(const struct view *v, const struct object_value *address, bool out, struct ecs_parts *p)
{
	const struct value *ip = object_get_field(address, F_ADDR), *path = object_get_field(address, F_PATH);
	const struct value *abstract = object_get_field(address, F_ABSTRACT);
	struct end_point *end = out ? &p->destination : &p->source;
	char *name;

	if (ip != NULL) {
		end->address = end->ip = ip->text;
		end->port = object_get_field(address, F_PORT);
		p->direction = out ? "egress" : "ingress";
		p->network_type = memchr(ip->text.p, ':', ip->text.n) != NULL ? "ipv6" : "ipv4";
	} else if (path != NULL) {
		end->address = path->text;
	} else if (abstract != NULL) {
		name = arena_take(v->arena, abstract->text.n + 1);
		name[0] = '@';
		memcpy(name + 1, abstract->text.p, abstract->text.n);
		end->address = (struct slice){name, abstract->text.n + 1};
	}
}

/* The canonical form of an IP address; p == NULL when the text is none. */
static struct slice ip_of(const struct view *v, struct slice text)
{
	unsigned char address[16];
	char copy[64], *to;
	struct allocator none = {NULL, NULL};
	struct buf fixed;

	if (text.n >= sizeof(copy) || memchr(text.p, 0, text.n) != NULL)
		return (struct slice){NULL, 0};
	memcpy(copy, text.p, text.n);
	copy[text.n] = 0;
	to = arena_take(v->arena, 64);
	fixed = (struct buf){.data = to, .cap = 64, .alloc = &none};
	if (inet_pton(AF_INET, copy, address) == 1)
		put_ipv4(&fixed, address);
	else if (inet_pton(AF_INET6, copy, address) == 1)
		put_ipv6(&fixed, address);
	else
		return (struct slice){NULL, 0};
	return (struct slice){to, fixed.len};
}

static void find_network(const struct view *v, const struct meaning *meaning, struct ecs_parts *p)
{
	const struct object_value *record = view_type(v, AUDIT_SOCKADDR);
	const struct value *address = record == NULL ? NULL : object_get_field(record, F_SADDR);
	bool session = meaning->object == OBJECT_USER_SESSION;
	struct end_point source = {0};

	if (is_object(address) && (meaning->object == OBJECT_SOCKET_OUT || meaning->object == OBJECT_SOCKET_IN)) {
		find_peer(v, address->object, meaning->object == OBJECT_SOCKET_OUT, p);
		return;
	}
	for (int i = 0; i < 2; i++) {
		struct slice text = text_of(view_message(v, i == 0 ? F_ADDR : F_HOSTNAME)), ip;

		if (text.p == NULL)
			continue;
		ip = ip_of(v, text);
		if (ip.p != NULL)
			source.ip = ip;
		else if (i == 1 && session)
			source.domain = text;
		if (source.address.p == NULL)
			source.address = text;
	}
	if (source.address.p == NULL || (source.ip.p == NULL && !session))
		return;
	p->source = source;
	if (source.ip.p != NULL)
		p->direction = "ingress";
}

void ecs_find_parts(const struct view *v, const struct meaning *meaning, struct ecs_parts *ret)
{
	find_user(v, ret);
	ret->group = text_of(view_message(v, F_GRP));
	find_process(v, ret);
	if (meaning->object == OBJECT_FILE || meaning->object == OBJECT_PROCESS)
		find_file(v, ret);
	find_network(v, meaning, ret);
}
