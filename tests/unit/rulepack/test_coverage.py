# SPDX-License-Identifier: Apache-2.0
"""`auditpack coverage` speaks from the proof, never from the packs' claims."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from auditpack.benchmarks import SECTIONS
from auditpack.cli import main

PACKS = str(Path(__file__).parents[3] / "rulepacks")

KEYS = {"cis.sudoers": "scope", "cis.sudoers-d": "scope", "cis.user-emulation": "user_emulation", "base.clear": ""}


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
    assert main(["coverage", PACKS, "--benchmark", "debian12", "--proof", str(proof), "--format", "json"]) == 0
    return {entry["section"]: entry for entry in json.loads(capsys.readouterr().out)}


def test_no_proof_no_claim(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["coverage", PACKS, "--benchmark", "debian13", "--format", "json"]) == 0
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


def test_layer_scores_by_proof(tmp_path: Path) -> None:
    proof, layer = tmp_path / "proof.json", tmp_path / "layer.json"
    proof.write_text(json.dumps([row("cis.user-emulation", "proven")]))
    assert main(["coverage", PACKS, "--proof", str(proof), "--attack", str(layer)]) == 0
    found = json.loads(layer.read_text())
    scores = {entry["techniqueID"]: entry["score"] for entry in found["techniques"]}
    assert found["domain"] == "enterprise-attack"
    assert 0 < scores["T1548.001"] <= 100
    assert scores["T1070.006"] == 0


def test_table_and_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps([row("cis.user-emulation", "proven")]))
    common = ["coverage", PACKS, "--benchmark", "debian12", "--proof", str(proof)]
    assert main(common) == 0
    assert "21 sections: 1 proven, 20 not proven" in capsys.readouterr().out
    assert main([*common, "--format", "html"]) == 0
    assert "<td>actions as another user</td>" in capsys.readouterr().out


def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo = str(Path(__file__).parent / "packs" / "demo")
    base = str(Path(__file__).parent / "packs" / "base")
    assert main(["coverage", demo, base, "--benchmark", "rhel9"]) == 1
    assert "no pack has rules for the benchmark `rhel9`" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["coverage", PACKS, "--benchmark", "windows"])
    bad = tmp_path / "proof.json"
    for content, message in ((None, "no such proof"), ("{}", "no list"), ('[{"rule": "x"}]', "row 1 lacks")):
        if content is not None:
            bad.write_text(content)
        assert main(["coverage", PACKS, "--benchmark", "debian12", "--proof", str(bad)]) == 1
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
