# SPDX-License-Identifier: Apache-2.0
"""`auditpack coverage` speaks from the proof, never from the packs' claims."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from auditpack.benchmarks import SECTIONS
from auditpack.cli import main
from auditpack.schema import load_packs

ROOT = Path(__file__).parents[3] / "rulepacks"
PACKS = [str(ROOT / "base"), str(ROOT / "cis")]

KEYS = {"cis.sudoers": "scope", "cis.sudoers-d": "scope", "cis.user-emulation": "user_emulation", "base.clear": "",
        "base.immutable": "", "cis.sudo-log": "sudo_log_file"}  # fmt: skip


def row(rule: str, verdict: str, host: str = "debian12", reason: str = "") -> dict[str, Any]:
    about = {"distro": f"debian {host[-2:]}", "kernel": "6.1.0", "audit": "3.0.9", "arch": "x86_64", "pack": "cis"}
    event = {"tags": [KEYS[rule]]} if verdict == "proven" else None
    return {
        "rule": rule,
        "case": f"{rule}.x",
        "host": host,
        "verdict": verdict,
        "reason": reason,
        "event": event,
        **about,
    }


def covered(tmp_path: Path, capsys: pytest.CaptureFixture[str], *rows: dict[str, Any]) -> dict[str, Any]:
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps(rows))
    assert main(["coverage", *PACKS, "--benchmark", "debian12", "--proof", str(proof), "--format", "json"]) == 0
    return {entry["section"]: entry for entry in json.loads(capsys.readouterr().out)}


def test_no_proof_no_claim(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["coverage", *PACKS, "--benchmark", "debian13", "--format", "json"]) == 0
    captured = capsys.readouterr()
    rows = json.loads(captured.out)
    assert "There is no proof" in captured.err
    assert [entry["section"] for entry in rows] == list(SECTIONS["debian13"])
    assert {entry["status"] for entry in rows} == {"not proven"}
    assert all(entry["proven_on"] == [] and entry["level"] == 2 for entry in rows)
    assert set(rows[0]) == {"section", "title", "level", "rules", "status", "proven_on"}


def test_a_section_needs_all_its_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    half = covered(tmp_path, capsys, row("cis.sudoers", "proven"))
    assert (half["6.2.3.1"]["status"], half["6.2.3.1"]["proven_on"]) == ("not proven", [])
    whole = covered(tmp_path, capsys, row("cis.sudoers", "proven"), row("cis.sudoers-d", "proven"))
    assert whole["6.2.3.1"]["status"] == "proven"
    assert whole["6.2.3.1"]["proven_on"] == ["debian 12, kernel 6.1.0, audit 3.0.9, x86_64"]
    failed = covered(tmp_path, capsys, *(row(f"cis.{name}", "proven") for name in ("sudoers", "sudoers-d")),
                     row("cis.sudoers", "failed"))  # fmt: skip
    assert failed["6.2.3.1"]["status"] == "not proven"


def test_another_distro_does_not_stand_in_for_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row("cis.sudoers", "proven", "debian13"), row("cis.sudoers-d", "proven", "debian13")]
    failing = [row("cis.sudoers", "failed"), row("cis.sudoers-d", "proven")]
    assert covered(tmp_path, capsys, *rows, *failing)["6.2.3.1"]["status"] == "not proven"


@pytest.mark.parametrize(
    ("verdict", "reason", "status"),
    [
        ("xfail", "a gap", "not proven"),
        ("not-applicable", "sandbox: no case yet", "not proven"),
        ("not-applicable", "/var/log/sudo.log is not on this host", "not applicable"),
        ("not-applicable", "needs enabled 2, this is 1", "not provable here"),
    ],
)
def test_words(verdict: str, reason: str, status: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = covered(tmp_path, capsys, row("cis.sudo-log", verdict, reason=reason))
    assert found["6.2.3.3"]["status"] == status


def files(tmp_path: Path, *proofs: list[dict[str, Any]]) -> list[str]:
    """Options that name a proof file for each list of rows."""
    options = []
    for number, rows in enumerate(proofs):
        file = tmp_path / f"proof{number}.json"
        file.write_text(json.dumps(rows))
        options += ["--proof", str(file)]
    return options


def sections(benchmark: str, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert main(["coverage", *PACKS, "--benchmark", benchmark, "--format", "json", *options]) == 0
    return {entry["section"]: entry for entry in json.loads(capsys.readouterr().out)}


def test_several_proofs_count_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    excused = row("base.immutable", "not-applicable", reason="enabled is 1, not 2")
    locked = row("base.immutable", "proven")
    found = sections("debian12", capsys, *files(tmp_path, [excused], [locked]))["6.2.3.20"]
    assert (found["status"], len(found["proven_on"])) == ("proven", 1)
    found = sections("debian12", capsys, *files(tmp_path, [excused]))["6.2.3.20"]
    assert (found["status"], found["proven_on"]) == ("not provable here", [])


def test_all_proofs_made_here_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, rule in (("build/proof", "cis.sudoers"), ("build/proof/locked/debian12", "base.immutable"),
                        ("docs/proof", "cis.sudoers-d")):  # fmt: skip
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "proof.json").write_text(json.dumps([row(rule, "proven")]))
    monkeypatch.chdir(tmp_path)
    found = sections("debian12", capsys)
    assert {name for name, entry in found.items() if entry["status"] == "proven"} == {"6.2.3.1", "6.2.3.20"}


def test_another_distribution_speaks_for_a_benchmark_without_hosts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row("cis.sudoers", "proven"), row("cis.sudoers-d", "proven")]
    found = sections("rhel9", capsys, *files(tmp_path, rows))["6.3.3.1"]
    assert (found["status"], found["proven_on"]) == ("proven", ["debian 12, kernel 6.1.0, audit 3.0.9, x86_64"])


def test_a_file_that_only_another_distribution_has_is_not_provable_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {**row("cis.sudoers", "not-applicable", reason="/etc/selinux is not on this host"), "rule": rule,
         "benchmark": "rhel9"}
        for rule in ("cis.mac-policy-selinux", "cis.mac-policy-selinux-share")
    ]  # fmt: skip
    assert sections("rhel9", capsys, *files(tmp_path, rows))["6.3.3.14"]["status"] == "not provable here"
    other = [{**one, "reason": "not in benchmark debian12", "benchmark": "debian12"} for one in rows]
    assert sections("rhel9", capsys, *files(tmp_path, other))["6.3.3.14"]["status"] == "not proven"


def test_a_variant_is_proven_only_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Distribution Independent Linux has another key for sudo's log: what proves one does not prove the other."""
    debian = {**row("cis.sudo-log", "proven"), "event": {"tags": ["sudo_log_file"]}, "benchmark": "debian12"}
    dil = {**debian, "event": {"tags": ["actions"]}, "benchmark": "dil"}
    assert sections("dil", capsys, *files(tmp_path, [debian]))["4.1.17"]["status"] == "not proven"
    assert sections("dil", capsys, *files(tmp_path, [debian, dil]))["4.1.17"]["status"] == "proven"
    assert sections("debian12", capsys, *files(tmp_path, [dil]))["6.2.3.3"]["status"] == "not proven"


def test_levels_and_assessments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for benchmark, known in SECTIONS.items():
        found = sections(benchmark, capsys, *files(tmp_path, []))
        assert {name: entry["level"] for name, entry in found.items()} == dict.fromkeys(known, 2)
        assert all(entry["rules"] for entry in found.values())
    assert main(["coverage", *PACKS, "--benchmark", "rhel8", *files(tmp_path, [])]) == 0
    assert "6.3.3.22  L2 manual  running rules are those on disk" in re.sub(" {2,}", "  ", capsys.readouterr().out)


def test_layer_scores_by_proof(tmp_path: Path) -> None:
    proof, layer = tmp_path / "proof.json", tmp_path / "layer.json"
    proof.write_text(json.dumps([row("cis.user-emulation", "proven")]))
    assert main(["coverage", *PACKS, "--proof", str(proof), "--attack", str(layer)]) == 0
    found = json.loads(layer.read_text())
    scores = {entry["techniqueID"]: entry["score"] for entry in found["techniques"]}
    assert found["domain"] == "enterprise-attack"
    assert 0 < scores["T1548.001"] <= 100
    assert scores["T1070.006"] == 0


def test_table_and_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps([row("cis.user-emulation", "proven")]))
    common = ["coverage", *PACKS, "--benchmark", "debian12", "--proof", str(proof)]
    assert main(common) == 0
    text = capsys.readouterr().out
    assert "21 sections: 1 proven, 20 not proven" in text
    assert re.search(r"^ +cis\.user-emulation +proven +debian 12, kernel 6\.1\.0$", text, re.MULTILINE)
    assert re.search(r"^ +cis\.sudoers +not proven +-$", text, re.MULTILINE)
    assert main([*common, "--format", "html"]) == 0
    assert "<td>actions as another user</td>" in capsys.readouterr().out


def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo = str(Path(__file__).parent / "packs" / "demo")
    base = str(Path(__file__).parent / "packs" / "base")
    assert main(["coverage", demo, base, "--benchmark", "rhel9"]) == 1
    assert "no pack has rules for the benchmark `rhel9`" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["coverage", *PACKS, "--benchmark", "windows"])
    bad = tmp_path / "proof.json"
    for content, message in ((None, "no such proof"), ("{}", "no list"), ('[{"rule": "x"}]', "row 1 lacks")):
        if content is not None:
            bad.write_text(content)
        assert main(["coverage", *PACKS, "--benchmark", "debian12", "--proof", str(bad)]) == 1
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("event", [None, {"tags": ["another"]}, {"tags": []}])
def test_only_an_event_with_its_key_proves_a_rule(
    event: dict[str, Any] | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row("cis.sudoers", "proven"), {**row("cis.sudoers-d", "proven"), "event": event}]
    found = covered(tmp_path, capsys, *rows)["6.2.3.1"]
    assert found["status"] == "not proven"


def test_a_control_is_proven_by_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = covered(tmp_path, capsys, {**row("base.clear", "proven"), "event": None})
    assert found["6.2.3.21"]["status"] == "proven"


def test_every_rule_that_reports_names_a_technique() -> None:
    rules = [rule for pack in load_packs([ROOT]) for rule in pack.rules]
    assert [rule.id for rule in rules if not rule.attack and rule.action == "always"] == []


def test_all_benchmarks_at_a_glance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = files(tmp_path, [row("cis.user-emulation", "proven")])
    assert main(["coverage", *PACKS, "--benchmark", "all", *proof]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["debian12", "21", "1", "20", "0", "0"] in lines
    assert ["dil", "15", "0", "15", "0", "0"] in lines
    assert main(["coverage", *PACKS, "--benchmark", "all", "--format", "json", *proof]) == 0
    assert list(json.loads(capsys.readouterr().out)) == list(SECTIONS)
    assert main(["coverage", *PACKS, "--benchmark", "all", "--format", "html", *proof]) == 1
