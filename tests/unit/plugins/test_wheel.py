# SPDX-License-Identifier: Apache-2.0
"""The collector's wheel: chosen by machine and glibc, unpacked whole or not at all, built pure without tools."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from plugins.module_utils import wheel, wheel_build
from plugins.module_utils.wheel import Wheel, choose

NATIVE = Wheel("auditpack_collector-0.1.0-cp39-abi3-manylinux_2_28_x86_64.whl")
LINUX = Wheel("auditpack_collector-0.1.0-cp39-abi3-linux_x86_64.whl")
ARM = Wheel("auditpack_collector-0.1.0-cp39-abi3-manylinux_2_28_aarch64.whl")
PURE = Wheel("auditpack_collector-0.1.0-py3-none-any.whl")
EXACT = Wheel("auditpack_collector-0.1.0-cp311-cp311-linux_x86_64.whl")


@pytest.mark.parametrize(
    ("offered", "machine", "glibc", "chosen"),
    [
        ([PURE, NATIVE], "x86_64", (2, 36), NATIVE),
        ([PURE, LINUX], "x86_64", (2, 36), LINUX),
        ([NATIVE, PURE], "x86_64", (2, 17), PURE),
        ([NATIVE, ARM, PURE], "aarch64", (2, 41), ARM),
        ([LINUX, PURE], "aarch64", (2, 41), PURE),
        ([EXACT, PURE], "x86_64", (2, 36), PURE),
        ([ARM], "x86_64", (2, 36), None),
    ],
)
def test_choice(offered: list[Wheel], machine: str, glibc: tuple[int, int], chosen: Wheel | None) -> None:
    assert choose(offered, machine, glibc) == chosen


def test_a_file_that_is_no_wheel() -> None:
    with pytest.raises(ValueError, match="not named like a wheel"):
        assert Wheel("collector.zip").parts


@pytest.fixture
def pure(tmp_path: Path) -> Path:
    collector = tmp_path / "collector"
    package = collector / "src" / "auditpack_collector"
    package.mkdir(parents=True)
    (collector / "pyproject.toml").write_text('[project]\nname = "auditpack-collector"\nversion = "1.2.3"\n')
    (package / "__init__.py").write_text("")
    (package / "cli.py").write_text("def main() -> int:\n    return 0\n")
    wheel_build.build_pure(collector, tmp_path)
    return tmp_path / "auditpack_collector-1.2.3-py3-none-any.whl"


def test_a_pure_wheel_unpacks_to_what_it_says(pure: Path, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    wheel.unpack(str(pure), str(folder))
    assert wheel.damaged(str(folder)) == []
    assert wheel.entry_point(str(folder), "auditpack-collector") == ("auditpack_collector.cli", "main")
    assert wheel.installed_record(str(folder)) == wheel.read_record(str(pure))


def test_damage_is_seen(pure: Path, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    wheel.unpack(str(pure), str(folder))
    (folder / "auditpack_collector" / "cli.py").write_text("changed")
    (folder / "auditpack_collector" / "__init__.py").unlink()
    assert wheel.damaged(str(folder)) == ["auditpack_collector/__init__.py", "auditpack_collector/cli.py"]


def test_equal_contents_have_an_equal_digest(pure: Path) -> None:
    record = wheel.read_record(str(pure))
    assert wheel.record_digest(record) == wheel.record_digest("\n".join(reversed(record.splitlines())))


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil", "auditpack-1.data/scripts/x"])
def test_members_that_leave_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    bad = tmp_path / "x-1-py3-none-any.whl"
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr(name, "")
    with pytest.raises(ValueError, match="no place"):
        wheel.unpack(str(bad), str(tmp_path / "there"))


def test_a_wheel_unlike_its_record_is_refused(pure: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.whl"
    with zipfile.ZipFile(pure) as old, zipfile.ZipFile(bad, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"forged" if name.endswith("cli.py") else old.read(name))
    with pytest.raises(ValueError, match=r"cli\.py differ"):
        wheel.unpack(str(bad), str(tmp_path / "there"))


def test_a_given_wheel_must_exist(tmp_path: Path) -> None:
    with pytest.raises(wheel_build.WheelError, match="audit_collector_wheel"):
        wheel_build.at_hand(tmp_path, str(tmp_path / "none.whl"))


def test_wheels_older_than_the_sources_do_not_count(pure: Path, tmp_path: Path) -> None:
    collector = tmp_path / "collector"
    assert wheel_build.fresh(collector, tmp_path) == [pure]
    later = pure.stat().st_mtime + 5
    os.utime(collector / "pyproject.toml", (later, later))
    assert wheel_build.fresh(collector, tmp_path) == []
