# SPDX-License-Identifier: Apache-2.0
"""Lines of several packs that ask for the same → one line that carries all their keys.

The kernel gives an event to one rule, so of two rules with the same match the later would never win; and it refuses a
second rule of the same match and key (EEXIST), which stops the load. auditctl joins the keys of a line by 0x01.
Two rules of ONE pack with the same match and different keys are its author's mistake: they stay, and `shadow` refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .normalise import Canon
from .shadow import Placed


def merge(placed: Sequence[Placed]) -> list[Placed]:
    """Each match once, at the place of its first rule; `also` names the other rules, `keys` has those of all.

    Lines of several packs that differ in nothing but system calls give up those that they share to a line with the
    keys of both.
    """
    return _shared(_same(placed))


def _same(placed: Sequence[Placed]) -> list[Placed]:
    merged: dict[Canon, Placed] = {}
    found: list[Placed | Canon] = []
    for one in placed:
        match = one.canon._replace(keys=())
        if match not in merged:
            merged[match] = one
            found.append(match)
        elif _may_join(merged[match], one):
            merged[match] = _joined(merged[match], one)
        else:
            found.append(one)
    return [one if isinstance(one, Placed) else merged[one] for one in found]


def _may_join(early: Placed, late: Placed) -> bool:
    """Whether `late` brings no key of its own, or none of its pack's rules is in the line yet."""
    packs = {name.partition(".")[0] for name in (early.rule, *early.also)}
    return set(late.line.keys) <= set(early.line.keys) or late.pack not in packs


def _joined(early: Placed, late: Placed) -> Placed:
    keys = tuple(dict.fromkeys((*early.line.keys, *late.line.keys)))
    names = dict.fromkeys((*early.also, late.rule, *late.also))
    also = tuple(name for name in names if name != early.rule)
    return replace(early, line=replace(early.line, keys=keys), also=also)


def _shared(placed: Sequence[Placed]) -> list[Placed]:
    slots: list[list[Placed]] = []
    alike: dict[Canon, list[list[Placed]]] = {}
    for late in placed:
        slot = [late]
        if late.canon.syscalls is not None and late.line.value("perm") is None:
            group = alike.setdefault(late.canon._replace(keys=(), syscalls=None), [])
            for earlier in group:
                earlier[:], slot = _share(earlier, slot)
            group.append(slot)
        slots.append(slot)
    return [one for slot in slots for one in slot]


def _share(earlier: Sequence[Placed], slot: list[Placed]) -> tuple[list[Placed], list[Placed]]:
    """The pieces of an earlier line with the calls that they have in common with `slot`, and what `slot` has left."""
    found: list[Placed] = []
    for early in earlier:
        common = frozenset(early.line.syscalls) & frozenset(name for one in slot for name in one.line.syscalls)
        if not common or not _may_join(early, slot[0]):
            found.append(early)
            continue
        late = slot[0]
        if set(late.line.keys) <= set(early.line.keys):
            found.append(_joined(early, late))
        else:
            found += [_joined(_only(early, common), late), *_without(early, common)]
        slot = _without(late, common)
    return found, slot


def _only(one: Placed, names: frozenset[str]) -> Placed:
    return replace(one, line=replace(one.line, syscalls=tuple(name for name in one.line.syscalls if name in names)))


def _without(one: Placed, names: frozenset[str]) -> list[Placed]:
    left = tuple(name for name in one.line.syscalls if name not in names)
    return [replace(one, line=replace(one.line, syscalls=left))] if left else []
