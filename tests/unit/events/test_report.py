# SPDX-License-Identifier: Apache-2.0
"""The same result in every form, and nothing in it that could break out of the form."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.events import report
from tests.events.judge import FAILED, NOT_APPLICABLE, PROVEN, XFAIL
from tests.unit.events.samples import touch

NASTY = "</script><script>alert(1)</script> | \x00 end"
RUN = {"label": "after-reboot", "started": "2026-11-20T22:00:00+00:00", "hosts": {}}
CATALOGUE: dict[str, dict[str, Any]] = {
    "packs": {"cis": {"title": "CIS", "version": "1.0.0"}},
    "rules": {"cis.passwd": {"sections": ["debian12 6.2.3.8"], "title": "passwd"}},
    "cases": {"cis.passwd.touch": {"trigger": "sudo touch /etc/passwd", "as": "alice"}},
}


def row(rule: str, case: str, host: str, verdict: str, *, reason: str = "", event: Any = None) -> report.Row:
    return {
        "pack": "cis", "rule": rule, "case": case, "host": host, "distro": "debian 12", "kernel": "6.1",
        "audit": "3.0.9", "arch": "x86_64", "verdict": verdict, "seconds": 0.5, "reason": reason, "event": event,
    }  # fmt: skip


ROWS = [
    row("cis.passwd", "cis.passwd.touch", "debian12", PROVEN, event=touch(204)),
    row("cis.passwd", "cis.passwd.touch", "debian13", FAILED, reason=NASTY),
    row("cis.mv", "cis.mv.mv", "debian12", XFAIL, reason="renameat2"),
    row("cis.mv", "cis.mv.rename", "debian12", PROVEN, event=touch(205)),
    row("cis.mv", "cis.mv.mv", "debian13", NOT_APPLICABLE, reason="not in benchmark debian13"),
]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    hosts = {
        name: {"seconds": 3.2, "lost": {"before": 0, "after": 0}, "error": ""} for name in ("debian12", "debian13")
    }
    report.write(tmp_path, ROWS, {**RUN, "hosts": hosts}, CATALOGUE)
    return tmp_path


def test_proof_json_has_the_fields_of_the_contract(written: Path) -> None:
    rows = json.loads((written / "proof.json").read_text())
    assert [list(entry) for entry in rows] == [list(report.FIELDS)] * len(ROWS)
    assert rows[0]["event"] == touch(204)


def test_failure_outweighs_proof_and_proof_outweighs_a_gap() -> None:
    assert report.of_rule(ROWS[:2]) == FAILED
    assert report.of_rule(ROWS[2:4]) == PROVEN
    assert report.of_rule([ROWS[2]]) == XFAIL


def test_table_shows_the_proving_event(written: Path) -> None:
    lines = report.table(ROWS, json.loads((written / "run.json").read_text()), colour=False)
    line = next(line for line in lines if "cis.passwd" in line)
    assert "proven 1795180126.804:204" in line
    assert "✘ failed" in line
    assert "\x1b" not in "".join(lines)
    assert "debian12: debian 12, kernel 6.1, audit 3.0.9, x86_64: 2 rules: 2 proven" in "\n".join(lines)
    assert "lost 0 → 0" in lines[-1]


def test_markdown_lists_rules_failures_and_gaps(written: Path) -> None:
    text = (written / "proof.md").read_text()
    assert "| cis.passwd | debian12 6.2.3.8 | proven 1795180126.804:204 | failed" in text
    assert "- debian12 `cis.mv.mv`: renameat2" in text


def test_page_stands_alone_and_holds_the_data(written: Path) -> None:
    page = (written / "proof.html").read_text()
    assert not re.search(r"(src|href)=|url\(|@import|https?://", page)
    assert "</script><script>alert" not in page
    data = page.partition("const data = ")[2].partition(";\nconst WORDS")[0]
    assert json.loads(data)["rows"][1]["reason"] == NASTY


def test_junit(written: Path) -> None:
    root = ElementTree.parse(written / "junit.xml").getroot()  # noqa: S314 - written by ourselves
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root] == [
        ("debian12", "3", "0"),
        ("debian13", "2", "1"),
    ]


def test_rendering_again_from_proof_json(
    written: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "load", lambda folders: CATALOGUE)
    before = {path.name: path.read_bytes() for path in written.iterdir()}
    assert report.main([str(written / "proof.json")]) == 0
    assert {path.name: path.read_bytes() for path in written.iterdir()} == before
    assert "cis.passwd" in capsys.readouterr().out
