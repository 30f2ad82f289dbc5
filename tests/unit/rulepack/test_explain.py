# SPDX-License-Identifier: Apache-2.0
"""`auditpack explain`: by id, key and line; proof from proof.json, gaps from the packs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from auditpack.cli import main

PACKS = ["--dir", str(Path(__file__).parents[3] / "rulepacks")]


def explained(asked: str, capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, Any]]:
    assert main(["explain", *PACKS, "--format", "json", *more, "--", asked]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_by_id(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    about = {"host": "debian12", "distro": "debian 12", "kernel": "6.1.0", "audit": "3.0.9", "arch": "x86_64"}
    row = {"rule": "cis.sudoers", "case": "cis.sudoers.touch", "verdict": "proven", "reason": "", **about}
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps([{**row, "event": {"event": {"id": "1.5:7"}, "tags": ["scope"]}}]))
    (one,) = explained("cis.sudoers", capsys, "--proof", str(proof))
    assert one["catches"] == "writing and changes of attributes of /etc/sudoers"
    assert one["status"] == "proven"
    line = "proven on debian 12, kernel 6.1.0, audit 3.0.9, x86_64: cis.sudoers.touch (event 1.5:7)"
    assert one["proof"] == [line]
    assert any("cis.sudoers" in case for case in one["cases"])


def test_gaps_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = explained("cis.mounts", capsys)
    assert any(text.startswith("case ") for text in one["evaded_by"])
    (other,) = explained("cis.user-emulation", capsys)
    assert "execveat is not in the benchmark's text." in other["evaded_by"]


def test_by_key(capsys: pytest.CaptureFixture[str]) -> None:
    found = explained("identity", capsys)
    assert {"cis.identity-passwd", "cis.identity-group"} <= {one["rule"] for one in found}
    assert all(one["key"] == "identity" for one in found)


def test_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    found = explained("-w /etc/passwd -p wa -k other", capsys)
    assert (found[0]["rule"], found[0]["relation"]) == ("cis.identity-passwd", "")
    narrow = explained("-w /etc/passwd -p w -k other", capsys)
    assert narrow[0]["relation"] == "it takes all that the line takes, and more"
    exact = explained("-a always,exit -F arch=b64 -F path=/etc/passwd -F perm=aw -k x", capsys)
    assert (exact[0]["rule"], exact[0]["relation"]) == ("cis.identity-passwd", "")
    wide = explained("-a always,exit -F dir=/etc -F perm=wa -k etc", capsys)
    assert "the line takes all that it takes, and more" in {one["relation"] for one in wide}
    assert explained("-e 2", capsys)[0]["rule"] == "base.immutable"


def test_a_dead_line_is_called_dead(capsys: pytest.CaptureFixture[str]) -> None:
    line = "-a always,exit -F arch=b64 -S execve -F auid=0 -F auid>=1000 -k power-abuse"
    assert main(["explain", *PACKS, "--", line]) == 0
    assert "catches nothing, it can never match: no value of auid fulfils" in capsys.readouterr().err


def test_text(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", *PACKS, "cis.mounts"]) == 0
    out = capsys.readouterr().out
    for text in ("  catches      system calls mount", "  proof        there is no proof", "  evaded by    "):
        assert text in out


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("cis.sudoer", "near it are cis.sudoers"),
        ("-w", "`-w` has no value"),
        ("-w /nowhere/at/all -p r -k x", "no rule of the packs matches"),
    ],
)
def test_refusals(asked: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *PACKS, "--", asked]) == 1
    assert message in capsys.readouterr().err
