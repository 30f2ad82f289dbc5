# SPDX-License-Identifier: Apache-2.0
"""`auditpack import`: each kind of defect of the widely copied rule sets is found, and the rest becomes a pack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from auditpack.cli import main
from auditpack.line import parse_rules
from auditpack.schema import load_packs
from auditpack.scope import covered, defaults, lines, plain


def imported(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    file = tmp_path / "audit.rules"
    file.write_text(text)
    assert main(["import", str(file), "--format", "json", *more]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("-a always,exit -F path=/usr/bin/ls -F perm=x -k -F T1078", "malformed", "unknown option `T1078`"),
        ("-a always,exit -F -k T1070", "malformed", "`-k` is not a filter"),
        ("-a always,exit -S mount -F arch=b64 -k x", "malformed", "`-F arch` after `-S`"),
        ("-a entry,always -S mount -k x", "malformed", "`-a entry,always`"),
        ("-a always,exit -F name=/etc/x -k x", "unknown", "unknown field `name`"),
        ("-a always,exit -F dir=/var -F obj=x -k x", "unknown", "unknown field `obj`"),
        ("-a always,exit -F arch=b64 -S sys_kexec_load -k x", "unknown", "system call sys_kexec_load for b64"),
        ("-a always,exit -F arch=b32 -S stime,nonsense -k x", "unknown", "nonsense for b32; the others are kept"),
        ("-a always,exclude -F msgtype=NONSENSE", "unknown", "unknown record type"),
        ("-a always,exit -F arch=b64 -S unlinkat -F exit=EPERM -k x", "dead", "errors are negative"),
        ("-a always,exit -F arch=b64 -S execve -F auid=0 -F auid>=1000 -k x", "dead", "no value of auid"),
        ("-a always,exit -F arch=b64 -S open -k x", "dead", "glibc opens files by openat"),
        ("-a never,task", "dead", "switches every rule"),
        ("-a always,exit -F arch=b64 -S openat -F dir=/etc -k x", "unsupported", "a path beside system calls"),
        ("-a always,exit -F path=/usr/bin/at -p x -k x", "note", "`-p` beside `-F path`"),
        ("-a always,exit -F arch=b64 -S mount -F auid>=500 -k x", "note", "older than UID_MIN"),
        ("-a always,exclude -F msgtype=CWD", "note", "without CWD records relative paths mean nothing"),
        ("-i", "note", "hides every error"),
        ("-a always,exit -F arch=b64 -S mount", "note", "has no key"),
    ],
)
def test_defects_of_a_line(
    line: str, kind: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = imported(f"# a comment\n\n{line}\n", tmp_path, capsys)["findings"]
    assert [one["line"] for one in found if one["kind"] == kind and message in one["message"]] == [3], found


def test_defects_between_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "-w /etc/passwd -p wa -k identity\n-w /etc/passwd -p aw -k identity\n-w /etc/passwd -p wa -k T1098_1\n"
        "-a always,exit -F dir=/etc -F perm=wa -k etc\n-w /etc/hosts -p w -k hosts"
    )
    found = imported(text, tmp_path, capsys)
    assert [(one["line"], one["kind"]) for one in found["findings"] if one["kind"] != "note"] == [
        (2, "duplicate"), (3, "shadowed"), (5, "shadowed"),
    ]  # fmt: skip
    assert "line 1 (key identity)" in found["findings"][1]["message"]
    assert any("no newline" in one["message"] for one in found["findings"])
    assert found["kept"] == 2


GOOD = """-D
-b 8192
# Accounts
-w /etc/passwd -p wa -k identity
-w /etc/sudoers.d/ -p wa -k scope
-a always,exit -F arch=b64 -S mount,umount2 -F auid>=1000 -F auid!=unset -k mounts
-a always,exit -F arch=b32 -S mount,umount,umount2 -F auid>=1000 -F auid!=-1 -k mounts
-a always,exit -F arch=b64 -S execve -C uid!=euid -F euid=0 -k emulation
-a always,exit -F path=/usr/bin/at -F perm=x -F auid>=1000 -k yes
-a never,exit -F arch=b64 -S all -F exe=/usr/sbin/chronyd
-a always,exit -S ptrace -F a0=0x4 -k "inject,ion"
-a always,exclude -F msgtype=CRYPTO_KEY_USER
-a always,exit -F arch=b64 -S openat -F exit=-EACCES -F auid=alice -k access
-e 2
"""


def test_the_pack_matches_what_the_file_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = imported(GOOD, tmp_path, capsys, "--name", "mine", "--out", str(tmp_path / "out"))
    assert found["counts"]["note"] == len(found["findings"])
    (pack,) = load_packs([tmp_path / "out" / "mine"])
    assert len(pack.rules) == found["rules"] == 9
    assert [rule.id for rule in pack.rules[:3]] == ["mine.identity-passwd", "mine.scope-sudoers-d", "mine.mounts"]
    assert pack.rules[0].title == "Accounts"
    assert {rule.maturity for rule in pack.rules} == {"sandbox"}
    assert pack.rules[1].dir == "/etc/sudoers.d"
    have = [line for rule in pack.rules for line in lines(rule, defaults(pack))]
    wanted = [plain(line) for line in parse_rules(GOOD.replace("/etc/sudoers.d/ -p", "/etc/sudoers.d -p"))]
    for line in wanted:
        assert covered([one for one in have if one.action == line.action], line), str(line)
    for line in have:
        if line.value("dir") is None:
            assert covered([one for one in wanted if one.action == line.action], line), str(line)


def test_a_pack_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(GOOD, tmp_path, capsys, "--out", str(tmp_path))
    assert main(["import", str(tmp_path / "audit.rules"), "--out", str(tmp_path)]) == 1
    assert "is there already" in capsys.readouterr().err


def test_strict_and_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "audit.rules"
    file.write_text("-w /etc/passwd -p wa -k a\n-w nonsense\n")
    assert main(["import", str(file)]) == 0
    out = capsys.readouterr().out
    assert "audit.rules:2: malformed: `path=nonsense` is not absolute — begin the path with /" in out
    assert "2 lines, 1 kept as 1 rules: 1 malformed" in out
    assert main(["import", str(file), "--strict"]) == 1
    assert main(["import", str(file), "--name", "No Name"]) == 1
    assert main(["import", str(tmp_path / "none")]) == 1
    (tmp_path / "facts.json").write_text("{}")
    assert main(["import", str(file), "--facts", str(tmp_path / "facts.json")]) == 1
    assert "no host facts" in capsys.readouterr().err
