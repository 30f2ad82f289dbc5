# SPDX-License-Identifier: Apache-2.0
"""The proof of benchmarks of other distributions: what the hosts get, and what is kept."""

from __future__ import annotations

import json
from pathlib import Path

from auditpack.benchmarks import SECTIONS
from auditpack.proof import load, match_of
from auditpack.schema import load_packs

from tests.events import benchmarks

ROOT = Path(__file__).resolve().parents[3]


def test_the_hosts_get_the_rules_of_the_benchmark() -> None:
    own = {"all": {}, "lab": {"hosts": {"debian12": {"ansible_port": 1}}, "vars": {"x": 1}}}
    found = benchmarks.inventory_for(own, "rhel9")
    (host,) = found["lab"]["hosts"].values()
    assert host["audit_rules_packs"][1] == {"name": "cis", "variables": {"benchmark": "rhel9"}}
    assert (host["ansible_port"], found["lab"]["vars"]) == (1, {"x": 1})


def test_what_is_kept_is_a_proof_and_small(tmp_path: Path) -> None:
    event = {"@timestamp": "t", "event": {"id": "1:2"}, "tags": ["scope"], "auditd": {"records": ["…"] * 99}}
    about = {"distro": "debian 12", "kernel": "6.1", "audit": "3.0.9", "arch": "x86_64", "benchmark": "rhel9"}
    row = {
        "pack": "cis",
        "rule": "cis.sudoers",
        "host": "h",
        "verdict": "proven",
        "reason": "",
        "event": event,
        **about,
    }
    rows = [{**row, "case": "a"}, {**row, "case": "b"}, {**row, "case": "", "reason": "not in benchmark rhel9"}]
    file = tmp_path / "cis-rhel9.json"
    file.write_text(benchmarks.small(rows))
    first, second = load([file]).rows["cis.sudoers"]
    assert first["event"] == event
    assert second["event"] == {"@timestamp": "t", "event": {"id": "1:2"}, "tags": ["scope"]}
    assert all(json.loads(line.rstrip(",")) for line in file.read_text().splitlines()[1:-1])


def test_every_benchmark_is_run_or_the_same_as_one_that_is() -> None:
    """Each rule of each benchmark is, match and key, one that a lab host or one of these runs proves."""
    rules = [rule for pack in load_packs([ROOT / "rulepacks/cis"]) for rule in pack.rules]
    run = (*benchmarks.BENCHMARKS, "debian12", "debian13")
    for benchmark in SECTIONS:
        for rule in rules:
            named = {reference.benchmark for reference in rule.references}
            if benchmark in named:
                same = [
                    one for one in run if one in named and match_of(rule.under(one)) == match_of(rule.under(benchmark))
                ]
                assert same, f"{rule.id} of {benchmark} is proven by no run: add the benchmark to BENCHMARKS"
