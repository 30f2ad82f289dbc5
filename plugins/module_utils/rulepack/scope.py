# SPDX-License-Identifier: Apache-2.0
"""What a rule matches, without a host: whether one rule matches all that another does, and whether two can meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from zlib import crc32

from .fields import FIELDS, Filter, canonical, parse_compare, parse_filter
from .line import Line
from .model import Condition, Pack, Rule, Value
from .perms import reachable
from .shadow import contradiction, find_shadowed
from .variables import names_in, substitute
from .versions import parts


class _AnyId(dict[str, int]):
    """Gives each login or group name a number of its own: which one, only a host can tell."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> int:
        return 2**31 + crc32(name.encode()) % 2**30


_IDS = _AnyId()


def defaults(pack: Pack) -> dict[str, Value]:
    """The values of `$name` on a host where nothing is set."""
    return {"uid_min": 1000, **{name: variable.default for name, variable in pack.variables.items()}}


def active(rule: Rule, values: Mapping[str, Value]) -> bool:
    """Whether the rule is there by default."""
    return not rule.when or bool(values.get(rule.when[1:]))


def silences(rule: Rule) -> bool:
    """Whether a match makes less to be told, not more."""
    return rule.action == "never" or rule.list == "exclude"


def plain(line: Line) -> Line:
    """The line with names as numbers and, for arch and perm, the system calls that `perm` can fire on.

    audit >= 4 would narrow such a line to its own table; `render` names the calls for that reason, and so does this.
    """
    line = replace(line, fields=tuple(canonical(item, _IDS, _IDS) for item in line.fields))
    perm = line.value("perm")
    return replace(line, syscalls=tuple(sorted(reachable(perm)))) if perm and line.arch and not line.syscalls else line


def lines(rule: Rule, values: Mapping[str, Value], limit: Condition | None = None) -> list[Line]:
    """One line per ABI. `limit`: only the system calls that are there whenever this condition holds."""
    place = rule.path or rule.dir or (f"/<{rule.each}>" if rule.each else "")
    fields = [_filter(f"{'dir' if rule.dir else 'path'}={place}", values)] if place else []
    fields += [Filter("perm", "=", rule.perm)] if rule.perm else []
    fields += [_filter(text, values) for text in rule.filters]
    compares = tuple(parse_compare(text) for text in rule.compares)
    base = Line(rule.list, rule.action, None, (), tuple(fields), compares, (rule.key,) if rule.key else ())
    every = not rule.syscalls or rule.syscalls[0].name == "all"
    found = []
    for abi in rule.abis if rule.list == "exit" and rule.abis else (None,):
        names = [
            syscall.name
            for syscall in rule.syscalls
            if (not abi or not syscall.condition.abis or abi in syscall.condition.abis)
            and (limit is None or looser(syscall.condition, limit))
        ]
        if every or names:
            found.append(plain(replace(base, arch=abi, syscalls=() if every else tuple(names))))
    return found


def _filter(text: str, values: Mapping[str, Value]) -> Filter:
    """A variable that is empty by default gets some value of its own: who sets it chooses which."""
    kind = FIELDS[parse_filter(text).field].kind
    filled = dict(values)
    for name in names_in(text):
        if filled.get(name, "") == "":
            number = str(crc32(name.encode()) % 2**20)
            filled[name] = {"path": f"/unset_{name}", "user": f"unset_{name}", "group": f"unset_{name}"}.get(
                kind, number
            )
    return parse_filter(substitute(text, filled))


def covers(wide: Rule, narrow: Rule, wide_values: Mapping[str, Value], narrow_values: Mapping[str, Value]) -> bool:
    """Whether `wide` matches on every host whatever `narrow` does there; action and key aside."""
    if wide.list != narrow.list or not looser(wide.condition, narrow.condition):
        return False
    for condition in {syscall.condition for syscall in narrow.syscalls} or {Condition()}:
        part = replace(narrow, syscalls=tuple(one for one in narrow.syscalls if one.condition == condition))
        early = lines(wide, wide_values, condition)
        if not all(covered(early, late) for late in lines(part, narrow_values)):
            return False
    return True


def covered(early: Sequence[Line], late: Line) -> bool:
    """Whether the lines `early` together match all that `late` does."""
    bare = [replace(line, action="always", keys=()) for line in (*early, late)]
    return any(shadow.line == len(early) and not shadow.partly for shadow in find_shadowed(bare))


def looser(wide: Condition, narrow: Condition) -> bool:
    """Whether `wide` holds wherever `narrow` does; ABIs aside, which are compared line by line."""
    machines = not wide.machines or (bool(narrow.machines) and set(narrow.machines) <= set(wide.machines))
    return machines and within(narrow.audit, wide.audit) and within(narrow.kernel, wide.kernel)


def within(narrow: str, wide: str) -> bool:
    """Whether each version of the range `narrow` is in `wide`; of other ranges than `>=x` only equal ones are."""
    if not wide or narrow == wide:
        return True
    plain_bounds = all(text.startswith(">=") and "," not in text for text in (narrow, wide))
    return plain_bounds and parts(narrow[2:].strip()) >= parts(wide[2:].strip())


def meet(some: Iterable[Line], others: Iterable[Line]) -> bool:
    """Whether an event can match a line of both."""
    return any(_meet(one, other) for one in some for other in others)


def _meet(one: Line, other: Line) -> bool:
    if one.list != other.list or (one.arch and other.arch and one.arch != other.arch):
        return False
    names = [names for names in (_calls(one), _calls(other)) if names is not None]
    if len(names) == 2 and not names[0] & names[1]:
        return False
    if not _places_meet(one, other):
        return False
    fields = [item for item in (*one.fields, *other.fields) if item.field not in ("path", "dir", "perm")]
    return not contradiction(Line(fields=tuple(fields), compares=(*one.compares, *other.compares)))


def _calls(line: Line) -> frozenset[str] | None:
    perm = line.value("perm")
    if perm:
        return reachable(perm) & frozenset(line.syscalls) if line.syscalls else reachable(perm)
    return frozenset(line.syscalls) or None


def _places_meet(one: Line, other: Line) -> bool:
    first, second = one.value("path") or one.value("dir"), other.value("path") or other.value("dir")
    if not first or not second or first == second:
        return True
    return (bool(one.value("dir")) and _below(second, first)) or (bool(other.value("dir")) and _below(first, second))


def _below(path: str, directory: str) -> bool:
    return path.startswith(f"{directory.rstrip('/')}/")
