# SPDX-License-Identifier: Apache-2.0
"""Every case and every rule on every host, and that the proof itself stood on firm ground."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Target
from .judge import FAILED, NOT_APPLICABLE, PROVEN
from .run import HostRun, explanations, rule_problem


def test_case(host_run: HostRun, case_id: str) -> None:
    """The trigger of a case leaves the events that the case expects, and none that it forbids."""
    cases = {case.id: case for case in host_run.composed.cases}
    results = host_run.verdicts_of(cases[case_id])
    failed = [(name, verdict) for name, verdict, _ in results if verdict.verdict == FAILED]
    if failed:
        known = explanations(host_run)
        pytest.fail("\n\n".join(known.get(name, verdict.reason) for name, verdict in failed), pytrace=False)
    first = results[0][1]
    if first.verdict == NOT_APPLICABLE:
        pytest.skip(first.reason)
    if first.verdict != PROVEN:
        pytest.xfail(first.reason)


def test_rule(host_run: HostRun, rule_id: str) -> None:
    """Each rule in force on the host has a case that proves it there."""
    if host_run.plan and rule_id not in host_run.plan.rules.active:
        pytest.skip(host_run.plan.rules.skipped.get(rule_id, "rule not active on this host"))
    problem = rule_problem(host_run, rule_id)
    if problem:
        pytest.fail(problem, pytrace=False)


def test_loaded_rules_are_the_composed_ones(host_run: HostRun) -> None:
    """What `auditctl -l` shows is the composed set, compared by meaning; the proof ran on all of it."""
    assert host_run.plan is not None, host_run.error
    assert host_run.plan.rules.difference == ""
    assert host_run.plan.rules.active, "no rule is in force"


def test_batch_was_complete(host_run: HostRun) -> None:
    """The driver went through all triggers and had its last word."""
    assert (host_run.error or host_run.fired.error) == ""
    assert host_run.plan is not None
    assert set(host_run.fired.outcomes) == {firing.ref for firing in host_run.plan.firings}


def test_nothing_was_lost(host_run: HostRun) -> None:
    """The kernel lost no record and the collector dropped none while the cases ran."""
    before, after = host_run.fired.before, host_run.fired.after
    assert before and after, host_run.error or host_run.fired.error
    assert after["kernel"]["lost"] == before["kernel"]["lost"]
    assert after["collector"] is not None, "the collector has no status file"
    assert host_run.fired.status_renewed, "the collector did not write its status again"
    assert losses(after["collector"]) == losses(before["collector"])
    assert host_run.fired.notices == []


def losses(status: dict[str, Any]) -> dict[str, int]:
    """What a collector status counts as lost."""
    return {
        "malformed": status["counters"]["malformed"],
        "gaps": status["counters"]["serial_gaps"],
        **status["dropped"],
    }


def test_no_feedback(host_run: HostRun) -> None:
    """The collector's own work causes no events: none of those it wrote during the proof is of its own user."""
    assert host_run.fired.seen > 0, host_run.error or "the collector wrote no event at all"
    assert host_run.fired.feedback == []


def test_daemon_and_collector_are_healthy(host_run: HostRun) -> None:
    """auditd runs, auditing is on, and the collector has a status to show."""
    after = host_run.fired.after
    assert after, host_run.error or host_run.fired.error
    assert after["daemon"]["state"] == "active", after["daemon"].get("journal")
    assert after["kernel"]["enabled"] in (1, 2)
    assert after["collector"] is not None, "the collector has no status file"
    assert after["collector"]["state"] == "running"


def test_rules_on_disk_are_the_loaded_ones(host_run: HostRun) -> None:
    """`augenrules --check` sees nothing to merge (its exit status is 0 either way)."""
    assert host_run.fired.after, host_run.error or host_run.fired.error
    assert "No change" in host_run.fired.after["rules_check"]


def test_hosts_have_packs(target: Target) -> None:
    """A host without packs would make an empty proof."""
    assert target.composed.packs
