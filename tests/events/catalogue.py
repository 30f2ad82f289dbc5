# SPDX-License-Identifier: Apache-2.0
"""What the packs say about their rules and cases, as plain data for reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from plugins.module_utils.rulepack.model import Case, Pack, Rule
from plugins.module_utils.rulepack.schema import load_packs

# {"packs": {name: {...}}, "rules": {id: {...}}, "cases": {id: {...}}}
Catalogue = dict[str, dict[str, Any]]


def load(folders: Iterable[Path]) -> Catalogue:
    """Everything under the given pack folders; PackErrors when one cannot be read."""
    return of_packs(load_packs(list(folders)))


def of_packs(packs: Iterable[Pack]) -> Catalogue:
    found = sorted(packs, key=lambda pack: (pack.order, pack.name))
    return {
        "packs": {pack.name: {"title": pack.title, "version": pack.version} for pack in found},
        "rules": {rule.id: _rule(rule) for pack in found for rule in pack.rules},
        "cases": {case.id: plain(case) for pack in found for case in pack.cases},
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "title": rule.title,
        "why": rule.why,
        "key": rule.key,
        "severity": rule.severity,
        "maturity": rule.maturity,
        "attack": list(rule.attack),
        "sections": [f"{reference.benchmark} {reference.section}" for reference in rule.references],
    }


def plain(case: Case) -> dict[str, Any]:
    """A case as JSON: the keys of cases.yml, those left out or empty left out."""
    data = asdict(case)
    data["as"] = data.pop("as_user")
    del data["place"]
    return {name: value for name, value in data.items() if value not in ("", (), [], {}, None)}
