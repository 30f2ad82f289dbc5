# SPDX-License-Identifier: Apache-2.0
"""Every mistake in a pack is told with file, line and remedy. `packs/broken-*/expected.txt` hold what lint says."""

from __future__ import annotations

from pathlib import Path

import pytest
from auditpack.errors import PackErrors
from auditpack.schema import check_packs, find_packs, load_packs

PACKS = Path(__file__).parent / "packs"
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["broken-pack", "broken-rules", "broken-cases"])
def test_broken_packs(name: str) -> None:
    folder = PACKS / name
    _, problems = check_packs([folder])
    told = [
        f"{Path(problem.file).name}:{problem.line}: {problem.level}: {problem.message} — {problem.remedy}"
        for problem in problems
    ]
    assert told == (folder / "expected.txt").read_text().splitlines()


@pytest.mark.parametrize("name", ["base", "demo", "dead"])
def test_good_packs(name: str) -> None:
    assert check_packs([PACKS / name])[1] == []


def test_the_packs_of_the_project_pass() -> None:
    _, problems = check_packs(find_packs([ROOT / "rulepacks"]))
    assert [str(problem) for problem in problems] == []


def test_places_are_those_of_the_file() -> None:
    (pack,) = load_packs([PACKS / "demo"])
    text = (PACKS / "demo" / "rules.yml").read_text().splitlines()
    for rule in pack.rules:
        assert f"id: {rule.id}" in text[rule.place.line - 1]


def test_a_shorthand_becomes_a_filter() -> None:
    (pack,) = load_packs([PACKS / "demo"])
    chmod = next(rule for rule in pack.rules if rule.id == "demo.chmod")
    assert chmod.filters[-1] == "exit=-EACCES"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("name: x\n", 1, "no licence line"),
        ("# SPDX-License-Identifier: Apache-2.0\nname: [x\n", 3, "not YAML"),
        ("# SPDX-License-Identifier: Apache-2.0\n- a\n", 2, "must be a map"),
        ("# SPDX-License-Identifier: Apache-2.0\n? [a]\n: b\n", 2, "a key must be a plain word"),
        ("", 1, "no licence line"),
    ],
)
def test_files_that_are_no_pack(tmp_path: Path, text: str, line: int, message: str) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "pack.yml").write_text(text)
    _, problems = check_packs([folder])
    assert (line, True) in [(problem.line, message in problem.message) for problem in problems], problems
    assert any("rules.yml" in problem.file and "missing" in problem.message for problem in problems) or "[x" in text


def test_load_raises_all_at_once() -> None:
    with pytest.raises(PackErrors) as caught:
        load_packs([PACKS / "broken-rules"])
    assert len(caught.value.errors) > 10
    assert "rules.yml:3: `id: wrong.id` is malformed — " in str(caught.value)


def test_no_pack_in_a_folder(tmp_path: Path) -> None:
    with pytest.raises(PackErrors, match="no pack is here"):
        find_packs([tmp_path])
