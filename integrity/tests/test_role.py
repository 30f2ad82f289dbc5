# SPDX-License-Identifier: Apache-2.0
"""What the role brings to a host: a wheel that runs by itself, the same bytes each time, a configuration it accepts."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from plugins.module_utils import integrity_plan, wheel
from plugins.module_utils.integrity_wheel import wheel as make_wheel
from plugins.module_utils.rulepack import kept
from plugins.module_utils.rulepack.compose import compose
from plugins.module_utils.rulepack.render import render
from plugins.module_utils.rulepack.schema import load_packs
from plugins.module_utils.toml_text import dump
from plugins.module_utils.wheel_build import WheelError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    made = make_wheel(ROOT / "integrity", "")
    again = make_wheel(ROOT / "integrity", "")
    assert made == again
    wheel.unpack(str(made), str(tmp_path / "code"))
    assert wheel.damaged(str(tmp_path / "code")) == []
    return tmp_path / "code"


def test_the_wheel_runs_without_anything_of_this_tree(unpacked: Path, tmp_path: Path) -> None:
    assert wheel.entry_point(str(unpacked), "auditpack-integrity") == ("auditpack_integrity.cli", "main")
    for name in ("toml.py", "quote.py", "report.html"):  # the first two are links in the sources
        file = unpacked / "auditpack_integrity" / name
        assert file.is_file()
        assert not file.is_symlink()
    (tmp_path / "watched").mkdir()
    config = tmp_path / "integrity.toml"
    config.write_text(dump({"paths": [str(tmp_path / "watched")], "skip_file_systems": ["proc"]}))
    start = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r}); from auditpack_integrity.cli import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", start, "watches", f"--config={config}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {"dirs": [str(tmp_path / "watched")], "files": []}


def test_a_wheel_that_is_not_there_is_named() -> None:
    with pytest.raises(WheelError, match=r"/nowhere/x\.whl is not on the controller"):
        make_wheel(ROOT / "integrity", "/nowhere/x.whl")


def test_every_profile_is_a_configuration_that_is_accepted() -> None:
    from auditpack_integrity.config import parse  # noqa: PLC0415 - conftest makes it importable

    role = ROOT / "roles" / "file_integrity"
    data = yaml.safe_load((role / "vars" / "main.yml").read_text())["file_integrity_profile_data"]
    specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text())
    assert sorted(specs["file_integrity_profiles"]["choices"]) == sorted(data)
    assert {name: each.get("default") for name, each in specs.items()} == defaults
    for profile in data.values():
        config = parse(dump(profile), "integrity.toml")
        assert config.paths == tuple(profile["paths"])


def test_the_service_has_one_capability_and_its_own_user() -> None:
    lines = integrity_plan.SERVICE_TEXT.splitlines()
    assert "AmbientCapabilities=CAP_DAC_READ_SEARCH" in lines
    assert "CapabilityBoundingSet=CAP_DAC_READ_SEARCH" in lines
    assert "User=auditpack-integrity" in lines
    assert "IOSchedulingClass=idle" in lines


def test_the_packs_rules_are_those_paths() -> None:
    packs = load_packs([str(ROOT / "rulepacks")])
    facts = kept.load("debian13")
    lists = {"integrity_dirs": ("/etc", "/srv/app"), "integrity_files": ("/opt/one",)}
    composition = compose(packs, [{"name": "base"}, {"name": "file-integrity"}])
    found = render(composition, dataclasses.replace(facts, lists=lists), "modern")
    lines = [line.text for line in found.lines if line.pack == "file-integrity" and "arch=b64" in line.text]
    assert [line.partition(" -F ")[2].rpartition(" -S ")[2].partition(" -F ")[2] for line in lines] == [
        f"{where} -F perm=wa -F key=file-integrity" for where in ("path=/opt/one", "dir=/etc", "dir=/srv/app")
    ]


def test_the_host_says_what_is_to_be_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity_plan, "WATCHES", str(tmp_path / "watches.json"))
    assert integrity_plan.watches() == {"dirs": [], "files": []}
    (tmp_path / "watches.json").write_text('{"dirs": ["/etc"], "files": ["/x"]}')
    assert integrity_plan.watches() == {"dirs": ["/etc"], "files": ["/x"]}
