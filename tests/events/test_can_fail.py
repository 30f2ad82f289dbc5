# SPDX-License-Identifier: Apache-2.0
"""The proof can fail: rules that only the kernel shows to be dead come out `failed`, by the same path as all others.

Those that can be seen without a kernel are refused by the engine: tests/unit/events/test_dead_rules.py.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from plugins.module_utils.rulepack.compose import compose
from plugins.module_utils.rulepack.model import HostFacts
from plugins.module_utils.rulepack.render import render
from plugins.module_utils.rulepack.schema import load_packs

from . import plan
from .conftest import Target
from .connection import ROOT, Host
from .engine import Composed, InForce
from .fire import fire
from .judge import FAILED, PROVEN, Verdict, judge

PLANTED = [ROOT / "tests/fixtures/dead-rules" / name for name in ("open-only", "symlink")]


def planted(target: Target) -> dict[str, Verdict]:
    """The verdict on each case of the planted packs, whose rules are loaded beside the host's own meanwhile."""
    composed = Composed(compose(load_packs(PLANTED)))
    facts = HostFacts.from_json(target.host.module("auditpack.linux.audit_facts", composed.asked([]))["facts"])
    cases = plan.HostPlan(facts, InForce(frozenset(composed.rules), {}, ""))
    for case in composed.cases:
        cases.firings.append(plan.Firing(case.id, case))
        cases.judged[case.id] = plan.resolved(case, facts, "")
    with loaded(target.host, render(composed.composition, facts).text):
        fired = fire(target.host, plan.batch(cases), lambda ref, outcome: None)
    assert fired.error == ""
    return {ref: judge(cases.judged[ref], outcome) for ref, outcome in fired.outcomes.items()}


@contextmanager
def loaded(host: Host, rules: str) -> Iterator[None]:
    """Rules in addition to those in force, removed again whatever happens."""
    lines = rules.splitlines()
    try:
        change(host, lines)
        yield
    finally:
        change(host, [f"-d {line.removeprefix('-a ')}" for line in lines])


def change(host: Host, lines: list[str]) -> None:
    done = host.run(" && ".join(f"auditctl {shlex.join(line.split())}" for line in lines))
    assert done.returncode == 0, done.stderr or done.stdout


def test_dead_rules_come_out_failed(target: Target) -> None:
    """What users do leaves nothing under the planted keys; a raw call proves that the rule is loaded and seen."""
    verdicts = planted(target)
    assert verdicts["open-only.secret.raw-open"].verdict == PROVEN, verdicts["open-only.secret.raw-open"].reason
    for dead in ("open-only.secret.cat", "symlink.insmod.version"):
        assert verdicts[dead].verdict == FAILED, dead
        assert "at least 1 wanted" in verdicts[dead].reason
