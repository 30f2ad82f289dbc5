# SPDX-License-Identifier: Apache-2.0
"""The meaning of a rule without its spelling, and the difference between what was wanted and what is loaded."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Optional, TypeVar

from .fields import LISTS, Compare, Filter, canonical
from .line import Line, parse_rules
from .perms import AUDIT_4, reachable

Item = TypeVar("Item")

_AT_LEAST = {
    "r": frozenset({"openat", "readlinkat", "getxattr", "listxattr"}),
    "w": frozenset({"openat", "unlinkat", "linkat", "symlinkat", "mkdirat", "truncate"}),
    "x": frozenset({"execve"}),
    "a": frozenset({"fchmod", "fchmodat", "fchownat", "setxattr", "removexattr"}),
}
"""Calls of each perm that every architecture has."""


class Canon(NamedTuple):
    """Two rules give the same events when their Canon is equal. `syscalls` None = all; `keys` sorted, each once."""

    list: str
    action: str
    arch: Optional[str]  # noqa: UP045 - evaluated at run time, Python 3.9
    syscalls: Optional[frozenset[str]]  # noqa: UP045
    fields: frozenset[Filter]
    compares: frozenset[Compare]
    keys: tuple[str, ...]


@lru_cache(maxsize=2**14)
def _filters(items: tuple[Filter, ...]) -> frozenset[Filter]:
    """Thousands of lines share a few dozen sets of filters."""
    return frozenset(canonical(item) for item in items)


@lru_cache(maxsize=2**12)
def _names(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(names)


def normalise(line: Line) -> Canon:
    """The canonical form; KeyError(name) when a user or group name was not resolved to its number."""
    fields = _filters(line.fields)
    syscalls = _names(line.syscalls) or None
    perm = line.value("perm")
    if perm and syscalls and _is_expansion(perm, syscalls):
        syscalls = None
    compares = frozenset(Compare(min(c.left, c.right), c.op, max(c.left, c.right)) for c in line.compares)
    return Canon(line.list, line.action, line.arch, syscalls, fields, compares, tuple(sorted(set(line.keys))))


@lru_cache(maxsize=2**12)
def _is_expansion(perm: str, syscalls: frozenset[str]) -> bool:
    """Whether these are the calls that audit >= 4 adds to a rule with arch and perm, and lists."""
    least = {name for letter in perm for name in _AT_LEAST[letter]}
    most = {name for letter in perm for name in AUDIT_4[letter]}
    return least <= syscalls <= most


def spells_out(perm: str, syscalls: frozenset[str]) -> bool:
    """Whether these are the calls of `perm` for which a host's audit has names: a rendered rule names them."""
    return {name for letter in perm for name in _AT_LEAST[letter]} <= syscalls <= reachable(perm)


class Entry(NamedTuple):
    """A rule of a difference: `rule` is the id it came from, empty when it is not ours."""

    rule: str
    line: Line

    @property
    def text(self) -> str:
        return str(self.line)


class Difference(NamedTuple):
    """True when there is one. `moved` are rules that are loaded, but not in the wanted order (the first match wins)."""

    missing: list[Entry]
    extra: list[Entry]
    moved: list[Entry]

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.moved)

    def __str__(self) -> str:
        signs = (
            ("-", self.missing, "not loaded"),
            ("+", self.extra, "loaded, not wanted"),
            ("~", self.moved, "out of order"),
        )
        rows = [(sign, entry, why) for sign, entries, why in signs for entry in entries]
        return "\n".join(
            f"{sign} {entry.text}  # {entry.rule or 'no rule of ours'}: {why}" for sign, entry, why in rows
        )


def compare(wanted: Sequence[Line], loaded: Sequence[Line], ids: Sequence[str] = ()) -> Difference:
    """Compare by meaning. `ids[i]` is the rule of `wanted[i]`. Order counts within one filter list only."""
    names = [*ids, *[""] * (len(wanted) - len(ids))]
    want = [(listed(normalise(line)), Entry(name, line)) for line, name in zip(wanted, names)]
    have = [(listed(normalise(line)), Entry("", line)) for line in loaded]
    missing, common = _split(want, [canon for canon, _ in have])
    extra, _ = _split(have, [canon for canon, _ in want])
    places: dict[Canon, list[int]] = {}
    for place, (canon, _) in enumerate(have):
        places.setdefault(canon, []).append(place)
    moved: list[Entry] = []
    for filter_list in LISTS:
        here = [(places[canon].pop(0), entry) for canon, entry in common if canon.list == filter_list]
        moved += out_of_order(here)
    return Difference(missing, extra, moved)


def listed(canon: Canon) -> Canon:
    """What a listing can tell: audit 3.0 prints `exe!=` as `exe=`, and `-w` stands for path and dir alike."""
    watch = canon.arch is None and canon.syscalls is None and {"perm"} < {item.field for item in canon.fields}
    alike = {"path": "watch", "dir": "watch"} if watch and len(canon.fields) == 2 else {}
    fields = frozenset(
        Filter(alike.get(item.field, item.field), "=" if item.field == "exe" else item.op, item.value)
        for item in canon.fields
    )
    return canon._replace(fields=fields)


def compare_text(wanted: str, listing: str) -> Difference:
    """The same for a rules file and the output of `auditctl -l`."""
    return compare(parse_rules(wanted), parse_rules(listing))


def _split(items: list[tuple[Canon, Entry]], others: list[Canon]) -> tuple[list[Entry], list[tuple[Canon, Entry]]]:
    """Those that `others` lack, and those it has; as often as it has them."""
    left: dict[Canon, int] = {}
    for canon in others:
        left[canon] = left.get(canon, 0) + 1
    alone, common = [], []
    for canon, entry in items:
        if left.get(canon, 0):
            left[canon] -= 1
            common.append((canon, entry))
        else:
            alone.append(entry)
    return alone, common


def out_of_order(placed: Sequence[tuple[int, Item]]) -> list[Item]:
    """The fewest items whose removal leaves the places rising (all but a longest increasing subsequence)."""
    tails: list[int] = []
    lengths = []
    for place, _ in placed:
        length = bisect_left(tails, place)
        tails[length : length + 1] = [place]
        lengths.append(length)
    wanted_length, out = len(tails) - 1, []
    for index in range(len(placed) - 1, -1, -1):
        if lengths[index] == wanted_length:
            wanted_length -= 1
        else:
            out.append(placed[index][1])
    return out[::-1]
