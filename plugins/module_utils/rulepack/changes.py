# SPDX-License-Identifier: Apache-2.0
"""Two versions of a pack → what changed in rule terms, and the least SemVer bump of each change.

The policy stands in docs/packs-versions.md. Meaning counts, never text: the order of system calls, the spelling of a
filter or the layout of the YAML is no change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from .model import Case, Pack, Place, Rule, Syscall, Value
from .normalise import normalise, out_of_order
from .scope import active, covers, defaults, lines, looser, meet, silences, within
from .versions import parts

NONE, PATCH, MINOR, MAJOR = "none", "patch", "minor", "major"
LEVELS = (NONE, PATCH, MINOR, MAJOR)
KINDS = ("added", "removed", "widened", "narrowed", "moved", "key_changed", "other")
_TEXTS = ("title", "why", "severity", "maturity", "false_positives", "known_gaps", "noise")
_NOWHERE = Place("", 0)


class Change(NamedTuple):
    """`rule`: the id, or the pack's name for what concerns all of it, or the line of an auditctl file."""

    kind: str
    rule: str
    reason: str
    bump: str = NONE


def least_bump(changes: Iterable[Change]) -> str:
    """The greatest bump that one of them asks for."""
    return max((change.bump for change in changes), key=LEVELS.index, default=NONE)


def raised_enough(old: str, new: str, least: str) -> bool:
    """Whether SemVer `new` is above `old` by at least the bump."""
    before, after = ((*parts(version), 0, 0, 0)[:3] for version in (old, new))
    if least == NONE:
        return after >= before
    length = {"major": 1, "minor": 2, "patch": 3}[least]
    return after[:length] > before[:length]


def changes(old: Pack, new: Pack) -> list[Change]:
    """All that changed, pack first, then rule by rule in the order of `new`."""
    before, after = {rule.id: rule for rule in old.rules}, {rule.id: rule for rule in new.rules}
    found = _pack_changes(old, new)
    found += [Change("removed", name, f"{_what(rule)}", MAJOR) for name, rule in before.items() if name not in after]
    for name, rule in after.items():
        if name in before:
            found += _rule_changes(before[name], rule, old, new)
        else:
            found.append(_added(rule, old, new))
    found += _moves(old, new)
    found += _case_changes(old.cases, new.cases, new.name)
    return found


def _what(rule: Rule) -> str:
    return f"{rule.title} (key {rule.key})" if rule.key else rule.title


def _added(rule: Rule, old: Pack, new: Pack) -> Change:
    """A rule that silences is no gift: what it meets is told no longer."""
    values = defaults(new)
    if active(rule, values) and silences(rule):
        own = lines(rule, values)
        told = [other for other in old.rules if active(other, defaults(old)) and not silences(other)]
        for other in told:
            if rule.list != "exit" or (not other.control and meet(own, lines(other, defaults(old)))):
                reason = f"{_what(rule)}: it silences events, those of `{other.id}` among them"
                return Change("added", rule.id, reason, MAJOR)
    immutable = rule.control is not None and rule.control.option == "-e" and active(rule, values)
    return Change("added", rule.id, _what(rule), MAJOR if immutable else MINOR)


def _rule_changes(old: Rule, new: Rule, old_pack: Pack, new_pack: Pack) -> list[Change]:
    found = []
    before, after = defaults(old_pack), defaults(new_pack)
    if old.key != new.key:
        found.append(Change("key_changed", new.id, f"key {old.key or 'none'} → {new.key or 'none'}", MAJOR))
    was, now = active(old, before), active(new, after)
    if was != now:
        kind, reason = ("widened", "is now there by default") if now else ("narrowed", "is no longer there by default")
        less = now == silences(new)
        control = new.control is not None and new.control.option == "-e" and now
        found.append(Change(kind, new.id, reason, MAJOR if less or control else MINOR))
    found += _benchmark_changes(old, new, old_pack, new_pack)
    if old.control or new.control:
        if old.control != new.control:
            same = old.control and new.control and old.control.option == new.control.option
            found.append(Change("other", new.id, f"{old.control} → {new.control}", MINOR if same else MAJOR))
    else:
        found += _match_changes(old, new, before, after)
        found += _variant_changes(old, new, before, after)
    found += _missing_changes(old, new)
    texts = [name for name in _TEXTS if getattr(old, name) != getattr(new, name)]
    texts += ["attack"] if set(old.attack) != set(new.attack) else []
    texts += ["references"] if set(old.references) != set(new.references) else []
    if texts:
        found.append(Change("other", new.id, f"documentation: {', '.join(texts)}", PATCH))
    return found


def _match_changes(old: Rule, new: Rule, before: Mapping[str, Value], after: Mapping[str, Value]) -> list[Change]:
    if (old.list, old.action) != (new.list, new.action):
        reason = f"{old.action},{old.list} → {new.action},{new.list}"
        return [Change("narrowed", new.id, reason, MAJOR)]
    grows, shrinks = not covers(old, new, before, after), not covers(new, old, after, before)
    if not grows and not shrinks:
        return []
    details = _details(old, new, before, after)
    if shrinks and _only_place_differs(old, new, before, after):
        return [Change("other", new.id, f"path mended: {details}", PATCH)]
    found = [Change("narrowed", new.id, details, PATCH if silences(new) else MAJOR)] if shrinks else []
    found += [Change("widened", new.id, details, MAJOR if silences(new) else PATCH)] if grows else []
    return found


def _variant_changes(old: Rule, new: Rule, before: Mapping[str, Value], after: Mapping[str, Value]) -> list[Change]:
    """What a benchmark says otherwise is a rule of its own on that benchmark's hosts."""
    found: list[Change] = []
    for benchmark in sorted({*old.variants, *new.variants}):
        was, now = old.under(benchmark), new.under(benchmark)
        here = [*_match_changes(was, now, before, after), *_missing_changes(was, now)]
        if was.key != now.key:
            here.append(Change("key_changed", new.id, f"key {was.key or 'none'} → {now.key or 'none'}", MAJOR))
        found += [one._replace(reason=f"under {benchmark}: {one.reason}") for one in here]
    return found


def _only_place_differs(old: Rule, new: Rule, before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
    """Whether another file or directory, not a part of the former one, is watched for at least the same."""
    if not (old.path or old.dir) or not (new.path or new.dir) or covers(old, new, before, after):
        return False
    back = replace(new, path=old.path, dir=old.dir)
    return covers(back, old, {**after, **before}, before)


def _details(old: Rule, new: Rule, before: Mapping[str, Value], after: Mapping[str, Value]) -> str:
    """`syscalls +openat2 -open, path /a → /b`."""
    parts = [
        _signed("syscalls", {_named(one) for one in old.syscalls}, {_named(one) for one in new.syscalls}),
        _signed("abis", set(old.abis), set(new.abis)),
    ]
    canons = [
        {str(item) for line in lines(rule, values) for item in (*normalise(line).fields, *normalise(line).compares)}
        for rule, values in ((old, before), (new, after))
    ]
    parts.append(_signed("match", canons[0], canons[1]))
    if old.condition != new.condition:
        parts.append("where it is rendered (machines, audit, kernel)")
    return ", ".join(part for part in parts if part)


def _named(syscall: Syscall) -> str:
    condition = syscall.condition
    where = [*condition.abis, *condition.machines]
    where += [f"audit{condition.audit}"] if condition.audit else []
    where += [f"kernel{condition.kernel}"] if condition.kernel else []
    return f"{syscall.name}({' '.join(where)})" if where else syscall.name


def _signed(what: str, before: set[str], after: set[str]) -> str:
    words = [f"-{name}" for name in sorted(before - after)] + [f"+{name}" for name in sorted(after - before)]
    return f"{what} {' '.join(words)}" if words else ""


_REACH = {"fail": 0, "skip": 1, "watch": 2, "create": 2}
"""`fail` refuses the host, `skip` leaves the rule out, the others keep it."""


def _missing_changes(old: Rule, new: Rule) -> list[Change]:
    found = []
    if old.missing != new.missing and (new.path or new.dir):
        less = _REACH[new.missing] < _REACH[old.missing]
        kind = "narrowed" if less else "widened" if _REACH[new.missing] > _REACH[old.missing] else "other"
        found.append(Change(kind, new.id, f"missing: {old.missing} → {new.missing}", MAJOR if less else PATCH))
    if (old.symlink, old.create) != (new.symlink, new.create):
        found.append(Change("other", new.id, "how its path is found or made", PATCH))
    return found


def _benchmark_changes(old: Rule, new: Rule, old_pack: Pack, new_pack: Pack) -> list[Change]:
    """A rule that names benchmarks of its pack is there on their hosts alone."""
    declared = {one.id for one in old_pack.benchmarks}, {one.id for one in new_pack.benchmarks}
    was, now = ({ref.benchmark for ref in rule.references} & own for rule, own in zip((old, new), declared))
    if was == now:
        return []
    if (not was and now) or (now and was - now):
        reason = f"is there in benchmarks {', '.join(sorted(now))} only, was in {', '.join(sorted(was)) or 'all'}"
        return [Change("narrowed", new.id, reason, MAJOR)]
    reason = f"is now there in {', '.join(sorted(now - was)) or 'all benchmarks'} too"
    return [Change("widened", new.id, reason, MAJOR if silences(new) else MINOR)]


def _moves(old: Pack, new: Pack) -> list[Change]:
    """Rules out of their former order. The first match wins, so a rule that falls behind one it meets loses events."""
    before, after = {rule.id: rule for rule in old.rules}, {rule.id: rule for rule in new.rules}
    place = {name: index for index, name in enumerate(before)}
    common = [name for name in after if name in place]
    moved = out_of_order([(place[name], name) for name in common])
    found = []
    for name in moved:
        here = common.index(name)
        passed = [other for other in common[:here] if place[other] > place[name]]
        passing = [other for other in common[here:] if place[other] < place[name]]
        losers = [(name, other) for other in passed] + [(other, name) for other in passing]
        lost = [(late, early) for late, early in losers if _loses(after[late], after[early], new)]
        reasons = [f"`{late}` loses events to `{early}`, which is now before it" for late, early in lost]
        found.append(Change("moved", name, "; ".join(reasons) or "no rule gains or loses", MAJOR if lost else NONE))
    return found


def _loses(late: Rule, early: Rule, pack: Pack) -> bool:
    values = defaults(pack)
    if (late.key, late.action) == (early.key, early.action) or late.control or early.control:
        return False
    both = active(late, values) and active(early, values)
    return both and meet(lines(late, values), lines(early, values))


def _case_changes(old: tuple[Case, ...], new: tuple[Case, ...], name: str) -> list[Change]:
    before, after = ({case.id: replace(case, place=_NOWHERE) for case in cases} for cases in (old, new))
    differing = sorted(one for one in {*before, *after} if before.get(one) != after.get(one))
    return [Change("other", name, f"cases: {', '.join(differing)}", PATCH)] if differing else []


def _pack_changes(old: Pack, new: Pack) -> list[Change]:
    found: list[tuple[str, str]] = []
    if old.name != new.name:
        found.append((MAJOR, f"the pack is named {new.name}, was {old.name}"))
    if old.order != new.order:
        found.append((MAJOR, f"load order {old.order} → {new.order}: rules of other packs win or lose events"))
    found += _names("variable", old.variables, new.variables)
    for name in old.variables.keys() & new.variables.keys():
        was, now = old.variables[name], new.variables[name]
        if was.type != now.type or set(was.values) - set(now.values):
            found.append((MAJOR, f"variable {name} takes other values"))
        elif set(now.values) - set(was.values):
            found.append((MINOR, f"variable {name} takes more values"))
        if was.default != now.default:
            found.append((PATCH, f"variable {name} is {now.default} by default, was {was.default}"))
    found += _names("benchmark", {one.id for one in old.benchmarks}, {one.id for one in new.benchmarks})
    found += _support_changes(old, new)
    required = {one.name: one.version for one in old.requires}, {one.name: one.version for one in new.requires}
    for name, version in required[1].items():
        if name not in required[0] or not within(required[0][name], version):
            found.append((MAJOR, f"requires {name} {version}".rstrip()))
    if set(new.conflicts) - set(old.conflicts):
        found.append((MAJOR, f"conflicts with {', '.join(sorted(set(new.conflicts) - set(old.conflicts)))}"))
    texts = [name for name in ("title", "description", "licence", "maintainers", "maturity")
             if getattr(old, name) != getattr(new, name)]  # fmt: skip
    found += [(PATCH, f"documentation: {', '.join(texts)}")] if texts else []
    return [Change("other", new.name, reason, bump) for bump, reason in found]


def _names(what: str, before: Collection[str], after: Collection[str]) -> list[tuple[str, str]]:
    gone, come = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    return [(MAJOR, f"{what} {name} is gone") for name in gone] + [(MINOR, f"{what} {name} is new") for name in come]


def _support_changes(old: Pack, new: Pack) -> list[tuple[str, str]]:
    found = []
    before, after = old.supports, new.supports
    if before.condition != after.condition:
        easier = looser(after.condition, before.condition)
        what = "less is asked of audit, kernel or machine" if easier else "more is asked of audit, kernel or machine"
        found.append((MINOR if easier else MAJOR, f"supports: {what}"))
    was, now = ({f"{name} {one}".strip() for name, many in supports.distros.items() for one in many or ("",)}
                for supports in (before, after))  # fmt: skip
    if was != now:
        fewer = (not was and now) or (now and was - now)
        found.append((MAJOR if fewer else MINOR, f"supports {', '.join(sorted(now)) or 'any distro'}"))
    return found
