# SPDX-License-Identifier: Apache-2.0
"""Finds rules that can never win; `dead` says so to the user.

An event carries one rule: the kernel walks its rules in load order and the first that matches decides action and key
(kernel/auditsc.c, audit_filter_rules: a later rule has a lower `prio`). So a rule is dead when an earlier one
without its key, or with another action, matches whatever it matches; and one whose own filters contradict each other
is dead by itself. A line may have several keys (auditctl joins them by 0x01); `merge` makes such lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from .fields import EQUAL, FIELDS, ORDERED, U32, Compare, Filter
from .line import Line
from .messages import SYSCALL
from .model import Place
from .normalise import Canon, normalise
from .perms import covers, in_table, reachable
from .ranges import Ranges, compared

_FULL = Ranges((U32,))
_AS_B64 = "as-b64-"
"""Begins the name of a b32 call that a rule without arch takes because it has the number of a b64 call."""
_EVERY = "*"
"""Stands for the system calls that no list names."""


@dataclass(frozen=True)
class Placed:
    """A line with where it came from. `also`: rules merged into it; `owners`: which pack brought which key."""

    line: Line
    rule: str
    pack: str
    place: Place
    also: tuple[str, ...] = ()
    owners: frozenset[tuple[str, str]] = frozenset()
    canon: Canon = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "canon", normalise(self.line))
        if not self.owners:
            object.__setattr__(self, "owners", frozenset((self.pack, key) for key in self.line.keys))


class Shadow(NamedTuple):
    """`line` (an index) is covered by the earlier lines `by`. Partly: only some of its system calls are.

    `other`: the events come without its key, or with another action; else `line` is merely superfluous.
    """

    line: int
    by: tuple[int, ...]
    partly: bool
    other: bool


_BITS: dict[tuple[str, str], int] = {}


def _mask(pairs: Iterable[tuple[str, str]]) -> int:
    """A bit for each pair; two rules whose masks have none in common never meet. -1: a pair that stands for all."""
    found = 0
    for pair in pairs:
        if pair[1] == _EVERY:
            return -1
        found |= _BITS.setdefault(pair, 1 << len(_BITS))
    return found


class _Facets:
    """A canonical rule taken apart once, for many comparisons."""

    def __init__(self, canon: Canon) -> None:
        self.canon = canon
        self.perm: str | None = None
        self.path = self.dir = ""
        self.numbers: dict[str, Ranges] = {}
        self.bits: list[Filter] = []
        self.rest: list[Filter] = []
        self.ordered: list[tuple[str, Ranges, bool]] = []
        for item in canon.fields:
            self._take(item)
        self.pairs = self._pairs()
        self.mask = _mask(self.pairs)
        self.most = _most(self)
        self.places = _places(self)

    def _take(self, item: Filter) -> None:
        if item.field == "perm":
            self.perm = item.value
        elif item.field == "path":
            self.path = item.value
        elif item.field == "dir":
            self.dir = item.value
        elif item.op in ("&", "&="):
            self.bits.append(item)
        elif FIELDS[item.field].domain and item.op in ORDERED:
            # The kernel compares 32 unsigned bits (audit_comparator takes u32): -EACCES is 4294967283 there.
            span = compared(item.op, item.number % 2**32, U32)
            many = FIELDS[item.field].many
            self.ordered.append((item.field, span, many))
            if not many:
                self.numbers[item.field] = self.numbers.get(item.field, _FULL) & span
        else:
            self.rest.append(item)

    def _pairs(self) -> frozenset[tuple[str, str]]:
        """The (ABI, system call) pairs on which the rule can fire. Without an arch a name means its b64 number."""
        arch, names = self.canon.arch, self.canon.syscalls
        if self.perm is not None:
            reach = reachable(self.perm)
            names = reach if names is None else names & reach
        abis = (arch,) if arch else ("b64", "b32")
        if names is None:
            return frozenset((abi, _EVERY) for abi in abis)
        if arch or self.canon.syscalls is None:
            return frozenset((abi, name) for abi in abis for name in names)
        return frozenset(pair for name in names for pair in (("b64", name), ("b32", f"{_AS_B64}{name}")))

    @property
    def narrowed(self) -> bool:
        """Whether audit >= 4 narrows the mask to its own table of perm."""
        return self.perm is not None and self.canon.arch is not None and self.canon.syscalls is None

    def takes(self, abi: str, name: str) -> bool:
        """Whether the syscall mask and arch let the pair in (perm aside)."""
        arch, names = self.canon.arch, self.canon.syscalls
        if arch and arch != abi:
            return False
        if names is None:
            return True
        if arch is None and abi == "b32":
            return name.startswith(_AS_B64) and name[len(_AS_B64) :] in names
        return name in names

    def number(self, name: str) -> Ranges:
        return self.numbers.get(name, _FULL)


def contradiction(line: Line) -> str:
    """Why the rule can never match anything, or an empty string."""
    return _contradiction(_facets(normalise(line)), line)


def _contradiction(facets: _Facets, line: Line) -> str:
    for name, span in facets.numbers.items():
        if not span.spans:
            filters = " ".join(str(item) for item in line.fields if item.field == name)
            return f"no value of {name} fulfils {filters}"
    for name, span, _ in facets.ordered:
        if not span.spans:
            return f"no value of {name} fulfils its filter"
    for item in facets.bits:
        value = facets.number(item.field).only()
        if (item.op == "&" and item.number == 0) or (value is not None and not _bits_hold(item, value)):
            return f"{item} fails for the value that the other filters of {item.field} ask for"
    for pair in facets.canon.compares:
        if pair.op == "=" and pair._replace(op="!=") in facets.canon.compares:
            return f"{pair.left} cannot both equal and differ from {pair.right}"
        if not _many(pair) and _compare_fails(pair, facets):
            return f"{pair} contradicts the filters of {pair.left} and {pair.right}"
    for item in facets.rest:
        if not FIELDS[item.field].many and any(_exclude(item, other) for other in facets.rest):
            return f"the filters of {item.field} contradict each other"
    if facets.path and facets.dir and not _within(facets.path, facets.dir):
        return f"{facets.path} does not lie in {facets.dir}"
    if not facets.pairs:
        return f"perm={facets.perm} fires on none of its system calls"
    return ""


def find_shadowed(lines: Sequence[Line]) -> list[Shadow]:
    """Every line that earlier lines cover, wholly or partly, in load order."""
    return _shadows([normalise(line) for line in lines])


def shadows_of(placed: Sequence[Placed]) -> list[Shadow]:
    """The same of lines that are normalised already."""
    return _shadows([one.canon for one in placed])


def impossible(placed: Placed) -> str:
    """Why the line makes no sense by itself, or an empty string."""
    return _contradiction(_facets(placed.canon), placed.line) or _silences_all(placed.line)


def _silences_all(line: Line) -> str:
    """`never,task` without filters and an exclusion of SYSCALL records leave every other rule mute."""
    if (line.list, line.action) == ("task", "never") and not line.fields:
        return "it switches the audit of system calls off for every process"
    if (line.list, line.action) == ("exclude", "always"):
        facets = _facets(normalise(line))
        spans = facets.number("msgtype") & compared("=", SYSCALL, U32)
        only = all(item.field == "msgtype" for item in line.fields)
        if only and not facets.bits and spans.spans:
            return "it excludes SYSCALL records, so no event tells who did what"
    return ""


@lru_cache(maxsize=2**14)
def _facets(canon: Canon) -> _Facets:
    """Hosts of a fleet have most of their rules in common."""
    return _Facets(canon)


class _Earlier:
    """The rules seen so far, found again by the one thing that each asks for most."""

    def __init__(self) -> None:
        self._by: dict[object, list[tuple[int, _Facets]]] = {}

    def add(self, index: int, early: _Facets) -> None:
        self._by.setdefault(early.most, []).append((index, early))

    def implied(self, late: _Facets) -> list[tuple[int, _Facets]]:
        """Those whose filters hold for every event of `late`, in load order."""
        found, mask = [], late.mask
        for where in late.places:
            for one in self._by.get(where, ()):
                if one[1].mask & mask and _implied(one[1], late):
                    found.append(one)
        found.sort(key=itemgetter(0))
        return found


def _most(early: _Facets) -> tuple[str, object]:
    """Its list, and its path, directory or a text that must be equal; `late` must have the same, or lie in it."""
    equal = next((item for item in early.rest if item.op == "="), None)
    return early.canon.list, early.path or (f"{early.dir}/" if early.dir else equal)


def _places(late: _Facets) -> list[tuple[str, object]]:
    """What `_most` of a rule that covers `late` can be."""
    found: list[object] = [None, *late.rest]
    found += [late.path] if late.path else []
    for path in filter(None, (late.path, late.dir)):
        above = path.rstrip("/").split("/")
        found += [f"{'/'.join(above[:depth])}/" for depth in range(2, len(above) + 1)] + ["//"]
    return [(late.canon.list, place) for place in dict.fromkeys(found)]


def _shadows(canons: Sequence[Canon]) -> list[Shadow]:
    found = []
    earlier = _Earlier()
    for index, canon in enumerate(canons):
        late = _facets(canon)
        shadow = _shadow(index, late, earlier.implied(late))
        if shadow:
            found.append(shadow)
        earlier.add(index, late)
    return found


def _shadow(index: int, late: _Facets, early: list[tuple[int, _Facets]]) -> Shadow | None:
    """`early` are the rules whose filters hold for every event of `late`; what is left are the system calls."""
    if not early:
        return None
    found = _winners(late, tuple(one for _, one in early))
    return found and Shadow(index, tuple(early[place][0] for place in found[0]), found[1], found[2])


@lru_cache(maxsize=2**14)
def _winners(late: _Facets, early: tuple[_Facets, ...]) -> tuple[tuple[int, ...], bool, bool] | None:
    """Which of `early` take calls of `late`, whether only some of the calls, and whether without its key."""
    covered, other = 0, False
    by: set[int] = set()
    for abi, name in late.pairs:
        place = next((place for place, one in enumerate(early) if _covers(one, late, abi, name)), None)
        if place is not None:
            one = early[place].canon
            covered += 1
            by.add(place)
            other = other or one.action != late.canon.action or not set(late.canon.keys) <= set(one.keys)
    partly = covered < len(late.pairs)
    if not covered or (partly and not other):
        return None
    return tuple(sorted(by)), partly, other


def _covers(early: _Facets, late: _Facets, abi: str, name: str) -> bool:
    """Whether `early` takes the call whenever `late` does, the other filters aside."""
    if not early.takes(abi, name):
        return False
    if early.perm is None:
        return True
    if name == _EVERY or name.startswith(_AS_B64):
        return False
    if early.narrowed and not late.narrowed and not in_table(early.perm, name):
        return False
    return covers(early.perm, late.perm, name)


def _implied(early: _Facets, late: _Facets) -> bool:
    """Whether every filter of `early`, arch, syscalls and perm aside, holds for whatever `late` matches."""
    if early.canon.list == "exit" and early.canon.arch and late.canon.arch not in (None, early.canon.arch):
        return False
    if early.path and late.path != early.path:
        return False
    if early.dir and not any(_within(path, early.dir) for path in (late.path, late.dir) if path):
        return False
    for name, span, many in early.ordered:
        if many:
            if not any(other == name and have.within(span) for other, have, _ in late.ordered):
                return False
        elif not late.number(name).within(span):
            return False
    return (
        all(_bits_implied(item, late) for item in early.bits)
        and all(_rest_implied(item, late) for item in early.rest)
        and all(_compare_implied(item, late) for item in early.canon.compares)
    )


def _within(path: str, directory: str) -> bool:
    return directory in ("/", path) or path.startswith(f"{directory}/")


def _bits_hold(item: Filter, value: int) -> bool:
    mask = item.number
    return bool(value & mask) if item.op == "&" else value & mask == mask


def _bits_implied(item: Filter, late: _Facets) -> bool:
    value = None if FIELDS[item.field].many else late.number(item.field).only()
    if value is not None:
        return _bits_hold(item, value)
    for other in late.bits:
        if other.field != item.field:
            continue
        mask, have = item.number, other.number
        if item.op == "&=" and other.op == "&=" and have & mask == mask:
            return True
        if item.op == "&" and (have & mask if other.op == "&=" else have & ~mask == 0):
            return True
    return False


def _rest_implied(item: Filter, late: _Facets) -> bool:
    """Filters of texts: only = and !=."""
    return any(
        other == item or (item.op == "!=" and other.op == "=" and other.value != item.value)
        for other in late.rest
        if other.field == item.field
    )


def _exclude(item: Filter, other: Filter) -> bool:
    if item.field != other.field or item.op not in EQUAL or other.op not in EQUAL:
        return False
    if item.op == other.op:
        return item.op == "=" and item.value != other.value
    return item.value == other.value


def _many(item: Compare) -> bool:
    return FIELDS[item.left].many or FIELDS[item.right].many


def _compare_implied(item: Compare, late: _Facets) -> bool:
    if item in late.canon.compares:
        return True
    if _many(item):
        return False
    left, right = late.number(item.left), late.number(item.right)
    if item.op == "!=":
        return not (left & right).spans
    return left.only() is not None and left == right


def _compare_fails(item: Compare, facets: _Facets) -> bool:
    left, right = facets.number(item.left), facets.number(item.right)
    if item.op == "=":
        return not (left & right).spans
    return left.only() is not None and left == right
