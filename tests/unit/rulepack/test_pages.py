# SPDX-License-Identifier: Apache-2.0
"""docs/packs is what the packs say, and says all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from auditpack.cli import main

ROOT = Path(__file__).parents[3]


def test_the_pages_of_the_project_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["docs", "--check"]) == 0, "run `auditpack docs`"


def write(tmp_path: Path, rules: str, cases: str = "[]") -> list[str]:
    folder = tmp_path / "packs" / "demo"
    folder.mkdir(parents=True)
    head = "# SPDX-License-Identifier: Apache-2.0\n"
    about = "title: A | B\ndescription: D <x>\nlicence: Apache-2.0\nmaintainers: [M]\nmaturity: stable\norder: 40\n"
    (folder / "pack.yml").write_text(f"{head}name: demo\nversion: 1.2.3\n{about}")
    (folder / "rules.yml").write_text(f"{head}{rules}\n")
    (folder / "cases.yml").write_text(f"{head}{cases}\n")
    return [
        "docs",
        "--dir",
        str(tmp_path / "packs"),
        "--out",
        str(tmp_path / "out"),
        "--proof",
        str(tmp_path / "proof"),
    ]


RULE = "- {id: demo.mount, title: T, why: W, key: k, syscalls: [mount], known_gaps: A new API, attack: [T1052]}"
CASE = (
    "- {id: demo.mount.a, title: C, rules: [demo.mount], as: root, trigger: x, expect: [{key: k}]}\n"
    "- {id: demo.mount.b, title: By hand, rules: [demo.mount], as: root, trigger: y, expect: [{key: k}],\n"
    "   xfail: {reason: nobody looks}}"
)


def test_a_page_tells_proof_and_gaps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = write(tmp_path, RULE, CASE)
    row: dict[str, Any] = {
        "rule": "demo.mount", "case": "demo.mount.a", "host": "h", "distro": "debian 13", "kernel": "6.12",
        "audit": "4.0.2", "arch": "x86_64", "verdict": "proven", "reason": "", "event": {"tags": ["k"]},
    }  # fmt: skip
    (tmp_path / "proof").mkdir()
    (tmp_path / "proof" / "next.json").write_text(json.dumps([row]))
    assert main([*words, "--check"]) == 1
    assert "run `auditpack docs`" in capsys.readouterr().err
    assert main(words) == 0
    page = (tmp_path / "out" / "demo.md").read_text()
    for text in (
        "# demo: A | B", "D &lt;x>", "Version 1.2.3", "- Catches: system calls mount", "- Evaded by: A new API",
        "- Evaded by: case demo.mount.b: By hand: nobody looks",
        "- Proven on: debian 13, kernel 6.12, audit 4.0.2, x86_64",
        "| [demo.mount](#demomount) | `k` | medium | T | T1052 |",
    ):  # fmt: skip
        assert text in page, text
    index = (tmp_path / "out" / "README.md").read_text()
    assert "| [demo](demo.md) | 1.2.3 | stable | 40 | 1 | 2 | 1 | 1 | A \\| B |" in index
    assert main([*words, "--check"]) == 0


def test_pages_of_packs_that_are_gone_go_too_and_others_stay(tmp_path: Path) -> None:
    words = write(tmp_path, RULE, CASE)
    assert main(words) == 0
    (tmp_path / "out" / "old.md").write_text((tmp_path / "out" / "demo.md").read_text())
    (tmp_path / "out" / "foreign.md").write_text("by hand\n")
    assert main([*words, "--check"]) == 1
    assert main(words) == 0
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["README.md", "demo.md", "foreign.md"]
