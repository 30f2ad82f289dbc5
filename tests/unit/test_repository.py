# SPDX-License-Identifier: Apache-2.0
"""What holds for every file of the tree."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
FILES = [
    Path(name) for name in TRACKED.split("\0") if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink()
]
ROLES = sorted((ROOT / "roles").iterdir()) if (ROOT / "roles").is_dir() else []

# Formats that have no comments, recorded data, and the licence text itself.
WITHOUT_COMMENT = {".json", ".jsonl", ".log", ".xz", ".gz", ".png", ".svg", ".txt", ".typed", ".bin", ".golden", ".pub"}
DATA = ("collector/fuzz/corpus/", "collector/tests/corpus/")  # recorded or found input, byte for byte
MACHINE = re.compile(r"(?<![\w./])/(work|farm|tmp/brief)/")
REGISTRY = re.compile(
    r"(deb|security)\.debian\.(org)|archive\.ubuntu\.(com)|pypi\.(org)|files\.python(hosted)|registry\.(npmjs)|proxy\.(golang)"
    r"|crates\.(io)/|repo1\.(maven)"
)


def lines(path: Path) -> list[str]:
    """Return the lines of a tracked text file; none for a binary one."""
    data = (ROOT / path).read_bytes()
    return [] if b"\0" in data else data.decode(errors="replace").splitlines()


def test_first_line_names_the_licence() -> None:
    without = []
    for path in FILES:
        text = lines(path)
        if (
            not text
            or path.name == "LICENSE"
            or str(path).startswith(DATA)
            or (path.suffix in WITHOUT_COMMENT and path.name != "requirements.txt")
        ):
            continue
        head = text[1] if text[0].startswith(("#!", "<!DOCTYPE")) and len(text) > 1 else text[0]
        if "SPDX-License-Identifier: Apache-2.0" not in head:
            without.append(f"{path}:1: no SPDX line — put it first, after a shebang or doctype")
    assert not without, "\n".join(without)


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in FILES
        for number, line in enumerate(lines(path), 1)
        if MACHINE.search(line) or REGISTRY.search(line)
    ]
    assert not found, "\n".join(found)


def test_text_files_end_with_a_newline_and_have_no_trailing_space() -> None:
    found = []
    for path in FILES:
        if path.suffix not in {".py", ".c", ".h", ".yml", ".sh", ".tf", ".hcl", ".toml", ".md", ".j2"}:
            continue
        if (data := (ROOT / path).read_bytes()) and not data.endswith(b"\n"):
            found.append(f"{path}: no newline at the end")
        found += [
            f"{path}:{number}: trailing space" for number, line in enumerate(lines(path), 1) if line != line.rstrip()
        ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: str(role.name))
def test_role_defaults_and_argument_specs_are_one_list(role: Path) -> None:
    defaults: dict[str, Any] = yaml.safe_load((role / "defaults" / "main.yml").read_text(encoding="utf-8")) or {}
    specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    options: dict[str, dict[str, Any]] = {
        name: option for entry in specs.values() for name, option in entry["options"].items()
    }
    assert all(name.startswith(role.name) for name in options), "a role's variables carry its name"
    required = {name for name, option in options.items() if option.get("required")}
    assert set(options) - required == set(defaults)
    for name, value in defaults.items():
        if "default" in options[name]:
            assert options[name]["default"] == value, f"{name}: the documented default is not the one that holds"


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_every_make_command_in_the_texts_exists() -> None:
    known = make_targets() | {
        f"-C collector {target}"
        for target in re.findall(
            r"^([a-z][a-z0-9-]*):", (ROOT / "collector" / "Makefile").read_text(encoding="utf-8"), re.M
        )
    }
    unknown = [
        f"{path}:{number}: make {command}"
        for path in FILES
        if path.suffix == ".md"
        for number, line in enumerate(lines(path), 1)
        for command in re.findall(r"(?:`|^ *\$? ?)make ((?:-C collector )?[a-z][a-z0-9-]*)", line)
        if command not in known
    ]
    assert not unknown, "\n".join(unknown)


def test_help_lists_every_target() -> None:
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^ +make ([a-z-]+)", shown, re.MULTILINE)) == make_targets()


def test_a_plain_clone_is_a_collection() -> None:
    link = ROOT / ".collections" / "ansible_collections" / "auditpack" / "linux"
    assert link.is_symlink()
    assert link.resolve() == ROOT
