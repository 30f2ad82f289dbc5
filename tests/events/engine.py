# SPDX-License-Identifier: Apache-2.0
"""What the proof asks of the rule engine: a host's composed set, rendered, and whether it is what is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from plugins.module_utils.rulepack.compose import Composition, compose, needs
from plugins.module_utils.rulepack.line import parse_rules
from plugins.module_utils.rulepack.model import Case, HostFacts, Pack, Rule
from plugins.module_utils.rulepack.normalise import compare
from plugins.module_utils.rulepack.profiles import entries, load_profiles
from plugins.module_utils.rulepack.render import host_benchmark
from plugins.module_utils.rulepack.render import render as render_rules
from plugins.module_utils.rulepack.schema import load_packs

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Composed:
    """The packs of a host in load order."""

    composition: Composition
    style: str = "modern"

    def on(self, facts: HostFacts) -> Composed:
        """The same with each rule as it is under the benchmark of the host."""
        chosen = []
        for one in self.composition.chosen:
            benchmark = host_benchmark(one, facts)
            pack = replace(one.pack, rules=tuple(rule.under(benchmark) for rule in one.pack.rules))
            chosen.append(replace(one, pack=pack, rules=tuple(rule.under(benchmark) for rule in one.rules)))
        return Composed(replace(self.composition, chosen=tuple(chosen)), self.style)

    @cached_property
    def packs(self) -> list[Pack]:
        return [chosen.pack for chosen in self.composition.chosen]

    @cached_property
    def cases(self) -> list[Case]:
        return [case for pack in self.packs for case in pack.cases]

    @cached_property
    def rules(self) -> dict[str, Rule]:
        return {rule.id: rule for pack in self.packs for rule in pack.rules}

    @cached_property
    def pack_of(self) -> dict[str, str]:
        rules = {rule.id: pack.name for pack in self.packs for rule in pack.rules}
        return {**rules, **{case.id: pack.name for pack in self.packs for case in pack.cases}}

    def asked(self, more_paths: Sequence[str]) -> dict[str, list[str]]:
        """Arguments for the module audit_facts: what rendering needs, and what cases ask for with `has`."""
        wanted = needs(self.composition)
        lists = {*wanted.lists, *(case.each for case in self.cases if case.each)}
        return {
            "paths": sorted({*wanted.paths, *more_paths}),
            "users": wanted.users,
            "groups": wanted.groups,
            "lists": sorted(lists),
        }

    def benchmarks(self, facts: HostFacts) -> dict[str, str]:
        """The benchmark that holds on the host, by pack; packs that have none are left out."""
        found = {chosen.pack.name: host_benchmark(chosen, facts) for chosen in self.composition.chosen}
        return {pack: benchmark for pack, benchmark in found.items() if benchmark}


@dataclass(frozen=True)
class InForce:
    """`active`: ids of the rules that have a line on this host; `skipped`: why each other one has none.

    `difference` is empty when exactly these rules are loaded, else it lists what is missing and what is too much.
    """

    active: frozenset[str]
    skipped: Mapping[str, str]
    difference: str


def compose_for(variables: Mapping[str, Any]) -> Composed:
    """The composition that the role audit_rules makes for a host with these inventory variables."""
    settings = {**_role_defaults(), **variables}
    folders = [ROOT / "rulepacks", *(ROOT / folder for folder in settings["audit_rules_pack_dirs"])]
    composition = compose(load_packs(folders), settings["audit_rules_packs"], entries(load_profiles(folders)))
    return Composed(composition, settings["audit_rules_style"])


def _role_defaults() -> dict[str, Any]:
    path = ROOT / "roles/audit_rules/defaults/main.yml"
    defaults: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return defaults


def in_force(composed: Composed, facts: HostFacts) -> InForce:
    """Render the set for the host and compare it with what `auditctl -l` lists there."""
    rendered = render_rules(composed.composition, facts, composed.style)
    active = {rule for line in rendered.lines for rule in (line.rule, *line.also)}
    skipped = {entry.rule: entry.reason for entry in rendered.skipped}
    left_out = {rule: skipped.get(rule, "excluded by the selection") for rule in composed.rules if rule not in active}
    # Controls (`-b`, `-e`, …) are no rules: `auditctl -l` does not list them, and state cases prove them.
    wanted = [(line.line, line.rule) for line in rendered.lines if line.line is not None]
    loaded = parse_rules("\n".join(facts.rules))
    difference = compare([line for line, _ in wanted], loaded, [rule for _, rule in wanted])
    return InForce(frozenset(active), left_out, _short(str(difference)) if difference else "")


def _short(text: str, most: int = 20) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[:most], *([f"… and {len(lines) - most} more"] if len(lines) > most else [])])
