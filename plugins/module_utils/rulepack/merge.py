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
from .scope import meet
from .shadow import Placed


def merge(placed: Sequence[Placed], *, unite: bool = False) -> list[Placed]:
    """Each match once, at the place of its first rule; `also` names the other rules, `keys` has those of all.

    Lines of several packs that differ in nothing but system calls give up those that they share to a line with the
    keys of both. `unite`: lines of the same keys and filters become one with the calls of all, where no line between
    them would lose or gain an event by it: the kernel looks at every line of its list on every system call.
    """
    merged = _shared(_same(placed))
    return _united(merged) if unite else merged


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
    """Whether no pack would give two keys to the match of both lines."""
    packs = {pack for pack, _ in early.owners}
    return all(owner in early.owners or owner[0] not in packs for owner in late.owners)


def _joined(early: Placed, late: Placed) -> Placed:
    keys = tuple(dict.fromkeys((*early.line.keys, *late.line.keys)))
    names = dict.fromkeys((*early.also, late.rule, *late.also))
    also = tuple(name for name in names if name != early.rule)
    return replace(early, line=replace(early.line, keys=keys), also=also, owners=early.owners | late.owners)


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


def _united(placed: Sequence[Placed]) -> list[Placed]:
    found: list[Placed] = []
    alike: dict[Canon, int] = {}
    """Match without system calls → place in `found` of the last line of it."""
    for late in placed:
        if late.canon.syscalls is None or late.line.value("perm") is not None:
            found.append(late)
            continue
        match = late.canon._replace(syscalls=None)
        index = alike.get(match)
        if index is not None and not any(_parts(between, late) for between in found[index + 1 :]):
            early = found[index]
            calls = tuple(dict.fromkeys((*early.line.syscalls, *late.line.syscalls)))
            found[index] = _joined(replace(early, line=replace(early.line, syscalls=calls)), late)
            continue
        alike[match] = len(found)
        found.append(late)
    return found


def _parts(between: Placed, late: Placed) -> bool:
    """Whether an event can match both, so that they must stay in this order."""
    same = (between.canon.action, between.canon.keys) == (late.canon.action, late.canon.keys)
    if same or between.canon.list != late.canon.list:
        return False
    calls, own = between.canon.syscalls, late.canon.syscalls
    return (not calls or not own or not calls.isdisjoint(own)) and meet([between.line], [late.line])
