# SPDX-License-Identifier: Apache-2.0
"""The pure parts of what runs on hosts: parsing, files and their way back, comparison with the kernel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from plugins.module_utils import daemon_plan, files, packages, ruleload, toml_text
from plugins.module_utils.auditd import parse_status
from plugins.module_utils.files import FileState, Originals, file_state, look, put
from plugins.module_utils.host import Done
from plugins.module_utils.ruleload import Loaded, gap
from plugins.modules import audit_facts

STATUS = "enabled 1\nfailure 1\npid 333\nbacklog_limit 8192\nlost 0\nloginuid_immutable 0 unlocked\n"


def test_status() -> None:
    assert parse_status(STATUS)["backlog_limit"] == 8192
    assert parse_status(STATUS)["loginuid_immutable"] == 0


def mine(state: FileState) -> FileState:
    """The same state, owned by whoever runs the tests."""
    return FileState(state.kind, state.content, state.mode, os.getuid(), os.getgid())


def test_a_file_is_put_and_taken_back(tmp_path: Path) -> None:
    path = str(tmp_path / "a" / "b.conf")
    put(path, mine(file_state("one\n", 0o640)))
    assert look(path) == mine(file_state("one\n", 0o640))
    put(path, files.MISSING)
    assert look(path).kind == "missing"
    assert list((tmp_path / "a").iterdir()) == []


def test_links_and_directories(tmp_path: Path) -> None:
    put(str(tmp_path / "d"), mine(FileState("dir", b"", 0o750)))
    put(str(tmp_path / "l"), FileState("link", b"/dev/null"))
    assert look(str(tmp_path / "d")).mode == 0o750
    assert look(str(tmp_path / "l")).content == b"/dev/null"
    put(str(tmp_path / "d"), files.MISSING)
    assert look(str(tmp_path / "d")).kind == "missing"


def test_states_survive_json() -> None:
    state = FileState("file", b"\xff\x00", 0o640, 3, 4)
    assert FileState.from_json(state.to_json()) == state


def test_originals_keep_the_first_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "file_state", lambda text, mode: mine(file_state(text, mode)))
    target = tmp_path / "x.conf"
    target.write_text("before")
    Originals("role", str(tmp_path)).keep([str(target)])
    target.write_text("after")
    again = Originals("role", str(tmp_path))
    again.keep([str(target)])
    assert again.files[str(target)].text == "before"
    again.forget()
    assert not Originals("role", str(tmp_path)).known


def test_a_broken_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(ValueError, match=r"x\.json: not JSON"):
        files.read_json(str(tmp_path / "x.json"))


WANTED = ["-D", "-b 8192", "-a always,exit -F arch=b64 -S chmod -F key=a", "-w /etc/hosts -p wa -k hosts"]


def loaded(*rules: str, **status: int) -> Loaded:
    return Loaded(rules, {"backlog_limit": 8192, "enabled": 1, "loginuid_immutable": 0, **status})


def test_equal_sets_have_no_gap() -> None:
    assert not gap(WANTED, loaded(WANTED[2], WANTED[3]))


def test_a_missing_rule_is_named_by_its_wanted_text() -> None:
    found = gap(WANTED, loaded(WANTED[2]))
    assert [entry.rule for entry in found.rules.missing] == [WANTED[3]]


def test_an_extra_rule_is_a_gap() -> None:
    assert gap(WANTED, loaded(WANTED[2], WANTED[3], "-w /tmp -p x -k y")).rules.extra


def test_order_counts() -> None:
    assert gap(WANTED, loaded(WANTED[3], WANTED[2])).rules.moved


@pytest.mark.parametrize(
    ("line", "status"), [("-b 8192", {"backlog_limit": 64}), ("-e 2", {"enabled": 1}), ("--loginuid-immutable", {})]
)
def test_numbers_not_in_force_are_a_gap(line: str, status: dict[str, int]) -> None:
    assert gap([line], loaded(**status)).numbers == (line,)


def test_the_former_state_loads_again_without_the_lock() -> None:
    text = Loaded((WANTED[3],), {"enabled": 1, "failure": 1, "backlog_limit": 64}).text()
    assert text == f"-D\n-b 64\n-f 1\n{WANTED[3]}\n"


class Refused:
    """auditctl that stops at the second line."""

    def __call__(self, argv: list[str], **_: Any) -> Any:
        return Done(
            255,
            "",
            "Error sending add rule data request (No such file or directory)\nThere was an error in line 2 of x\n",
        )


def test_a_refused_line_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ruleload, "STAGE", str(tmp_path / "load.rules"))
    monkeypatch.setattr(ruleload, "file_state", lambda text, mode: mine(file_state(text, mode)))
    monkeypatch.setattr(ruleload, "run", Refused())
    with pytest.raises(ruleload.LoadError, match="No such file or directory") as error:
        ruleload.load("-D\n-w /none/x -p w\n")
    assert error.value.number == 2
    assert not (tmp_path / "load.rules").exists()


@pytest.mark.parametrize(
    ("cmdline", "booted"),
    [
        ("ro audit=1 audit_backlog_limit=8192 quiet", True),
        ("ro audit=1", False),
        ("audit=1 audit_backlog_limit=8192 audit=0", False),
        ("audit=0 audit=1 audit_backlog_limit=64 audit_backlog_limit=8192", True),
        ("ro quiet", False),
    ],
)
def test_the_command_line_of_this_boot(cmdline: str, booted: bool) -> None:
    assert daemon_plan.booted_with(cmdline, 8192) is booted


def test_simulated_installation() -> None:
    text = "Reading…\nInst libauparse0 (1:3.0.9-1 local [amd64])\nInst auditd (1:3.0.9-1 x)\nConf auditd (1 x)\n"
    assert packages.parse_simulation(text) == {"libauparse0": "1:3.0.9-1", "auditd": "1:3.0.9-1"}


def test_os_release_and_login_defs() -> None:
    assert audit_facts.os_release('ID=debian\nVERSION_ID="12"\n# x\n') == {"ID": "debian", "VERSION_ID": "12"}
    assert audit_facts.uid_min("#UID_MIN 5\nUID_MIN\t\t 500\n") == 500
    assert audit_facts.uid_min("") == 1000


def test_syscall_table() -> None:
    assert audit_facts.parse_syscalls("Using x86_64 syscall table:\n0\tread\n452\tfchmodat2\n") == {
        "read": 0,
        "fchmodat2": 452,
    }


def test_mounts_on_which_setuid_works() -> None:
    mounts = (
        "/dev/vda / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n/dev/vdb /home ext4 rw,nosuid 0 0\n"
        "/dev/vdc /srv/a\\040b xfs rw 0 0\n"
    )
    assert audit_facts.local_mounts(mounts, "nodev\ttmpfs\n\text4\n\txfs\n") == ["/", "/srv/a b"]


def test_toml() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11 and newer read TOML")
    data = {"format": "ecs", "n": 3, "on": True, "output": {"path": 'a"b\\c', "list": ["x", "y"], "deep": {"k": 1.5}}}
    assert tomllib.loads(toml_text.dump(data)) == data
    assert toml_text.dump({}) == ""
    with pytest.raises(ValueError, match=r"output\.path"):
        toml_text.dump({"output": {"path": None}})


class Kernel:
    """Takes rules as auditctl does, and lists `exe!=` as audit 3.0.9 does."""

    def __init__(self) -> None:
        self.rules: tuple[str, ...] = ()
        self.loads: list[str] = []

    def load(self, text: str) -> None:
        self.loads.append(text)
        self.rules = tuple(line for line in text.splitlines() if line.startswith("-a"))

    def now(self) -> Loaded:
        return Loaded(tuple(rule.replace("exe!=", "exe=") for rule in self.rules), {"enabled": 1, "failure": 1})


def test_former_rules_come_back_from_their_file_where_the_listing_would_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    monkeypatch.setattr(ruleload, "load", kernel.load)
    monkeypatch.setattr(ruleload.Loaded, "now", staticmethod(kernel.now))
    rule = "-a always,exit -F arch=b64 -S chmod -F exe!=/usr/bin/tool -F key=a"
    kernel.load(f"-D\n{rule}\n")
    before = kernel.now()
    kernel.load("-D\n")
    ruleload.restore(before, f"## made\n-D\n{rule}\n-e 2\n")
    assert kernel.rules == (rule,)
    assert "-e 2" not in kernel.loads[-1]


def test_rules_loaded_by_hand_come_back_from_the_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    monkeypatch.setattr(ruleload, "load", kernel.load)
    monkeypatch.setattr(ruleload.Loaded, "now", staticmethod(kernel.now))
    rule = "-a always,exit -F arch=b64 -S chmod -F key=by-hand"
    before = Loaded((rule,), {"enabled": 1, "failure": 1})
    ruleload.restore(before, "-D\n-b 8192\n")
    assert kernel.rules == (rule,)


class Stat:
    """What os.stat says of a path of the test."""

    def __init__(self, mode: int, uid: int, gid: int) -> None:
        self.st_mode, self.st_uid, self.st_gid = mode, uid, gid


def test_modes_and_owners_are_those_of_the_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """CIS 6.2.4: configuration 0640 root:root, logs 0640 root and the log group, their folder 0750, tools 0755."""
    there = {
        "/etc/audit/auditd.conf": Stat(0o100644, 1000, 0),
        "/etc/audit/rules.d/a.rules": Stat(0o100600, 0, 0),
        "/var/log/audit/audit.log": Stat(0o100640, 0, 4),
        "/var/log/audit/audit.log.1": Stat(0o100644, 0, 100),
        "/var/log/audit": Stat(0o040755, 0, 4),
        "/usr/sbin/auditctl": Stat(0o100755, 0, 50),
    }

    def listed(pattern: str, **_: Any) -> list[str]:
        start, end = pattern.split("*", maxsplit=1)[0], pattern.rsplit("*", 1)[1]
        return [path for path in there if path.startswith(start) and path.endswith(end) and path != start.rstrip("/")]

    monkeypatch.setattr(daemon_plan.glob, "glob", listed)
    monkeypatch.setattr(daemon_plan.os, "stat", there.__getitem__)
    monkeypatch.setattr(daemon_plan.os.path, "isdir", lambda _: True)
    monkeypatch.setattr(daemon_plan, "find", lambda name: "/usr/sbin/auditctl" if name == "auditctl" else None)
    monkeypatch.setattr(daemon_plan, "_group", lambda _: [4])
    plan = daemon_plan.Plan()
    plan._access({})
    assert plan.modes == {
        "/etc/audit/auditd.conf": (0o644, 0o640),
        "/var/log/audit/audit.log.1": (0o644, 0o640),
        "/var/log/audit": (0o755, 0o750),
    }
    assert plan.owners == {
        "/etc/audit/auditd.conf": ((1000, 0), (0, 0)),
        "/var/log/audit/audit.log.1": ((0, 100), (0, 0)),
        "/usr/sbin/auditctl": ((0, 50), (0, 0)),
    }
    (entry,) = plan.diff()
    assert "/usr/sbin/auditctl: 0:50\n" in entry["before"]
    assert "/usr/sbin/auditctl: 0:0\n" in entry["after"]
