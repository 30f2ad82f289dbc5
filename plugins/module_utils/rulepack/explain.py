# SPDX-License-Identifier: Apache-2.0
"""What a rule catches, why, how it was proven and how it can be evaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from .errors import PackError
from .line import Control, Line, parse_line
from .model import Pack, Rule
from .normalise import normalise
from .proof import Proof
from .scope import covered, defaults, lines, meet, plain
from .shadow import contradiction

_PERMS = {"r": "reading", "w": "writing", "x": "execution", "a": "changes of attributes"}

Found = tuple[Pack, Rule, str]
"""A rule and what it has to do with what was asked for (an empty text: it is it)."""


def find(packs: Sequence[Pack], asked: str) -> list[Found]:
    """The rules of an id, a key or an auditctl line. PackError when there is none, or the line cannot be read."""
    rules = [(pack, rule) for pack in packs for rule in pack.rules]
    if asked.lstrip().startswith("-"):
        return _of_line(rules, asked)
    found = [(pack, rule, "") for pack, rule in rules if asked in (rule.id, *_keys(rule))]
    if found:
        return found
    names = sorted({name for _, rule in rules for name in (rule.id, *_keys(rule)) if name})
    near = get_close_matches(asked, names, n=3, cutoff=0.5)
    remedy = f"near it are {', '.join(near)}" if near else "`auditpack list` shows the packs"
    raise PackError(asked, 0, "no rule has this id or key", remedy)


def _keys(rule: Rule) -> list[str]:
    return [one.key for one in (rule, *rule.variants.values())]


def _of_line(rules: Iterable[tuple[Pack, Rule]], asked: str) -> list[Found]:
    line = _parsed(asked)
    if isinstance(line, Control):
        found = [
            (pack, rule, "") for pack, rule in rules if rule.control is not None and rule.control.option == line.option
        ]
    else:
        found = [(*one, how) for one in rules for how in [_relation(line, *one)] if how is not None]
        found.sort(key=lambda one: bool(one[2]))
    if not found:
        raise PackError("line", 0, f"no rule of the packs matches what `{line}` does", "`auditpack import` makes one")
    return found


def _parsed(asked: str) -> Line | Control:
    try:
        return parse_line(asked)
    except ValueError as failure:
        message, _, remedy = str(failure).partition(" — ")
        raise PackError("line", 0, message, remedy or "mend the line") from None


def _relation(line: Line, pack: Pack, rule: Rule) -> str | None:
    """How the rule stands to the line: empty for the same match, None for nothing in common worth telling."""
    if rule.control or rule.list != line.list:
        return None
    own, asked = lines(rule, defaults(pack)), plain(line)
    if any(normalise(one)._replace(keys=()) == normalise(asked)._replace(keys=()) for one in own):
        return ""
    wider, narrower = covered(own, asked), all(covered([asked], one) for one in own)
    if wider:
        return "" if narrower else "it takes all that the line takes, and more"
    if narrower:
        return "the line takes all that it takes, and more"
    narrow = meet(own, [asked]) and bool(rule.key) and (rule.key,) == line.keys
    return "it has the same key and takes a part of what the line takes" if narrow else None


def dead(asked: str) -> str:
    """Why a line can never match anything, or an empty string."""
    line = _parsed(asked)
    return contradiction(plain(line)) if isinstance(line, Line) else ""


def catches(rule: Rule) -> str:
    """The match in words; `$name` is a variable of the pack."""
    if rule.control:
        return f"nothing; it sets `{rule.control.option} {rule.control.value}`".rstrip()
    perms = " and ".join(_PERMS[letter] for letter in rule.perm)
    place = rule.path or (f"{rule.dir} and all below it" if rule.dir else f"each of {rule.each}" if rule.each else "")
    if place:
        what = f"{perms or 'every system call'} of {place}" if rule.perm else f"every system call on {place}"
    elif rule.syscalls:
        what = "system calls " + ", ".join(syscall.name for syscall in rule.syscalls)
    else:
        what = f"records of list {rule.list}"
    conditions = [*rule.filters, *rule.compares]
    verb = "silences " if rule.action == "never" or rule.list == "exclude" else ""
    abis = "" if rule.abis == ("b64", "b32") or rule.list != "exit" else f"; ABI {', '.join(rule.abis) or 'any'}"
    return f"{verb}{what}{f' where {chr(32).join(conditions)}' if conditions else ''}{abis}"


def account(found: Found, proof: Proof) -> dict[str, Any]:
    """All that is known of a rule, as plain data."""
    pack, rule, relation = found
    cases = [case for case in pack.cases if rule.id in case.rules]
    rows = proof.rows.get(rule.id, ())
    gaps = [f"case {case.id}: {case.title}: {case.xfail['reason']}" for case in cases if case.xfail]
    return {
        "rule": rule.id,
        "relation": relation,
        "pack": f"{pack.name} {pack.version}",
        "place": str(rule.place),
        "title": rule.title,
        "why": " ".join(rule.why.split()),
        "catches": catches(rule),
        "variants": {
            name: f"{catches(one)}{f'; key {one.key}' if one.key != rule.key else ''}"
            for name, one in rule.variants.items()
        },
        "key": rule.key,
        "severity": rule.severity,
        "maturity": rule.maturity,
        "attack": list(rule.attack),
        "sections": [f"{one.benchmark} {one.version} {one.section}" for one in rule.references],
        "false_positives": rule.false_positives,
        "noise": rule.noise,
        "status": proof.status(rule),
        "cases": [f"{case.id}: {case.title}" for case in cases],
        "hosts": proof.by_host(rule),
        "proof": [_proof_line(row) for row in rows],
        "evaded_by": [*([" ".join(rule.known_gaps.split())] if rule.known_gaps else []), *gaps],
    }


def _proof_line(row: Any) -> str:
    event = row["event"] or {}
    number = event.get("event", {}).get("id") or event.get("ID") or "" if isinstance(event, dict) else ""
    where = "{distro}, kernel {kernel}, audit {audit}, {arch}".format(**row)
    return f"{row['verdict']} on {where}: {row['case'] or 'no case'}" + "".join(
        f" ({text})" for text in (row["reason"], f"event {number}" if number else "") if text
    )
