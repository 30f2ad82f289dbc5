# SPDX-License-Identifier: Apache-2.0
"""`auditpack fleet` and `auditpack diff` with running hosts and versions of a registry."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from auditpack.cli import main

OURS = Path(__file__).parents[3] / "rulepacks"
CHMOD = "-a always,exit -F arch=b64 -S chmod -F key=modes"
MOUNT = "-a always,exit -F arch=b64 -S mount -F key=mounts"
RECORD = {
    "packs": {"base": "1.0.0", "cis": "1.2.0"},
    "sha256": {"base": "a" * 64, "cis": "b" * 64},
    "when": "2026-11-21T01:00:00Z",
    "by": "ann@controller",
}
CLEAN = {"installed": RECORD, "drift": {}, "waits_for_reboot": False, "loaded": [CHMOD], "status": {"enabled": 1}}
DRIFT = {
    "missing": [{"text": CHMOD, "rule": "cis.perm-mod"}], "extra": [MOUNT], "moved": [], "numbers": [], "files": [],
}  # fmt: skip
ANSWERS: dict[str, dict[str, Any]] = {
    "web1": CLEAN,
    "web2": {**CLEAN, "drift": DRIFT, "loaded": [MOUNT]},
    "web3": {"installed": None, "drift": None, "loaded": [], "status": {}},
    "web4": {"unreachable": True, "msg": "Connection refused"},
    "web5": {**CLEAN, "drift": DRIFT, "waits_for_reboot": True},
    "web6": {**CLEAN, "installed": {**RECORD, "rolled_back": True}},
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    for host, answer in ANSWERS.items():
        (folder / host).write_text(json.dumps({"changed": False, **answer}))
    return folder


def program(folder: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that is found before the real one."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!{sys.executable}\nimport json, pathlib, sys\n{text}")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_the_table_has_host_pack_version_and_drift(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "--tree", str(tree)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["host", "pack", "version", "sha256", "drift", "when", "by"]
    rows = [line.split() for line in lines]
    assert ["web1", "cis", "1.2.0", "b" * 12, "none", RECORD["when"], "ann@controller"] in rows
    assert ["web2", "base", "1.0.0", "a" * 12, "1", "missing,", "1", "extra", RECORD["when"], "ann@controller"] in rows
    assert ["web3", "-", "-", "-", "not", "installed", "-", "-"] in rows
    assert any(row[:6] == ["web4", "-", "-", "-", "unreachable", "-"] for row in rows)
    assert any(row[0] == "web5" and "waits for the reboot" in " ".join(row) for row in rows)
    assert any(row[0] == "web6" and "rolled back" in " ".join(row) for row in rows)
    assert f"web2: - {CHMOD}  # cis.perm-mod: not loaded" in lines
    assert f"web2: + {MOUNT}  # loaded by hand, or by another tool" in lines
    assert "web4: Connection refused" in lines


def test_no_drift_is_status_0_and_json_is_whole(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for host in ("web2", "web3", "web4", "web5"):
        (tree / host).unlink()
    assert main(["fleet", "--tree", str(tree), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["web1"] == {"state": "none", "installed": RECORD, "drift": {}, "waits_for_reboot": False}
    assert main(["fleet", "--tree", str(tree), "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("| host | pack | version | sha256 | drift | when | by |\n|---|")


def test_the_hosts_of_an_inventory_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = json.dumps(json.dumps({"changed": False, **CLEAN}))
    text = (
        "assert sys.argv[1:7] == ['web*', '-i', 'hosts.ini', '-b', '-m', 'auditpack.linux.audit_installed'], sys.argv\n"
        f"pathlib.Path(sys.argv[8], 'web1').write_text({answer})\n"
    )
    program(tmp_path / "bin", "ansible", text, monkeypatch)
    assert main(["fleet", "-i", "hosts.ini", "web*"]) == 0
    assert "web1  base  1.0.0" in capsys.readouterr().out
    program(tmp_path / "bin", "ansible", "sys.exit('[WARNING]: no hosts matched')\n", monkeypatch)
    assert main(["fleet", "-i", "hosts.ini"]) == 1
    assert "hosts.ini: error: no host of `all` was asked: [WARNING]: no hosts matched" in capsys.readouterr().err


def test_a_broken_tree_is_named(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "web1").write_text("{}")
    assert main(["fleet", "--tree", str(tree)]) == 1
    assert "this is no answer of auditpack.linux.audit_installed" in capsys.readouterr().err
    assert main(["fleet", "--tree", str(tree / "none")]) == 1


def test_diff_with_a_running_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "audit.rules"
    file.write_text(f"-D\n{CHMOD}\n{MOUNT}\n")
    check = "assert sys.argv[1:7] == ['-o', 'BatchMode=yes', '-p', '2222', '--', 'root@web1'], sys.argv\n"
    program(tmp_path / "bin", "ssh", f"{check}print({CHMOD!r})\n", monkeypatch)
    assert main(["diff", "ssh://root@web1:2222", str(file), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["rule"] for one in found["added"]] == [MOUNT]
    answer = json.dumps(json.dumps({"changed": False, **CLEAN}))
    program(tmp_path / "bin", "ansible", f"pathlib.Path(sys.argv[8], 'web1').write_text({answer})\n", monkeypatch)
    assert main(["diff", str(file), "host:web1", "-i", "hosts.ini"]) == 0
    assert capsys.readouterr().out.startswith("removed      -a always,exit -F arch=b64 -S mount")
    assert main(["diff", str(file), "host:web1"]) == 1
    assert "give -i INVENTORY" in capsys.readouterr().err
    program(tmp_path / "bin", "ssh", "sys.exit('Permission denied')\n", monkeypatch)
    assert main(["diff", "ssh://web1", str(file)]) == 1
    assert "cannot be asked: Permission denied" in capsys.readouterr().err
    assert main(["diff", "ssh:///x", str(file)]) == 1
    assert "this names no host" in capsys.readouterr().err


def test_diff_of_versions_and_of_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packs = tmp_path / "packs"
    for name in ("base", "socket"):
        shutil.copytree(OURS / name, packs / name)
    number = next(
        line.split()[1] for line in (packs / "base/pack.yml").read_text().splitlines() if line.startswith("version:")
    )
    registry = tmp_path / "registry"
    assert main(["release", str(packs / "base"), "--out", str(registry)]) == 0
    text = (packs / "base/pack.yml").read_text()
    (packs / "base/pack.yml").write_text(text.replace("title: ", "title: My "))
    capsys.readouterr()
    words = ["diff", f"base@{number}", str(packs / "base"), "--registry", str(registry)]
    assert main(words) == 0
    assert "documentation: title" in capsys.readouterr().out
    assert main(words[:3]) == 1
    assert "give --registry" in capsys.readouterr().err
    assert main(["diff", "base@9.9.9", str(packs / "base"), "--registry", str(registry)]) == 1
    assert "there is no release of base 9.9.9" in capsys.readouterr().err
    other = tmp_path / "other"
    shutil.copytree(packs / "base", other / "base")
    assert main(["diff", str(packs), str(other), "--format", "json"]) == 0
    assert [one["rule"] for one in json.loads(capsys.readouterr().out)["removed"]] == ["socket"]
    assert main(["diff", str(tmp_path / "none"), str(other)]) == 1
    assert "there is no such thing to compare" in capsys.readouterr().err
