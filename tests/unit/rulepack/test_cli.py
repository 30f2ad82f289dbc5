# SPDX-License-Identifier: Apache-2.0
"""The command line: what it prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from auditpack.cli import main

PACKS = Path(__file__).parent / "packs"
ROOT = Path(__file__).parents[3]
OURS = ["--dir", str(ROOT / "rulepacks")]


def test_lint_ends_with_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(PACKS / "demo"), str(PACKS / "base")]) == 0
    assert capsys.readouterr().out == "2 packs, 14 rules, 1 cases: 0 errors, 0 warnings\n"


def test_lint_fails_on_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(PACKS / "broken-cases")]) == 1
    out = capsys.readouterr().out
    assert "cases.yml:2: error: unknown key `kay`" in out
    assert main(["lint", str(PACKS / "nowhere")]) == 1


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", str(PACKS / "demo"), str(PACKS / "base"), "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["order"], row["rules"]) for row in rows] == [("base", 0, 3), ("demo", 30, 11)]


@pytest.mark.parametrize("distro", ["debian12", "debian13"])
@pytest.mark.parametrize("style", ["modern", "cis"])
def test_the_packs_of_the_project_render(distro: str, style: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", *OURS, "--distro", distro, "--style", style]) == 0
    captured = capsys.readouterr()
    assert "# base.clear (base " in captured.out
    assert f"facts of a plain host {distro}" in captured.err


def test_compose_says_who_wins(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compose", *OURS, "--packs", "base,sudoers,cis", "--distro", "debian12", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["lines"]
    assert next(row for row in rows if row["rule"] == "sudoers.main")["also"] == ["cis.sudoers"]


def test_variables_and_exclusions(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["render", *OURS, "--packs", "base", "--distro", "debian13", "--format", "json"]
    assert main([*arguments, "--set", "base.immutable=true", "--exclude", "base.failure"]) == 0
    text = json.loads(capsys.readouterr().out)["text"]
    assert text.endswith("-e 2\n")
    assert "-f " not in text
    assert main([*arguments, "--set", "base.immutable=perhaps"]) == 1
    assert "must be true or false" in capsys.readouterr().err
    assert main([*arguments, "--set", "nonsense"]) == 1


@pytest.mark.parametrize(
    ("content", "message"), [("{", "no host facts"), ('{"distro": "x"}', "missing"), (None, "no such")]
)
def test_facts_that_are_none(
    content: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "facts.json"
    if content is not None:
        file.write_text(content)
    assert main(["render", *OURS, "--packs", "base", "--facts", str(file)]) == 1
    assert message in capsys.readouterr().err
