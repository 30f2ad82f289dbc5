/* SPDX-License-Identifier: Apache-2.0 */
#include "flags.h"

#include "decode.h"

/* The JSON string or list being written. */
struct names_list {
	struct buf *to;
	bool any;
};

static void put_quoted(struct buf *to, const char *name)
{
	buf_putc(to, '"');
	buf_puts(to, name);
	buf_putc(to, '"');
}

static void list_add(struct names_list *list, const char *name)
{
	buf_putc(list->to, list->any ? ',' : '[');
	list->any = true;
	put_quoted(list->to, name);
}

static const char *name_of(unsigned table, uint64_t value)
{
	const struct flag_table *t = &flag_tables[table - 1];
	unsigned low = 0, high = t->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (t->names[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->count && t->names[low].value == value ? t->names[low].name : NULL;
}

static void put_hex64(struct buf *to, uint64_t value)
{
	if (value >> 32 != 0) {
		put_hex_digits(to, (uint32_t)(value >> 32));
		for (int shift = 28; shift >= 0; shift -= 4)
			buf_putc(to, "0123456789abcdef"[value >> shift & 15]);
	} else {
		put_hex_digits(to, (uint32_t)value);
	}
}

static bool put_flags(struct names_list *list, unsigned table, uint64_t value)
{
	const struct flag_table *t = &flag_tables[table - 1];

	for (unsigned i = 0; i < t->count && value != 0; i++)
		if ((value & t->names[i].value) == t->names[i].value) {
			list_add(list, t->names[i].name);
			value &= ~t->names[i].value;
		}
	if (value != 0) {
		buf_putc(list->to, list->any ? ',' : '[');
		list->any = true;
		BUF_LITERAL(list->to, "\"0x");
		put_hex64(list->to, value);
		buf_putc(list->to, '"');
	}
	if (list->any)
		buf_putc(list->to, ']');
	return list->any;
}

static void put_permissions(struct buf *to, uint64_t value)
{
	buf_putc(to, '"');
	for (int shift = 9; shift >= 0; shift -= 3)
		buf_putc(to, (char)('0' + (value >> shift & 7)));
	buf_putc(to, '"');
}

/* As `ls -l` writes it; false when the file type is none. */
static bool put_mode(struct buf *to, uint64_t value)
{
	static const char letters[16] = {[1] = 'p', [2] = 'c', [4] = 'd', [6] = 'b', [8] = '-', [10] = 'l', [12] = 's'};
	static const char special[3] = {'s', 's', 't'};
	char letter = value >> 12 < 16 ? letters[value >> 12] : 0;

	if (letter == 0)
		return false;
	buf_putc(to, '"');
	buf_putc(to, letter);
	for (unsigned i = 0; i < 3; i++) {
		unsigned bits = (unsigned)(value >> (6 - 3 * i) & 7);
		bool set = (value >> (11 - i) & 1) != 0;

		buf_putc(to, (bits & 4) != 0 ? 'r' : '-');
		buf_putc(to, (bits & 2) != 0 ? 'w' : '-');
		if (set)
			buf_putc(to, (char)((bits & 1) != 0 ? special[i] : special[i] - 'a' + 'A'));
		else
			buf_putc(to, (bits & 1) != 0 ? 'x' : '-');
	}
	buf_putc(to, '"');
	return true;
}

bool flags_put(struct buf *to, unsigned decoder, uint64_t value, const struct arch_entry *arch)
{
	const struct flag_decoder *d = &flag_decoders[decoder - 1];
	unsigned at = arch == NULL ? 0 : (unsigned)(arch - arch_entries) + 1;
	struct names_list list = {to, false};
	const char *name = NULL;

	value &= d->width;
	switch (d->kind) {
	case FLAGS_PERMISSIONS:
	case FLAGS_CREATION:
		if (value == 0 && d->kind == FLAGS_CREATION)
			return false;
		put_permissions(to, value);
		return true;
	case FLAGS_MODE:
		return put_mode(to, value);
	case FLAGS_CAPABILITIES:
		return put_flags(&list, d->bits[at], value);
	case FLAGS_KEYS:
		return false;
	case FLAGS_NAMES:
		break;
	}
	if (d->names[at] != 0)
		name = name_of(d->names[at], value & d->mask);
	if (d->bits[at] == 0) {
		if (name != NULL)
			put_quoted(to, name);
		return name != NULL;
	}
	if (name != NULL) {
		list_add(&list, name);
		value &= ~d->mask;
	}
	return put_flags(&list, d->bits[at], value);
}

static bool number_of(struct slice token, unsigned base, uint64_t *ret)
{
	struct slice digits;

	if (base == 10) {
		if (!token_is_decimal(token))
			return false;
		*ret = (uint64_t)token_number(token);
		return true;
	}
	if (base == 16 ? !token_hex(token, &digits) : !token_octal(token, &digits))
		return false;
	*ret = 0;
	for (size_t i = 0; i < digits.n; i++)
		*ret = base == 16 ? *ret << 4 | (uint64_t)hex_value(digits.p[i]) : *ret << 3 | (uint64_t)(digits.p[i] - '0');
	return true;
}

/* Decoders of a0 to a3; clone() of s390x takes the stack first. */
static bool arguments_of(struct slice syscall, const struct arch_entry *arch, uint8_t ret[4])
{
	const struct call_meaning *row = syscall.n == 0 ? NULL : call_find(syscall);

	if (row == NULL)
		return false;
	memcpy(ret, row->decoders, 4);
	if (ret[0] != 0 && SLICE_IS(syscall, "clone") && arch != NULL && strcmp(arch->name, "s390x") == 0) {
		ret[1] = ret[0];
		ret[0] = 0;
	}
	return (ret[0] | ret[1] | ret[2] | ret[3]) != 0;
}

void flags_of_record(uint16_t number, struct slice fields, const struct arch_entry *arch, struct slice syscall, flags_found *found, void *ctx)
{
	static const struct allocator none = {NULL, NULL};
	static const uint16_t argument_fields[4] = {F_A0, F_A1, F_A2, F_A3};
	const struct flag_type *type = flag_types;
	char json[FLAGS_JSON_MAX + BUF_SLACK];
	struct buf text = {.data = json, .cap = FLAGS_JSON_MAX, .alloc = &none};
	uint8_t arguments[4];
	uint32_t done = 0;
	struct walk walk;
	struct field f;
	uint64_t value;

	if (number == AUDIT_SYSCALL && arguments_of(syscall, arch, arguments)) {
		for (walk = walk_run(fields); walk_next(&walk, &f);) {
			unsigned at = f.name.n == 2 && f.name.p[0] == 'a' ? (unsigned)(unsigned char)f.name.p[1] - '0' : 4;

			if (at > 3 || arguments[at] == 0 || (done >> at & 1) != 0)
				continue;
			text.len = 0;
			if (number_of(f.token, 16, &value) && flags_put(&text, arguments[at], value, arch)) {
				done |= 1u << at;
				found(ctx, argument_fields[at], (struct slice){text.data, text.len});
			}
		}
	}
	while (type < flag_types + flag_type_count && type->number != number)
		type++;
	if (type == flag_types + flag_type_count)
		return;
	done = 0;
	for (walk = walk_run(fields); walk_next(&walk, &f);) {
		const struct field_entry *entry = field_find(f.name);

		for (unsigned i = 0; entry != NULL && i < type->count; i++) {
			const struct flag_field *row = &flag_fields[type->first + i];

			if (row->field != entry->index || (done >> i & 1) != 0)
				continue;
			text.len = 0;
			if (number_of(f.token, row->base, &value) && flags_put(&text, row->decoder, value, arch)) {
				done |= 1u << i;
				found(ctx, row->field, (struct slice){text.data, text.len});
			}
			break;
		}
	}
}

static const char *sequence_name(const char *p, size_t n)
{
	if (n < 3 || p[0] != 0x1b || p[1] != '[')
		return NULL;
	switch (p[2]) {
	case 'A': return "<up>";
	case 'B': return "<down>";
	case 'C': return "<right>";
	case 'D': return "<left>";
	default: return NULL;
	}
}

static const char *key_name(char key)
{
	switch (key) {
	case 0x03: return "<^C>";
	case 0x04: return "<^D>";
	case 0x08: return "<backspace>";
	case 0x09: return "<tab>";
	case 0x0a: return "<nl>";
	case 0x0d: return "<ret>";
	case 0x1a: return "<^Z>";
	case 0x1b: return "<esc>";
	case 0x7f: return "<backspace>";
	default: return NULL;
	}
}

void flags_put_keys(struct buf *to, struct slice data)
{
	for (size_t i = 0; i < data.n; i++) {
		const char *name = sequence_name(data.p + i, data.n - i);

		if (name != NULL)
			i += 2;
		else
			name = key_name(data.p[i]);
		if (name != NULL)
			buf_puts(to, name);
		else
			buf_putc(to, data.p[i]);
	}
}
