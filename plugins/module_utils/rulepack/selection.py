# SPDX-License-Identifier: Apache-2.0
"""What a user chooses of the packs: an entry of `audit_rules_packs` → a pack with its variables set and rules changed.

An entry is a pack's name or `{name, version, benchmark, variables, exclude, rules, off}`; `{profile: NAME}` stands for
the entries of a profile, which later entries of the same pack change key by key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Union

from .errors import PackError
from .fields import parse_filter
from .model import Case, Pack, Rule, Value
from .schema import value_error
from .variables import names_in, substitute
from .versions import check_range, parts, satisfies

KEYS = ("name", "version", "benchmark", "variables", "exclude", "rules", "off")
OVERRIDES = ("off", "key", "filters")
KEY_PATTERN = r"[!-+\--~]{1,255}"
"""Printable ASCII without spaces and commas."""

Entry = Mapping[str, Any]
Selection = Sequence[Union[Entry, str]]


@dataclass(frozen=True)
class Chosen:
    """A pack with its variables set. `rules` are those not left out, as the entry changes them, in load order."""

    pack: Pack
    variables: Mapping[str, Value]
    rules: tuple[Rule, ...]


class Errors:
    """Collects what is wrong with a selection; `source` is the file or the variable it was read from."""

    def __init__(self, source: str, found: list[PackError]) -> None:
        self.source = source
        self.found = found

    def add(self, message: str, remedy: str) -> None:
        self.found.append(PackError(self.source, 0, message, remedy))


def flat(selection: Selection, profiles: Mapping[str, Sequence[Entry]], errors: Errors) -> list[dict[str, Any]]:
    """The entries with profiles put in, one for each pack; those that are `off` are left out."""
    merged: dict[str, dict[str, Any]] = {}
    own: set[str] = set()
    for raw in selection:
        if not isinstance(raw, (str, Mapping)):
            errors.add(f"`{raw}` is no entry", "write a pack's name or a map such as {name: cis}")
            continue
        entry = {"name": raw} if isinstance(raw, str) else dict(raw)
        if "profile" in entry:
            for one in _profile(entry, profiles, errors):
                merged[one["name"]] = _changed(merged.get(one["name"], {}), one)
            continue
        name = entry.get("name")
        if not isinstance(name, str) or not name:
            errors.add(f"the entry {entry} has no name", "give each entry the `name` of a pack, or a `profile`")
            continue
        if name in own:
            errors.add(f"pack `{name}` is selected twice", "name it once")
            continue
        own.add(name)
        for key in entry:
            if key not in KEYS:
                errors.add(f"unknown key `{key}` for pack `{name}`", f"an entry has {', '.join(KEYS)}")
        merged[name] = _changed(merged.get(name, {}), {key: entry[key] for key in KEYS if entry.get(key) is not None})
    return [entry for entry in merged.values() if not entry.pop("off", False)]


def _profile(entry: Entry, profiles: Mapping[str, Sequence[Entry]], errors: Errors) -> Sequence[Entry]:
    name = entry["profile"]
    if set(entry) != {"profile"}:
        errors.add(
            f"profile `{name}` has other keys beside it", "write {profile: NAME}, and an entry per pack below it"
        )
    if name not in profiles:
        errors.add(f"unknown profile `{name}`", f"known are {', '.join(sorted(profiles)) or 'none'}")
    return profiles.get(name, ())


def _changed(before: Entry, after: Entry) -> dict[str, Any]:
    """Values of `after` win; variables and rules are joined by name, exclusions are added up."""
    joined = {**before, **after}
    for key in ("variables", "rules"):
        if isinstance(before.get(key), Mapping) and isinstance(after.get(key), Mapping):
            joined[key] = {**before[key], **after[key]}
    if isinstance(before.get("exclude"), (list, tuple)) and isinstance(after.get("exclude"), (list, tuple)):
        joined["exclude"] = [*before["exclude"], *after["exclude"]]
    return joined


def choose(entry: Entry, packs: Iterable[Pack], errors: Errors) -> Chosen | None:
    """The newest of the pack's versions that the entry takes, changed as it says; None when there is none."""
    name = entry["name"]
    every = list(packs)
    known = [pack for pack in every if pack.name == name]
    if not known:
        names = ", ".join(sorted({pack.name for pack in every})) or "none"
        errors.add(f"unknown pack `{name}`", f"known are {names}")
        return None
    pack = _version(known, entry, errors)
    if pack is None:
        return None
    values = _values(pack, entry, errors)
    if not entry.get("exclude") and not entry.get("rules"):
        return Chosen(pack, values, pack.rules)
    excluded = _excluded(pack, entry.get("exclude") or (), errors)
    overrides = _overrides(pack, entry.get("rules") or {}, values, errors)
    off = excluded | {rule_id for rule_id, override in overrides.items() if override.get("off") is True}
    changed = tuple(_rule(rule, overrides.get(rule.id, {})) for rule in pack.rules)
    keys = {rule.id: (rule.key, new.key) for rule, new in zip(pack.rules, changed)}
    cases = tuple(_case(case, keys) for case in pack.cases) if overrides else pack.cases
    pack = replace(pack, rules=changed, cases=cases)
    return Chosen(pack, values, tuple(rule for rule in changed if rule.id not in off))


def _version(known: Sequence[Pack], entry: Entry, errors: Errors) -> Pack | None:
    wanted = entry.get("version") or ""
    wanted = ",".join(map(str, wanted)) if isinstance(wanted, (list, tuple)) else str(wanted)
    name = known[0].name
    wrong = check_range(wanted) if wanted else None
    if wrong:
        message, _, remedy = wrong.partition(" — ")
        errors.add(f"pack `{name}`: {message}", remedy)
        return None
    fitting = [pack for pack in known if satisfies(pack.version, wanted)]
    if fitting:
        return max(fitting, key=lambda pack: parts(pack.version))
    there = ", ".join(f"{pack.version} ({pack.place})" for pack in known)
    remedy = "change the version in the selection, or bring another release of the pack (a registry, a folder)"
    errors.add(f"pack `{name}` is {there}, wanted is {wanted}", remedy)
    return None


def _values(pack: Pack, entry: Entry, errors: Errors) -> dict[str, Value]:
    values = {key: variable.default for key, variable in pack.variables.items()}
    given = entry.get("variables") or {}
    if not isinstance(given, Mapping):
        errors.add(f"`variables` of pack `{pack.name}` is no map", "write variables: {name: value}")
        given = {}
    benchmark = entry.get("benchmark")
    if benchmark is not None and given.get("benchmark", benchmark) != benchmark:
        errors.add(
            f"pack `{pack.name}` gets benchmark `{benchmark}` and variable benchmark `{given['benchmark']}`",
            "keep one of the two",
        )
    given = {**given, **({"benchmark": benchmark} if benchmark is not None else {})}
    for key, value in given.items():
        if key not in pack.variables:
            known = ", ".join(pack.variables) or "none"
            errors.add(f"pack `{pack.name}` has no variable `{key}`", f"known are {known}; see {pack.place}")
            continue
        wrong = value_error(pack.variables[key], value)
        if wrong:
            errors.add(f"variable `{key}` of pack `{pack.name}` {wrong}", f"see {pack.place}")
        else:
            values[key] = value
    return values


def _excluded(pack: Pack, wanted: Any, errors: Errors) -> set[str]:
    """Ids that the list takes; an entry may be a pattern such as `cis.login-*`."""
    if not isinstance(wanted, (list, tuple)):
        errors.add(f"`exclude` of pack `{pack.name}` is no list", "write exclude: [rule id, …]")
        return set()
    found: set[str] = set()
    for pattern in map(str, wanted):
        matched = {rule.id for rule in pack.rules if fnmatchcase(rule.id, pattern)}
        if not matched:
            errors.add(f"pack `{pack.name}` has no rule `{pattern}` to exclude", f"see {pack.place}")
        found |= matched
    return found


def _overrides(pack: Pack, wanted: Any, values: Mapping[str, Value], errors: Errors) -> dict[str, Entry]:
    if not isinstance(wanted, Mapping):
        errors.add(f"`rules` of pack `{pack.name}` is no map", "write rules: {<rule id>: {off: true}}")
        return {}
    known = {rule.id: rule for rule in pack.rules}
    found: dict[str, Entry] = {}
    for rule_id, override in wanted.items():
        if rule_id not in known:
            errors.add(f"pack `{pack.name}` has no rule `{rule_id}` to change", f"see {pack.place}")
        elif not isinstance(override, Mapping) or not override:
            errors.add(f"`{rule_id}: {override}` changes nothing", f"give it one of {', '.join(OVERRIDES)}")
        else:
            problem = _override_problem(known[rule_id], override, values)
            if problem:
                errors.add(f"rule `{rule_id}` ({known[rule_id].place}): {problem[0]}", problem[1])
            else:
                found[rule_id] = override
    return found


def _override_problem(rule: Rule, override: Entry, values: Mapping[str, Value]) -> tuple[str, str] | None:
    unknown = sorted(set(override) - set(OVERRIDES))
    if unknown:
        return f"unknown override `{unknown[0]}`", f"a rule takes {', '.join(OVERRIDES)}"
    if not isinstance(override.get("off", True), bool):
        return f"`off: {override['off']}` is not true or false", "write off: true"
    if (rule.control or not rule.key) and "key" in override:
        return "it has no key, so none can be changed", "leave `key` out"
    if "key" in override and not re.fullmatch(KEY_PATTERN, str(override["key"])):
        return f"`key: {override['key']}` cannot be a key", "use printable ASCII without spaces and commas"
    filters = override.get("filters", ())
    if not isinstance(filters, (list, tuple)) or (rule.control and filters):
        return "it takes no such filters", "write filters: ['auid!=1500'] for a rule that is no control"
    for text in map(str, filters):
        missing = [name for name in names_in(text) if name not in values and name != "uid_min"]
        if missing:
            return f"`{text}` names ${missing[0]}, which the pack does not have", "use a variable of the pack"
        try:
            parse_filter(substitute(text, {"uid_min": 1000, **values}))
        except ValueError as failure:
            message, _, remedy = str(failure).partition(" — ")
            return message, remedy
    return None


def _rule(rule: Rule, override: Entry) -> Rule:
    if not override:
        return rule
    more = tuple(str(text) for text in override.get("filters", ()))
    changed = replace(rule, key=str(override.get("key", rule.key)), filters=(*rule.filters, *more))
    return replace(changed, variants={name: _rule(one, override) for name, one in rule.variants.items()})


def _case(case: Case, keys: Mapping[str, tuple[str, str]]) -> Case:
    """The case with the keys that its rules have now, so that it still proves them."""
    named = [keys[rule_id] for rule_id in case.rules if rule_id in keys]
    if all(old == new for old, new in named):
        return case

    def entry(one: Mapping[str, Any]) -> Mapping[str, Any]:
        new = list(dict.fromkeys(new for old, new in named if old == one.get("key")))
        return {**one, "key": new[0] if len(new) == 1 else new} if new else one

    return replace(case, expect=tuple(map(entry, case.expect)), never=tuple(map(entry, case.never)))
