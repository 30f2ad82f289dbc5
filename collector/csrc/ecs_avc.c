/* SPDX-License-Identifier: Apache-2.0 */
/* What an AVC record means: a denial or a grant, by SELinux or AppArmor (emit_ecs.py, _avc_meaning). */
#include "ecs.h"

static bool is_given(const struct value *v)
{
	return v != NULL && v->type != VALUE_NULL && !(v->type == VALUE_TEXT && v->text.n == 0);
}

/* The row of apparmor="DENIED" or, without it, of SELinux's granted or denied; NULL without. */
static const struct avc_word *find_word(const struct object_value *avc)
{
	const struct value *word = object_get_field(avc, F_APPARMOR);

	if (!is_given(word))
		word = object_get_field(avc, F_SERESULT);
	for (unsigned i = 0; is_text(word) && i < avc_word_count; i++)
		if (slice_is(word->text, avc_words[i].word, strlen(avc_words[i].word)))
			return &avc_words[i];
	return NULL;
}

static bool starts_with(struct slice text, const char *start)
{
	size_t n = strlen(start);

	return text.n >= n && memcmp(text.p, start, n) == 0;
}

struct meaning ecs_avc_meaning(const struct view *v)
{
	const struct object_value *avc = view_type(v, AUDIT_AVC);
	const struct avc_word *word = find_word(avc);
	struct meaning ret = meanings[word != NULL && word->meaning != MEANING_NONE ? word->meaning
										    : record_meanings[AUDIT_AVC - MEANING_FIRST].meaning];
	const struct value *target = object_get_field(avc, F_TCLASS);

	if (!is_text(target) || ret.object != OBJECT_FILE)
		return ret;
	if (starts_with(target->text, "process") || starts_with(target->text, "capability") || starts_with(target->text, "cap_userns") ||
	    starts_with(target->text, "cap2_userns"))
		ret.object = OBJECT_PROCESS;
	else if (target->text.n >= 6 && memcmp(target->text.p + target->text.n - 6, "socket", 6) == 0)
		ret.object = OBJECT_SOCKET;
	return ret;
}

const char *ecs_avc_outcome(const struct view *v)
{
	const struct object_value *avc = view_type(v, AUDIT_AVC);
	const struct value *permissive = avc == NULL ? NULL : object_get_field(avc, F_PERMISSIVE);
	const struct avc_word *word;

	if (avc == NULL)
		return NULL;
	if (is_text(permissive) && SLICE_IS(permissive->text, "1"))
		return "success";
	word = find_word(avc);
	return word == NULL ? NULL : word->outcome;
}
