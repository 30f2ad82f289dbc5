/* SPDX-License-Identifier: Apache-2.0 */
#include "records_translate.h"

#include "decode.h"
#include "records_value.h"

void translation_of_syscall(struct translation *t, struct slice arch, struct slice syscall)
{
	t->arch = arch_find(arch);
	if (t->arch != NULL && token_is_decimal(syscall))
		t->syscall = syscall_name(t->arch, (uint64_t)token_number(syscall));
}

struct translation translation_of_record(const struct record *r, struct slice fields, struct buf *scratch)
{
	struct slice arch = {"", 0}, syscall = {"", 0}, bytes;
	struct walk walk = walk_run(fields);
	struct translation ret = {0};
	struct field f;

	while (walk_next(&walk, &f)) {
		if (SLICE_IS(f.name, "arch")) {
			arch = f.token;
		} else if (SLICE_IS(f.name, "syscall")) {
			syscall = f.token;
		} else if (r->number == AUDIT_SOCKADDR && SLICE_IS(f.name, "saddr")) {
			struct sockaddr_parts parts = {0};

			if (token_encoded(f.token, scratch, &bytes))
				parts = sockaddr_parse(bytes, false);
			if (parts.shape != SA_OPAQUE && parts.shape <= SA_VSOCK) {
				ret.address = true;
				ret.parts = parts;
			}
		}
	}
	if (r->number == AUDIT_SYSCALL)
		translation_of_syscall(&ret, arch, syscall);
	return ret;
}

bool translation_replaces(const struct translation *t, struct slice name)
{
	return (t->arch != NULL && SLICE_IS(name, "ARCH")) || (t->syscall != NULL && SLICE_IS(name, "SYSCALL")) ||
	       (t->address && (SLICE_IS(name, "SADDR") || SLICE_IS(name, "saddr")));
}

void translation_put(struct writer *w, const struct translation *t)
{
	if (t->arch != NULL) {
		put_word(records_member(w, "ARCH"), slice_of(t->arch->name));
		records_member_end(w);
	}
	if (t->syscall != NULL) {
		put_word(records_member(w, "SYSCALL"), slice_of(t->syscall));
		records_member_end(w);
	}
	if (t->address) {
		records_address(records_member(w, "SADDR"), &t->parts);
		records_member_end(w);
	}
}
