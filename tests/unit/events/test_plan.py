# SPDX-License-Identifier: Apache-2.0
"""Which cases apply to which host, and which verdict a rule has when all its cases are in."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.module_utils.rulepack.compose import Chosen, Composition
from plugins.module_utils.rulepack.model import Case, HostFacts, Pack, Place, Rule, Syscall
from tests.events import plan, run
from tests.events.engine import Composed, InForce
from tests.events.judge import FAILED, NOT_APPLICABLE, PROVEN, XFAIL, Verdict
from tests.unit.events.samples import touch

HERE = Place("x.yml", 1)
FACTS = HostFacts(
    distro="debian",
    distro_version="12",
    kernel="6.1.0-40-amd64",
    machine="x86_64",
    audit_version="3.0.9",
    abis=("b64", "b32"),
    syscalls={"b64": {"open": 2}},
    paths={"/usr/bin/setfacl": {"kind": "missing", "real": ""}, "/usr/bin/su": {"kind": "file", "real": "/usr/bin/su"}},
    lists={"setuid_files": ("/usr/bin/su", "/usr/bin/sudo")},
    status={"enabled": 1},
)


def case(name: str, *rules: str, **changes: Any) -> Case:
    return Case(**{"id": name, "place": HERE, "title": "", "rules": rules, "trigger": "true", **changes})


def composed(rules: list[Rule], cases: list[Case]) -> Composed:
    pack = Pack(name="p", place=HERE, version="1.0.0", rules=tuple(rules), cases=tuple(cases))
    return Composed(Composition((Chosen(pack, {}, tuple(rules)),)))


def planned(
    cases: list[Case], active: set[str], skipped: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> plan.HostPlan:
    monkeypatch.setattr(plan.engine, "in_force", lambda *_: InForce(frozenset(active), skipped, ""))
    return plan.make(composed([Rule(id=rule, place=HERE) for rule in [*active, *skipped]], cases), FACTS, plan.Choice())


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ({}, ""),
        ({"distro": ["debian"], "distro_version": ["12"], "machine": ["x86_64"]}, ""),
        ({"distro_version": ["13"]}, "distro_version is 12, not 13"),
        ({"machine": "aarch64"}, "machine is x86_64, not aarch64"),
        ({"audit": ">=3.0"}, ""),
        ({"audit": ">=4.0"}, "audit is 3.0.9, not >=4.0"),
        ({"kernel": ">=6.6"}, "kernel is 6.1.0-40-amd64, not >=6.6"),
        ({"benchmark": ["debian12"]}, ""),
        ({"benchmark": ["debian13"]}, "benchmark is debian12, not debian13"),
        ({"has": ["/usr/bin/su"]}, ""),
        ({"has": ["/usr/bin/setfacl"]}, "/usr/bin/setfacl not on this host"),
        ({"enabled": 1}, ""),
        ({"enabled": [2]}, "enabled is 1, not 2"),
    ],
)
def test_conditions(when: dict[str, Any], reason: str) -> None:
    assert plan.unmet(when, FACTS, "debian12") == reason


def test_unknown_condition_is_an_error() -> None:
    with pytest.raises(ValueError, match="moon"):
        plan.unmet({"moon": "full"}, FACTS, "")


def test_each_element_is_fired(monkeypatch: pytest.MonkeyPatch) -> None:
    made = planned([case("p.r.x", "p.r", each="setuid_files")], {"p.r"}, {}, monkeypatch)
    assert [(firing.ref, firing.name) for firing in made.firings] == [
        ("p.r.x#1", "p.r.x[/usr/bin/su]"),
        ("p.r.x#2", "p.r.x[/usr/bin/sudo]"),
    ]


def test_case_of_several_rules_is_fired_when_one_is_active(monkeypatch: pytest.MonkeyPatch) -> None:
    both, none = case("p.both", "p.a", "p.b"), case("p.none", "p.b")
    made = planned([both, none], {"p.a"}, {"p.b": "not in benchmark debian12"}, monkeypatch)
    assert [firing.ref for firing in made.firings] == ["p.both"]
    assert made.excused == {"p.none": "not in benchmark debian12"}


def test_xfail_holds_only_where_its_condition_does() -> None:
    gap = case("p.c", xfail={"reason": "gap", "when": {"distro_version": ["13"]}})
    assert "xfail" not in plan.resolved(gap, FACTS, "")
    assert plan.resolved(case("p.c", xfail={"reason": "gap"}), FACTS, "")["xfail"] == {"reason": "gap"}


def test_a_gap_that_another_pack_closes_is_none() -> None:
    gap = case("p.c", xfail={"reason": "gap", "when": {"without": ["mounts", "kernel"]}})
    assert "xfail" in plan.resolved(gap, FACTS, "", {"cis"})
    assert "xfail" not in plan.resolved(gap, FACTS, "", {"cis", "mounts"})
    assert plan.unmet({"without": ["mounts"]}, FACTS, "", {"cis", "mounts"}) == "pack mounts is composed too"


def test_paths_that_conditions_ask_for() -> None:
    cases = [case("a", when={"has": ["/a"]}), case("b", xfail={"reason": "", "when": {"has": "/b"}}), case("c")]
    assert plan.paths_asked(cases) == ["/a", "/b"]


def host_run(monkeypatch: pytest.MonkeyPatch, verdicts: dict[str, Verdict], *cases: Case, **rule: Any) -> run.HostRun:
    rules = [Rule(id="p.r", place=HERE, **rule), Rule(id="p.off", place=HERE)]
    monkeypatch.setattr(plan.engine, "in_force", lambda *_: InForce(frozenset({"p.r"}), {"p.off": "no such path"}, ""))
    found = run.HostRun("h", composed(rules, list(cases)), plan.Choice())
    found.plan = plan.make(found.composed, FACTS, plan.Choice())
    found.verdicts = verdicts
    found.fired.outcomes = {ref: {"seconds": 1} for ref in verdicts}
    return found


EXPECTS = {"expect": ({"key": "identity"},)}
SHOWN = Verdict(PROVEN, "", touch(), (touch(),))


@pytest.mark.parametrize(
    ("verdicts", "options", "rule", "proven"),
    [
        ({"p.r.a": SHOWN}, EXPECTS, {"key": "identity"}, True),
        ({"p.r.a": SHOWN}, EXPECTS, {"key": "identity", "syscalls": (Syscall("openat"),)}, True),
        ({"p.r.a": SHOWN}, EXPECTS, {"key": "identity", "syscalls": (Syscall("unlink"),)}, False),
        ({"p.r.a": SHOWN}, EXPECTS, {"key": "scope"}, False),  # another rule's event
        ({"p.r.a": Verdict(PROVEN)}, {"stdout": "x"}, {}, True),  # a control
        ({"p.r.a": SHOWN}, EXPECTS, {}, True),
        ({"p.r.a": Verdict(PROVEN)}, {"never": ({"uid": "x"},)}, {"action": "never"}, True),
        ({"p.r.a": Verdict(PROVEN)}, {"never": ({"uid": "x"},)}, {}, False),
        ({"p.r.a": Verdict(PROVEN)}, {"stdout": "x"}, {"key": "identity"}, False),
        ({"p.r.a": Verdict(PROVEN)}, {"never": ({"key": "identity"},)}, {"key": "identity"}, False),
        ({"p.r.a": Verdict(FAILED, "no")}, EXPECTS, {"key": "identity"}, False),
        ({"p.r.a": Verdict(XFAIL, "gap")}, EXPECTS, {"key": "identity"}, True),
        ({}, EXPECTS, {"key": "identity"}, False),  # never reported
    ],
)
def test_rule_needs_a_proof(
    verdicts: dict[str, Verdict],
    options: dict[str, Any],
    rule: dict[str, Any],
    proven: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = host_run(monkeypatch, verdicts, case("p.r.a", "p.r", **options), **rule)
    assert (run.rule_problem(found, "p.r") == "") is proven


def test_each_rule_of_a_case_has_its_own_event(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = touch(1, key=["scope"]), touch(2)
    verdicts = {"p.r.a": Verdict(PROVEN, "", first, (first, second))}
    found = host_run(monkeypatch, verdicts, case("p.r.a", "p.r", **EXPECTS), key="identity", path="/etc/passwd")
    assert run.rows([found])[0]["event"] == second


def test_rule_without_a_case_fails_unless_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "it has none" in run.rule_problem(host_run(monkeypatch, {}), "p.r")
    assert run.rule_problem(host_run(monkeypatch, {}, maturity="sandbox"), "p.r") == ""


def test_a_failed_case_is_not_hidden_by_a_known_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = {"p.r.a": Verdict(XFAIL, "gap"), "p.r.b": Verdict(FAILED, "no")}
    found = host_run(monkeypatch, verdicts, case("p.r.a", "p.r", **EXPECTS), case("p.r.b", "p.r", **EXPECTS))
    assert run.rule_problem(found, "p.r")


def test_no_rule_is_silently_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    found = host_run(monkeypatch, {})
    assert [(row["rule"], row["case"], row["verdict"], row["reason"]) for row in run.rows([found])] == [
        ("p.r", "", FAILED, "no case proves this rule"),
        ("p.off", "", NOT_APPLICABLE, "no such path"),
    ]


def test_a_host_that_was_not_reached_fails_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    found = host_run(monkeypatch, {}, case("p.r.a", "p.r", **EXPECTS))
    found.plan, found.error = None, "h: no route"
    assert {row["verdict"] for row in run.rows([found])} == {FAILED}
    assert run.rule_problem(found, "p.r") == "h: no route"


def test_row_of_a_proven_case(monkeypatch: pytest.MonkeyPatch) -> None:
    found = host_run(monkeypatch, {"p.r.a": Verdict(PROVEN, "", touch())}, case("p.r.a", "p.r", **EXPECTS))
    assert run.rows([found])[0] == {
        "pack": "p", "rule": "p.r", "case": "p.r.a", "benchmark": "", "host": "h", "distro": "debian 12",
        "kernel": "6.1.0-40-amd64", "audit": "3.0.9",
        "arch": "x86_64", "verdict": PROVEN, "seconds": 1, "reason": "", "event": touch(),
    }  # fmt: skip
