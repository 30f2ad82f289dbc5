# SPDX-License-Identifier: Apache-2.0
"""Packs and a selection → the rules in load order, and what must be asked of a host before they can be rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import PackError, raise_if_any
from .fields import GROUP_FIELDS, USER_FIELDS, parse_filter
from .model import Pack, Rule, Value
from .schema import value_error
from .variables import substitute
from .versions import satisfies

_SELECTION_KEYS = ("name", "version", "variables", "exclude")


@dataclass(frozen=True)
class Chosen:
    """A pack with its variables set. `rules` are those not excluded, in load order."""

    pack: Pack
    variables: Mapping[str, Value]
    rules: tuple[Rule, ...]


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


def compose(packs: Iterable[Pack], selection: Sequence[Mapping[str, Any] | str] | None = None) -> Composition:
    """Choose packs (None: all of them), set variables, leave out excluded rules, and sort.

    A selection entry is a pack name or `{name, version?, variables?, exclude?}`. PackErrors on an unknown pack, rule or
    variable, on an unmet requirement or a conflict, and on a rule id that two packs have.
    """
    errors: list[PackError] = []
    known = {pack.name: pack for pack in packs}
    entries = [{"name": name} for name in known] if selection is None else list(selection)
    chosen: dict[str, Chosen] = {}
    for raw in entries:
        entry: Mapping[str, Any] = {"name": raw} if isinstance(raw, str) else raw
        found = _choose(entry, known, errors)
        if found and found.pack.name in chosen:
            errors.append(_selection_error(f"pack `{found.pack.name}` is selected twice", "name it once"))
        elif found:
            chosen[found.pack.name] = found
    for one in chosen.values():
        _check_relations(one.pack, {name: other.pack for name, other in chosen.items()}, errors)
    _check_ids(chosen.values(), errors)
    raise_if_any(errors)
    return Composition(tuple(sorted(chosen.values(), key=lambda one: (one.pack.order, one.pack.name))))


def needs(composition: Composition) -> Needs:
    """The paths, users, groups and list facts that `render` will look up."""
    paths, users, groups, lists = set(), set(), set(), set()
    every = [(chosen, one) for chosen, rule in composition.rules() for one in (rule, *rule.variants.values())]
    for chosen, rule in every:
        if not wanted(chosen, rule):
            continue
        for template in (rule.path, rule.dir):
            if template:
                paths.add(substitute(template, chosen.variables).rstrip("/") or "/")
        if rule.missing in ("watch", "create") or rule.symlink == "keep":
            paths.add(parent(substitute(rule.path or rule.dir, chosen.variables)))
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


def _selection_error(message: str, remedy: str) -> PackError:
    return PackError("selection", 0, message, remedy)


def _choose(entry: Mapping[str, Any], known: Mapping[str, Pack], errors: list[PackError]) -> Chosen | None:
    name = str(entry.get("name", ""))
    for key in entry:
        if key not in _SELECTION_KEYS:
            remedy = f"an entry has {', '.join(_SELECTION_KEYS)}"
            errors.append(_selection_error(f"unknown key `{key}` for pack `{name}`", remedy))
    if name not in known:
        errors.append(_selection_error(f"unknown pack `{name}`", f"known are {', '.join(sorted(known)) or 'none'}"))
        return None
    pack = known[name]
    version = str(entry.get("version") or "")
    try:
        if not satisfies(pack.version, version):
            remedy = "change the version in the selection, or bring another release of the pack"
            errors.append(_selection_error(f"pack `{name}` is {pack.version}, wanted is {version}", remedy))
    except ValueError as failure:
        errors.append(_selection_error(f"pack `{name}`: {failure}", "write terms such as >=1.0 parted by commas"))
    values = {key: variable.default for key, variable in pack.variables.items()}
    for key, value in (entry.get("variables") or {}).items():
        if key not in pack.variables:
            remedy = f"known are {', '.join(pack.variables) or 'none'}"
            errors.append(_selection_error(f"pack `{name}` has no variable `{key}`", remedy))
            continue
        wrong = value_error(pack.variables[key], value)
        if wrong:
            errors.append(_selection_error(f"variable `{key}` of pack `{name}` {wrong}", f"see {pack.place.file}"))
        else:
            values[key] = value
    excluded = set(entry.get("exclude") or ())
    for rule_id in sorted(excluded - {rule.id for rule in pack.rules}):
        errors.append(_selection_error(f"pack `{name}` has no rule `{rule_id}` to exclude", f"see {pack.place.file}"))
    return Chosen(pack, values, tuple(rule for rule in pack.rules if rule.id not in excluded))


def _check_relations(pack: Pack, chosen: Mapping[str, Pack], errors: list[PackError]) -> None:
    for requirement in pack.requires:
        other = chosen.get(requirement.name)
        wanted_pack = f"{requirement.name} {requirement.version}".strip()
        if other is None:
            message = f"pack `{pack.name}` requires {wanted_pack}, which is not selected"
            errors.append(PackError(pack.place.file, pack.place.line, message, f"select `{requirement.name}` too"))
        elif not satisfies(other.version, requirement.version):
            message = f"pack `{pack.name}` requires {wanted_pack}, but it is {other.version}"
            errors.append(PackError(pack.place.file, pack.place.line, message, "bring a fitting release"))
    for name in pack.conflicts:
        if name in chosen:
            message = f"pack `{pack.name}` conflicts with `{name}`"
            errors.append(PackError(pack.place.file, pack.place.line, message, "select one of the two"))


def _check_ids(chosen: Iterable[Chosen], errors: list[PackError]) -> None:
    seen: dict[str, Rule] = {}
    for one in chosen:
        for rule in one.rules:
            if rule.id in seen:
                message = f"rule `{rule.id}` is also at {seen[rule.id].place}"
                errors.append(PackError(rule.place.file, rule.place.line, message, "give each rule an id of its own"))
            seen[rule.id] = rule
