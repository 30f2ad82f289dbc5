# SPDX-License-Identifier: Apache-2.0
"""Packs and a selection → the rules in load order, and what must be asked of a host before they can be rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .errors import PackError, raise_if_any
from .fields import GROUP_FIELDS, USER_FIELDS, parse_filter
from .model import Pack, Rule
from .selection import Chosen, Entry, Errors, Selection, choose, flat
from .variables import substitute
from .versions import satisfies


@dataclass(frozen=True)
class Composition:
    """Packs in load order: by `order`, then by name. The kernel gives an event to the first rule that matches."""

    chosen: tuple[Chosen, ...]

    @property
    def packs(self) -> list[Pack]:
        return [one.pack for one in self.chosen]

    def rules(self) -> list[tuple[Chosen, Rule]]:
        return [(chosen, rule) for chosen in self.chosen for rule in chosen.rules]


@dataclass
class Needs:
    """What a rendering looks up in HostFacts, sorted. `paths` has the parents of paths that may be missing or links."""

    paths: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)


def compose(
    packs: Iterable[Pack],
    selection: Selection | None = None,
    profiles: Mapping[str, Sequence[Entry]] | None = None,
    source: str = "selection",
) -> Composition:
    """Choose packs (None: all of them), set variables, leave out or change rules, and sort.

    `packs` may have several versions of one: the newest that the entry takes is chosen. `profiles`: name → entries;
    `source`: where the selection was read, for messages. PackErrors on an unknown pack, profile, rule or variable, on
    an unmet requirement or a conflict, and on a rule id that two packs have.
    """
    found: list[PackError] = []
    errors = Errors(source, found)
    every = list(packs)
    wanted_packs = list(dict.fromkeys(pack.name for pack in every)) if selection is None else selection
    entries = flat(wanted_packs, profiles or {}, errors)
    picked = [one for entry in entries for one in [choose(entry, every, errors)] if one]
    chosen = {one.pack.name: one for one in picked}
    for one in chosen.values():
        _check_relations(one.pack, {name: other.pack for name, other in chosen.items()}, found)
    _check_ids(chosen.values(), found)
    raise_if_any(found)
    return Composition(tuple(sorted(chosen.values(), key=lambda one: (one.pack.order, one.pack.name))))


def needs(composition: Composition) -> Needs:
    """The paths, users, groups and list facts that `render` will look up."""
    paths, users, groups, lists = set(), set(), set(), set()
    every = [(chosen, one) for chosen, rule in composition.rules() for one in (rule, *rule.variants.values())]
    for chosen, rule in every:
        if not wanted(chosen, rule):
            continue
        for template in filter(None, (rule.path, rule.dir)):
            path = substitute(template, chosen.variables).rstrip("/") or "/"
            paths |= {path, parent(path)}
        if rule.each:
            lists.add(rule.each)
        for text in rule.filters:
            item = parse_filter(substitute(text, {"uid_min": 1000, **chosen.variables}))
            if item.field == "exe":
                paths.add(item.value)
            name = re.fullmatch(r"[A-Za-z_].*", item.value) and item.value != "unset"
            if name and item.field in USER_FIELDS:
                users.add(item.value)
            if name and item.field in GROUP_FIELDS:
                groups.add(item.value)
    return Needs(sorted(paths), sorted(users), sorted(groups), sorted(lists))


def wanted(chosen: Chosen, rule: Rule) -> bool:
    """Whether the rule's `when: $variable` lets it in."""
    return not rule.when or bool(chosen.variables[rule.when[1:]])


def parent(path: str) -> str:
    return path.rstrip("/").rpartition("/")[0] or "/"


def _check_relations(pack: Pack, chosen: Mapping[str, Pack], errors: list[PackError]) -> None:
    for requirement in pack.requires:
        other = chosen.get(requirement.name)
        wanted_pack = f"{requirement.name} {requirement.version}".strip()
        if other is None:
            message = f"pack `{pack.name}` requires {wanted_pack}, which is not selected"
            errors.append(PackError(pack.place.file, pack.place.line, message, f"select `{requirement.name}` too"))
        elif not satisfies(other.version, requirement.version):
            message = f"pack `{pack.name}` requires {wanted_pack}, but it is {other.version} ({other.place})"
            errors.append(PackError(pack.place.file, pack.place.line, message, "bring a fitting release"))
    for name in pack.conflicts:
        if name in chosen:
            message = f"pack `{pack.name}` conflicts with `{name}` ({chosen[name].place})"
            errors.append(PackError(pack.place.file, pack.place.line, message, "select one of the two"))


def _check_ids(chosen: Iterable[Chosen], errors: list[PackError]) -> None:
    seen: dict[str, Rule] = {}
    for one in chosen:
        for rule in one.rules:
            if rule.id in seen:
                message = f"rule `{rule.id}` is also at {seen[rule.id].place}"
                errors.append(PackError(rule.place.file, rule.place.line, message, "give each rule an id of its own"))
            seen[rule.id] = rule
