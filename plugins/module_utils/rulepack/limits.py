# SPDX-License-Identifier: Apache-2.0
"""Refuses lines that are more than the kernel or auditctl takes; they would stop a load in its middle.

Sources: include/uapi/linux/audit.h (AUDIT_MAX_FIELDS, AUDIT_MAX_KEY_LEN), kernel/auditfilter.c (audit_unpack_string:
PATH_MAX; one watch or one tree for a rule), lib/libaudit.h (MAX_AUDIT_MESSAGE_LENGTH) and struct audit_rule_data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .errors import PackError
from .line import KEY_BYTES, Line
from .model import Place
from .shadow import Placed

FIELDS = 64
PATH_BYTES = 4096
TEXT_BYTES = 8970 - 1040
"""All texts of a rule: what a netlink message holds beside the fixed part of the rule."""
_TEXTS = ("path", "dir", "exe", "subj_user", "subj_role", "subj_type", "subj_sen", "subj_clr", "obj_user", "obj_role",
          "obj_type", "obj_lev_low", "obj_lev_high")  # fmt: skip


def too_much(placed: Iterable[Placed], places: Mapping[str, Place]) -> list[PackError]:
    """One error for each line over a limit; it names each rule of the line with its place (`places`, by rule id)."""
    found: dict[str, PackError] = {}
    for one in placed:
        excess = _excess(one.line)
        if excess:
            what, remedy = excess
            others = [f"`{name}` ({places.get(name, '')})" for name in one.also]
            also = f" says the same as {', '.join(others)}, and" if others else ""
            error = PackError(one.place.file, one.place.line, f"rule `{one.rule}`{also} {what}", remedy)
            found.setdefault(error.message, error)
    return list(found.values())


def _excess(line: Line) -> tuple[str, str] | None:
    """What a line has too much of, and the remedy."""
    keys = len("\x01".join(line.keys).encode())
    if keys > KEY_BYTES:
        them = "their keys together are" if len(line.keys) > 1 else "its key is"
        return f"{them} {keys} bytes; the kernel takes {KEY_BYTES}", "shorten a key, or exclude one of the rules"
    fields = len(line.fields) + len(line.compares) + bool(line.arch) + bool(line.keys)
    if fields > FIELDS:
        return f"has {fields} fields; the kernel takes {FIELDS}", "split the rule, or drop filters"
    watched = [item.value for item in line.fields if item.field in ("path", "dir")]
    if len(watched) > 1:
        return f"watches {' and '.join(watched)}; the kernel takes one of them a rule", "make a rule of each"
    texts = [(item.field, item.value, len(item.value.encode())) for item in line.fields if item.field in _TEXTS]
    for field, value, size in texts:
        if size > PATH_BYTES:
            return f"has `{field}={value[:40]}…` of {size} bytes; the kernel takes {PATH_BYTES}", "shorten it"
    total = keys + sum(size for _, _, size in texts)
    if total > TEXT_BYTES:
        return f"has {total} bytes of texts; a message to the kernel takes {TEXT_BYTES}", "split the rule"
    return None
