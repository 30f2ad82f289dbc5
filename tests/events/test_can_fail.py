# SPDX-License-Identifier: Apache-2.0
"""The proof can fail: rules that only the kernel shows to be dead come out `failed`, by the same path as all others.

Those that can be seen without a kernel are refused by the engine: tests/unit/events/test_dead_rules.py.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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

PLANTED = ROOT / "tests/fixtures/dead-rules"


def planted(target: Target, folder: Path) -> dict[str, Verdict]:
    """The verdict on each case of a planted pack, whose rules are loaded beside the host's own meanwhile."""
    composed = Composed(compose(load_packs([folder])))
    facts = HostFacts.from_json(target.host.module("auditpack.linux.audit_facts", composed.asked([]))["facts"])
    lines = [line.text for line in render(composed.composition, facts).lines]
    rules = InForce(frozenset(composed.rules), {}, "")
    cases = plan.HostPlan(facts, rules)
    for case in composed.cases:
        cases.firings.append(plan.Firing(case.id, case))
        cases.judged[case.id] = plan.resolved(case, facts, "")
    with loaded(target.host, lines):
        fired = fire(target.host, plan.batch(cases), lambda ref, outcome: None)
    assert fired.error == ""
    return {ref: judge(cases.judged[ref], outcome) for ref, outcome in fired.outcomes.items()}


@contextmanager
def loaded(host: Host, lines: list[str]) -> Iterator[None]:
    """Rules in addition to those in force, removed again whatever happens."""
    added: list[str] = []
    try:
        for line in lines:
            run(host, f"auditctl {shlex.join(line.split())}")
            added.append(line)
        yield
    finally:
        for line in added:
            run(host, f"auditctl {shlex.join(line.split())}".replace(" -a ", " -d ", 1))


def run(host: Host, command: str) -> None:
    done = host.run(command)
    assert done.returncode == 0, f"{command}: {done.stderr or done.stdout}"


def test_rule_for_open_alone_fails(target: Target) -> None:
    """Same rule, two triggers: the raw call proves that it is loaded and seen, and what users do leaves nothing."""
    verdicts = planted(target, PLANTED / "open-only")
    assert verdicts["open-only.secret.raw-open"].verdict == PROVEN, verdicts["open-only.secret.raw-open"].reason
    dead = verdicts["open-only.secret.cat"]
    assert dead.verdict == FAILED
    assert "at least 1 wanted" in dead.reason


def test_rule_on_a_symbolic_link_fails(target: Target) -> None:
    """A watch does not follow the link, so running what it leads to is never seen under its key."""
    verdicts = planted(target, PLANTED / "symlink")
    assert verdicts["symlink.insmod.version"].verdict == FAILED
