# SPDX-License-Identifier: Apache-2.0
"""Profiles: ready lists that lint composes, with budgets it warns above; versions that CI refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from auditpack import lint_command
from auditpack.cli import main
from auditpack.schema import load_packs

OURS = Path(__file__).parents[3] / "rulepacks"
HEAD = "# SPDX-License-Identifier: Apache-2.0\n"


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lint_command, "COST", tmp_path / "cost.json")
    for name in ("base", "sudoers"):
        shutil.copytree(OURS / name, tmp_path / "packs" / name)
    (tmp_path / "packs" / "profiles").mkdir()
    return tmp_path / "packs"


def profile(packs: Path, text: str, name: str = "mine") -> None:
    (packs / "profiles" / "mine.yml").write_text(f"{HEAD}name: {name}\ntitle: T\ndescription: D\n{text}\n")


def test_every_profile_of_the_project_composes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(OURS)]) == 0
    assert "4 profiles: 0 errors" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("packs: [{name: nope}]", "mine", "mine.yml: error: unknown pack `nope`"),
        ("packs: [{name: sudoers}]", "mine", "which is not selected"),
        ("packs: [{name: base, version: '>=9'}]", "mine", "wanted is >=9"),
        ("packs: []", "mine", "the profile has no packs"),
        ("packs: [{name: base, kind: x}]", "mine", "unknown key `kind`"),
        ("packs: [{name: base}]\nbudget: {gold: 1}", "mine", "unknown key `gold`"),
        ("packs: [{name: base}]", "other", "profile `other` is in mine.yml"),
    ],
)
def test_lint_refuses(packs: Path, text: str, name: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    profile(packs, text, name)
    assert main(["lint", str(packs)]) == 1
    assert message in capsys.readouterr().out


def test_lint_warns_above_the_budget(packs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile(packs, "packs: [{name: base}, {name: sudoers}]\nbudget: {rules: 3, events_per_build: 50}")
    run = {"seconds": 10, "events": 9, "bytes": 1, "keys": {}, "lost": 0}
    work = dict.fromkeys(("idle", "apt", "build", "web"), run)
    sets = {name: {"rules": 1, "work": work} for name in ("no rules", "mine")}
    (tmp_path / "cost.json").write_text(json.dumps({"sets": sets, "work": 1000, "idle": 60}))
    assert main(["lint", str(packs)]) == 0
    out = capsys.readouterr().out
    assert "loads 1" in out
    assert "its budget is 3" in out
    assert "was measured with 90 events per build; its budget is 50" in out


def test_lint_refuses_a_version_raised_by_less(packs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry = str(tmp_path / "registry")
    assert main(["release", str(packs / "base"), "--out", registry]) == 0
    words = ["lint", str(packs), "--registry", registry]
    assert main(words) == 0
    file = packs / "base" / "pack.yml"
    text = file.read_text()
    number = load_packs([packs / "base"])[0].version
    file.write_text(text.replace("order: 0", "order: 1"))
    assert main(words) == 1
    assert "is released, and has changed since" in capsys.readouterr().out
    major, minor, patch = number.split(".")
    file.write_text(file.read_text().replace(f"version: {number}", f"version: {major}.{minor}.{int(patch) + 1}"))
    assert main(words) == 1
    assert "less than the major bump" in capsys.readouterr().out
    file.write_text(
        file.read_text()
        .replace(f".{int(patch) + 1}\n", f".{patch}\n")
        .replace(f"version: {number}", f"version: {int(major) + 1}.0.0")
    )
    assert main(words) == 0


def test_two_versions_of_a_pack_may_lie_side_by_side_but_not_one_twice(packs: Path, tmp_path: Path) -> None:
    other = tmp_path / "more" / "base"
    shutil.copytree(packs / "base", other)
    with pytest.raises(Exception, match=r"pack `base` .* is also at .*base/pack.yml"):
        load_packs([packs, tmp_path / "more"])
    number = load_packs([other])[0].version
    (other / "pack.yml").write_text((other / "pack.yml").read_text().replace(f"version: {number}", "version: 0.9.0"))
    assert sorted(pack.version for pack in load_packs([packs / "base", tmp_path / "more"])) == ["0.9.0", number]
    assert len(load_packs([packs / "base", packs / "base"])) == 1
