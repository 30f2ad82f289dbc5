# SPDX-License-Identifier: Apache-2.0
"""The proof as a whole: all hosts in parallel, each in one batch, and the rows that come out of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from plugins.module_utils.rulepack.errors import PackErrors
from plugins.module_utils.rulepack.model import Case, HostFacts, Rule

from . import engine, plan
from .connection import ConnectionFailed, Host
from .explain import explain
from .fire import Fired, fire
from .judge import FAILED, NOT_APPLICABLE, PROVEN, XFAIL, Verdict, judge
from .view import Event, View

Row = dict[str, Any]
Say = Callable[[str], None]


@dataclass
class HostRun:
    """One host's part of a proof. `plan` is None when the host could not be asked; `error`: why nothing was fired."""

    name: str
    composed: engine.Composed
    choice: plan.Choice
    plan: plan.HostPlan | None = None
    fired: Fired = field(default_factory=Fired)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    error: str = ""
    seconds: float = 0

    @property
    def lost(self) -> dict[str, Any]:
        """The kernel's count of lost records before and after."""
        states = {"before": self.fired.before, "after": self.fired.after}
        return {when: state.get("kernel", {}).get("lost") for when, state in states.items()}

    def verdicts_of(self, case: Case) -> list[tuple[str, Verdict, Mapping[str, Any]]]:
        """(name, verdict, outcome) of each firing of a case; one without outcome when it was not fired."""
        nothing: dict[str, Any] = {"seconds": 0}
        problem = (self.error or self.fired.error or "not fired").partition("\n")[0]
        if self.plan is None:
            return [(case.id, Verdict(FAILED, problem), nothing)]
        if case.id in self.plan.excused:
            return [(case.id, Verdict(NOT_APPLICABLE, self.plan.excused[case.id]), nothing)]
        found: list[tuple[str, Verdict, Mapping[str, Any]]] = []
        for firing in self.plan.firings:
            if firing.case.id == case.id:
                verdict = self.verdicts.get(firing.ref, Verdict(FAILED, problem))
                found.append((firing.name, verdict, self.fired.outcomes.get(firing.ref, nothing)))
        return found


def prove(hosts: Sequence[tuple[Host, engine.Composed]], choice: plan.Choice, say: Say) -> list[HostRun]:
    """Prove all hosts at once. What goes wrong on one is its `error`; the others go on."""
    with ThreadPoolExecutor(max_workers=max(1, len(hosts))) as pool:
        return list(pool.map(lambda pair: _host(pair[0], pair[1], choice, say), hosts))


def _host(host: Host, composed: engine.Composed, choice: plan.Choice, say: Say) -> HostRun:
    started = time.monotonic()
    run = HostRun(host.name, composed, choice)
    try:
        _prepare(host, run)
        if not run.error:
            _fire(host, run, say)
    except (ConnectionFailed, PackErrors, OSError) as error:
        run.error = str(error)
    run.seconds = time.monotonic() - started
    problem = run.error or run.fired.error
    say(f"{host.name}: {problem}" if problem else f"{host.name}: done in {run.seconds:.0f} s")
    return run


def _prepare(host: Host, run: HostRun) -> None:
    wanted = run.composed.asked(plan.paths_asked(run.composed.cases))
    facts = HostFacts.from_json(host.module("auditpack.linux.audit_facts", wanted)["facts"])
    run.composed = run.composed.on(facts)
    run.plan = plan.make(run.composed, facts, run.choice)
    if run.plan.rules.difference:
        run.error = f"the rules in force are not the composed set, nothing was fired:\n{run.plan.rules.difference}"


def _fire(host: Host, run: HostRun, say: Say) -> None:
    assert run.plan is not None
    firings = {firing.ref: firing for firing in run.plan.firings}
    say(f"{host.name}: {len(run.plan.rules.active)} rules in force, {len(firings)} triggers to fire")

    judged = run.plan.judged

    def result(ref: str, outcome: Mapping[str, Any]) -> None:
        firing = firings[ref]
        verdict = judge(judged[firing.case.id], outcome)
        known = run.verdicts.get(ref)
        run.verdicts[ref] = verdict
        if known is None or known.verdict != verdict.verdict:
            place = f"{len(run.verdicts):>3}/{len(firings)}"
            say(f"{host.name} {place} {verdict.verdict:<14} {outcome['seconds']:5.1f} s  {firing.name}")

    run.fired = fire(host, plan.batch(run.plan), result)


def rows(runs: Sequence[HostRun]) -> list[Row]:
    """Every rule × case × host, in the order of packs and rules; a rule without a case, or inactive, is a row too."""
    found: list[Row] = []
    for pack in dict.fromkeys(pack.name for run in runs for pack in run.composed.packs):
        for run in runs:
            found += [row for row in _host_rows(run) if row["pack"] == pack]
    return found


def _host_rows(run: HostRun) -> list[Row]:
    facts = run.plan.facts if run.plan else None
    about: Row = {
        "host": run.name,
        "distro": f"{facts.distro} {facts.distro_version}" if facts else "",
        "kernel": facts.kernel if facts else "",
        "audit": facts.audit_version if facts else "",
        "arch": facts.machine if facts else "",
    }
    benchmarks = run.composed.benchmarks(facts) if facts else {}
    cases = [case for case in run.composed.cases if run.choice.takes(run.composed.pack_of[case.id], case.id)]
    found: list[Row] = []
    for pack in run.composed.packs:
        about["benchmark"] = benchmarks.get(pack.name, "")
        for rule in pack.rules:
            found += [{"pack": pack.name, "rule": rule.id, **about, **result} for result in _of_rule(run, rule, cases)]
        for case in pack.cases:
            if case in cases and not case.rules:
                results = [_result(*entry) for entry in run.verdicts_of(case)]
                found += [{"pack": pack.name, "rule": "", **about, **result} for result in results]
    return found


def _of_rule(run: HostRun, rule: Rule, cases: Sequence[Case]) -> list[Row]:
    """One result for each firing that proves (or guards) the rule, and one that says so when there is none."""
    skipped = _inactive(run, rule.id)
    own = [case for case in cases if rule.id in case.rules]
    if not own:
        return [_result("", _without_case(rule, skipped), {"seconds": 0})] if run.choice.everything else []
    fired = [entry for case in own for entry in run.verdicts_of(case)]
    if skipped:  # a case may prove several rules, of which each benchmark has its own
        fired = [(name, Verdict(NOT_APPLICABLE, skipped), {"seconds": 0}) for name, _, _ in fired]
    return [_result(name, _as_seen_by(rule, verdict, outcome), outcome) for name, verdict, outcome in fired]


def _as_seen_by(rule: Rule, verdict: Verdict, outcome: Mapping[str, Any]) -> Verdict:
    """The verdict with the event that is this rule's own, where the case has one for it."""
    own = proof_of(rule, verdict, outcome)
    return verdict._replace(event=own) if own else verdict


def proof_of(rule: Rule, verdict: Verdict, outcome: Mapping[str, Any]) -> Event | None:
    """Of the events that a proven case expects, one that this rule can have made: its key, one of its calls."""
    names = {syscall.name for syscall in rule.syscalls} - {"all"} if rule.list == "exit" else set()  # io_uring has none
    views = [View(event, outcome.get("syscalls")) for event in verdict.proofs]
    own = [view for view in views if rule.key in view.keys and (not names or view.syscall in names)]
    place = rule.path or rule.dir
    there = [view for view in own if any(name.startswith(place) for path in view.paths for name in path.names)]
    return next((view.event for view in (there if place else []) + own), None)


def _result(case: str, verdict: Verdict, outcome: Mapping[str, Any]) -> Row:
    return {
        "case": case,
        "verdict": verdict.verdict,
        "seconds": outcome["seconds"],
        "reason": verdict.reason,
        "event": verdict.event,
    }


def _inactive(run: HostRun, rule: str) -> str:
    """Why a rule is not in force on the host, or empty."""
    if run.plan is None or rule in run.plan.rules.active:
        return ""
    return run.plan.rules.skipped.get(rule, "rule not active on this host")


def _without_case(rule: Rule, skipped: str) -> Verdict:
    if skipped:
        return Verdict(NOT_APPLICABLE, skipped)
    if rule.maturity == "sandbox":
        return Verdict(NOT_APPLICABLE, "sandbox: no case yet")
    return Verdict(FAILED, "no case proves this rule")


def rule_problem(run: HostRun, rule: str) -> str:
    """Why an active rule is not proven on the host; empty when it is, or when there is a stated reason not to be.

    Only an event with the rule's own key proves it: a negative case also passes where the rule is dead.
    """
    if run.plan is None:
        return run.error
    about = run.composed.rules[rule]
    fired = [(case, *entry) for case in run.plan.cases if rule in case.rules for entry in run.verdicts_of(case)]
    if about.maturity == "sandbox" and not fired:
        return ""
    for case, _, verdict, outcome in fired:
        if verdict.verdict == PROVEN and (_keyless(about, case) or proof_of(about, verdict, outcome)):
            return ""
    stated = [case for case, _, found, _ in fired if case.expect and found.verdict in (XFAIL, NOT_APPLICABLE)]
    if stated and not any(verdict.verdict == FAILED for _, _, verdict, _ in fired):
        return ""
    reasons = [f"{name} {verdict.verdict} {verdict.reason}".rstrip() for _, name, verdict, _ in fired]
    return f"{rule} is in force on {run.name}, but no case proves it ({'; '.join(reasons) or 'it has none'})"


def _keyless(rule: Rule, case: Case) -> bool:
    """Whether the case proves a rule whose key no event can carry: a control by state, a `never` rule by silence."""
    return not rule.key and bool(case.expect or case.stdout or (rule.action == "never" and case.never))


def explanations(run: HostRun) -> dict[str, str]:
    """For each failed firing by name: everything needed to see why."""
    if run.plan is None:
        return {}
    return {
        firing.name: explain(run.plan.judged[firing.case.id], run.fired.outcomes[firing.ref], run.fired.after)
        for firing in run.plan.firings
        if run.verdicts.get(firing.ref, Verdict("")).verdict == FAILED and firing.ref in run.fired.outcomes
    }


def about(runs: Sequence[HostRun], label: str, started: str) -> dict[str, Any]:
    """What run.json holds: hosts with their counters and the explanation of each failure."""
    return {
        "label": label,
        "started": started,
        "hosts": {
            run.name: {
                "seconds": round(run.seconds, 1),
                "error": run.error or run.fired.error,
                "lost": run.lost,
                "events": run.fired.seen,
                "collector": run.fired.after.get("collector"),
                "explanations": explanations(run),
            }
            for run in runs
        },
    }
