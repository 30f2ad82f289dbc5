# SPDX-License-Identifier: Apache-2.0
"""What is to be proven on one host: the composed rules as this host gets them, and the cases that apply to it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from plugins.module_utils.rulepack.model import Case, HostFacts
from plugins.module_utils.rulepack.versions import satisfies

from . import engine
from .catalogue import plain

EVENTS = "/var/log/auditpack/events.jsonl"
STATUS = "/var/lib/auditpack/collector/status.json"
COLLECTOR_USER = "auditpack"


@dataclass(frozen=True)
class Firing:
    """One execution of a case's trigger: `ref` names it in markers (no spaces), `each` is its element, if any."""

    ref: str
    case: Case
    each: str = ""

    @property
    def name(self) -> str:
        return f"{self.case.id}[{self.each}]" if self.each else self.case.id


@dataclass
class HostPlan:
    """`excused`: why cases do not apply to this host, by id. `judged`: each case as the judge takes it on this host."""

    facts: HostFacts
    rules: engine.InForce
    cases: list[Case] = field(default_factory=list)
    excused: dict[str, str] = field(default_factory=dict)
    firings: list[Firing] = field(default_factory=list)
    judged: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """Which cases to fire: a glob over their ids, and pack names (None = all). The rules stay the full set."""

    pattern: str = "*"
    packs: frozenset[str] | None = None

    def takes(self, pack: str, case: str) -> bool:
        return fnmatch(case, self.pattern) and (self.packs is None or pack in self.packs)

    @property
    def everything(self) -> bool:
        return self == Choice()


def make(composed: engine.Composed, facts: HostFacts, choice: Choice) -> HostPlan:
    """The plan of a host whose packs are composed, for the chosen cases."""
    plan = HostPlan(facts, engine.in_force(composed, facts))
    benchmarks = composed.benchmarks(facts)
    packs = frozenset(pack.name for pack in composed.packs)
    for pack in composed.packs:
        for case in pack.cases:
            if choice.takes(pack.name, case.id):
                benchmark = benchmarks.get(pack.name, "")
                plan.cases.append(case)
                _add(plan, case, unmet(case.when, facts, benchmark, packs))
                plan.judged[case.id] = resolved(case, facts, benchmark, packs)
    return plan


def _add(plan: HostPlan, case: Case, reason: str) -> None:
    if not reason and case.rules and not any(rule in plan.rules.active for rule in case.rules):
        reason = "; ".join(
            dict.fromkeys(plan.rules.skipped.get(rule, "rule not active on this host") for rule in case.rules)
        )
    elements: Sequence[str] = ("",)
    if not reason and case.each:
        elements = plan.facts.lists.get(case.each, ())
        reason = "" if elements else f"{case.each} is empty on this host"
    if reason:
        plan.excused[case.id] = reason
        return
    for number, element in enumerate(elements, 1):
        plan.firings.append(Firing(f"{case.id}#{number}" if element else case.id, case, element))


def unmet(when: Mapping[str, Any], facts: HostFacts, benchmark: str, packs: Set[str] = frozenset()) -> str:
    """The first condition of `when` that does not hold on the host with these packs; empty when all hold."""
    has = {
        "distro": facts.distro,
        "distro_version": facts.distro_version,
        "machine": facts.machine,
        "enabled": facts.status.get("enabled"),
    }
    for name, wanted in when.items():
        options = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]
        if name in has:
            if str(has[name]) not in [str(option) for option in options]:
                return f"{name} is {has[name]}, not {' or '.join(str(option) for option in options)}"
        elif name in ("audit", "kernel"):
            version = facts.audit_version if name == "audit" else facts.kernel
            if not satisfies(version, str(wanted)):
                return f"{name} is {version}, not {wanted}"
        elif name == "benchmark":
            if benchmark not in options:
                return f"benchmark is {benchmark or 'none'}, not {' or '.join(options)}"
        elif name == "without":
            there = [pack for pack in options if pack in packs]
            if there:
                return f"pack {' and '.join(there)} is composed too"
        elif name == "has":
            absent = [path for path in options if facts.paths.get(path, {"kind": "missing"})["kind"] == "missing"]
            if absent:
                return f"{', '.join(absent)} not on this host"
        else:
            raise ValueError(f"when: unknown condition {name!r}")
    return ""


def paths_asked(cases: Sequence[Case]) -> list[str]:
    """Paths whose presence `when` depends on."""
    found: list[str] = []
    for case in cases:
        for when in (case.when, (case.xfail or {}).get("when") or {}):
            wanted = when.get("has", [])
            found += [wanted] if isinstance(wanted, str) else list(wanted)
    return list(dict.fromkeys(found))


def resolved(case: Case, facts: HostFacts, benchmark: str, packs: Set[str] = frozenset()) -> dict[str, Any]:
    """The case as the judge takes it on this host: `xfail` only where its own `when` holds."""
    data = plain(case)
    gap = data.get("xfail")
    if gap and unmet(gap.get("when") or {}, facts, benchmark, packs):
        del data["xfail"]
    return data


def batch(plan: HostPlan) -> dict[str, Any]:
    """What the driver gets as plan.json."""
    users = sorted({firing.case.as_user for firing in plan.firings} | {"root"})
    return {
        "run": uuid.uuid4().hex[:8],
        "events": EVENTS,
        "status": STATUS,
        "collector_user": COLLECTOR_USER,
        "users": users,
        "syscalls": {abi: dict(table) for abi, table in plan.facts.syscalls.items()},
        "firings": [
            {"ref": firing.ref, "each": firing.each, "case": plan.judged[firing.case.id]} for firing in plan.firings
        ],
    }


def folder(run: str) -> str:
    """The run folder on the host; on the root file system, see `driver.Batch._workspace`."""
    return str(Path("/var/tmp") / f"auditpack-proof-{run}")
