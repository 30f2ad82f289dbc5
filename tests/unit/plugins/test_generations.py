# SPDX-License-Identifier: Apache-2.0
"""What a host knows of its packs: the record, the former set, and what has drifted from it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugins.module_utils import files, generations, rulefiles, ruleload, rules_plan
from plugins.module_utils.files import FileState, Originals
from plugins.module_utils.host import Done, HostError
from plugins.module_utils.ruleload import Loaded
from plugins.module_utils.rules_plan import Job, Plan
from plugins.modules.audit_rules import work

CHMOD = "-a always,exit -F arch=b64 -S chmod -F key=modes"
MOUNT = "-a always,exit -F arch=b64 -S mount -F key=mounts"


class Host:
    """A kernel that takes rules, in a folder that stands for /."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.rules: tuple[str, ...] = ()
        self.enabled = 1

    def load(self, text: str) -> None:
        if self.enabled == 2:
            raise ruleload.LoadError(1, "Operation not permitted")
        self.rules = tuple(line for line in text.splitlines() if line.startswith("-a"))

    def now(self) -> Loaded:
        return Loaded(self.rules, {"enabled": self.enabled, "failure": 1})

    def run(self, argv: list[str], **_: Any) -> Done:
        assert argv[0] in ("augenrules", "auditctl"), argv
        return Done(0, "/sbin/augenrules: No change\n", "")

    def does(self, state: str = "present", reboot_allowed: bool = False, **job: Any) -> dict[str, Any]:
        params = {"state": state, "verify": False, "reboot_allowed": reboot_allowed, "by": "ann@controller", "job": job}
        return work(params, check_mode=False)

    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / "var/lib/auditpack/installed.json").read_text())
        return found

    def files(self) -> dict[str, str]:
        """The rules of the disk."""
        return {file.name: file.read_text() for file in sorted((self.root / "rules.d").iterdir())}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    found = Host(tmp_path)
    (tmp_path / "rules.d").mkdir()
    state = str(tmp_path / "var/lib/auditpack")
    look: Callable[[str], FileState] = files.look
    for module in (files, rules_plan):
        monkeypatch.setattr(module, "look", lambda path: _roots(look(path)))
    for name in ("chown", "fchown"):
        monkeypatch.setattr(os, name, lambda *_: None)
    for module in (rulefiles, rules_plan):
        monkeypatch.setattr(module, "RULES_DIR", str(tmp_path / "rules.d"))
        monkeypatch.setattr(module, "RULES_FILE", str(tmp_path / "audit.rules"))
    monkeypatch.setattr(rulefiles.read_dir, "__defaults__", (str(tmp_path / "rules.d"),))
    for name, file in (("CURRENT", "current.json"), ("FORMER", "former.json"), ("INSTALLED", "installed.json")):
        for module in (generations, rules_plan):
            monkeypatch.setattr(module, name, f"{state}/{file}")
    monkeypatch.setattr(rules_plan, "JOURNAL", f"{state}/transaction.json")
    monkeypatch.setattr(rules_plan, "FACT", str(tmp_path / "etc/ansible/facts.d/auditpack.fact"))
    monkeypatch.setattr(rules_plan, "TMPFILES", str(tmp_path / "tmpfiles.conf"))
    monkeypatch.setattr(Originals.__init__, "__defaults__", (state,))
    monkeypatch.setattr(rules_plan, "load", found.load)
    monkeypatch.setattr(ruleload, "load", found.load)
    monkeypatch.setattr(rules_plan, "run", found.run)
    monkeypatch.setattr(Loaded, "now", staticmethod(found.now))
    return found


def _roots(state: FileState) -> FileState:
    return state if state.kind == "missing" else replace(state, uid=0, gid=0)


def job(version: str, *rules: str) -> dict[str, Any]:
    text = "\n".join(["-D", *rules]) + "\n"
    return {
        "files": {"00-auditpack-demo.rules": text},
        "lines": [{"text": line, "rule": f"demo.{line.rpartition('=')[2]}", "pack": "demo"} for line in ("-D", *rules)],
        "creates": [],
        "foreign": "refuse",
        "record": {"packs": {"demo": version}, "style": "modern", "rules": len(rules), "digest": str(hash(text))},
    }


def test_the_record_and_the_fact_say_what_when_and_by_whom(host: Host) -> None:
    assert host.does(**job("1.0.0", CHMOD))["changed"]
    record = host.record()
    assert (record["packs"], record["by"]) == ({"demo": "1.0.0"}, "ann@controller")
    assert record["when"].endswith("Z")
    assert json.loads((host.root / "etc/ansible/facts.d/auditpack.fact").read_text()) == record
    assert not host.does(**job("1.0.0", CHMOD))["changed"]


def test_rolled_back_restores_exactly_the_former_set_once(host: Host) -> None:
    host.does(**job("1.0.0", CHMOD))
    before = (host.rules, host.files(), (host.root / "audit.rules").read_text())
    host.does(**job("2.0.0", MOUNT, CHMOD))
    assert host.rules == (MOUNT, CHMOD)
    answer = host.does("rolled_back")
    assert (answer["changed"], answer["packs"]) == (True, {"demo": "1.0.0"})
    assert (host.rules, host.files(), (host.root / "audit.rules").read_text()) == before
    assert (host.record()["packs"], host.record()["rolled_back"]) == ({"demo": "1.0.0"}, True)
    assert not host.does("rolled_back")["changed"]
    host.does(**job("2.0.0", MOUNT, CHMOD))
    assert "rolled_back" not in host.record()
    host.does("rolled_back")
    assert host.rules == (CHMOD,)


def test_rolled_back_mends_drift_of_what_it_restored(host: Host) -> None:
    host.does(**job("1.0.0", CHMOD))
    host.does(**job("2.0.0", MOUNT))
    host.does("rolled_back")
    host.rules = ()
    assert host.does("rolled_back")["changed"]
    assert host.rules == (CHMOD,)


def test_an_older_pin_restores_exactly_the_former_set(host: Host) -> None:
    host.does(**job("1.0.0", CHMOD))
    before = (host.rules, host.files())
    host.does(**job("2.0.0", MOUNT))
    host.does(**job("1.0.0", CHMOD))
    assert (host.rules, host.files()) == before
    assert "rolled_back" not in host.record()


def test_nothing_to_go_back_to(host: Host) -> None:
    with pytest.raises(HostError, match="no packs are installed"):
        host.does("rolled_back")
    host.does(**job("1.0.0", CHMOD))
    with pytest.raises(HostError, match="knows no former set"):
        host.does("rolled_back")


def test_a_failed_upgrade_leaves_record_and_former_set(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.does(**job("1.0.0", CHMOD))
    record, real = host.record(), host.load

    def refuse(text: str) -> None:
        if "mount" in text:
            raise ruleload.LoadError(2, "Invalid argument")
        real(text)

    monkeypatch.setattr(rules_plan, "load", refuse)
    with pytest.raises(rules_plan.RuleError, match="The former rules are loaded again"):
        host.does(**job("2.0.0", MOUNT))
    assert (host.record(), host.rules) == (record, (CHMOD,))
    with pytest.raises(HostError, match="knows no former set"):
        host.does("rolled_back")


def test_locked_rules_wait_for_the_reboot_and_say_so(host: Host) -> None:
    host.does(**job("1.0.0", CHMOD))
    host.enabled = 2
    answer = host.does(**job("2.0.0", MOUNT))
    assert (answer["changed"], answer["reboot_required"]) == (False, True)
    assert "only a reboot can bring others" in answer["warnings"][0]
    assert host.record()["packs"] == {"demo": "1.0.0"}
    answer = host.does(**job("2.0.0", MOUNT), reboot_allowed=True)
    assert (answer["changed"], answer["reboot_required"], host.rules) == (True, True, (CHMOD,))
    assert generations.report()["waits_for_reboot"]
    host.rules = (MOUNT,)  # the boot
    assert generations.report()["drift"] == {}
    answer = host.does("rolled_back", reboot_allowed=True)
    assert answer["reboot_required"]
    assert host.files() == {"00-auditpack-demo.rules": f"-D\n{CHMOD}\n"}


def test_drift_is_told_also_of_rules_by_hand(host: Host) -> None:
    assert generations.report()["drift"] is None
    host.does(**job("1.0.0", CHMOD))
    assert generations.report()["drift"] == {}
    host.rules = (MOUNT,)
    (host.root / "rules.d/00-auditpack-demo.rules").write_text("-D\n")
    found = generations.report()
    assert found["drift"]["missing"] == [{"text": CHMOD, "rule": "demo.modes"}]
    assert found["drift"]["extra"] == [MOUNT]
    assert found["drift"]["files"] == ["00-auditpack-demo.rules"]
    assert not found["waits_for_reboot"]


def test_absent_takes_all_of_it_away(host: Host) -> None:
    host.rules = (MOUNT,)
    host.does(**job("1.0.0", CHMOD))
    host.does(**job("2.0.0", MOUNT, CHMOD))
    host.does("absent")
    assert host.rules == (MOUNT,)
    assert host.files() == {}
    assert not (host.root / "var/lib/auditpack").exists()
    assert not (host.root / "etc/ansible").exists()


def test_a_job_is_what_the_controller_sends() -> None:
    assert set(job("1.0.0")) == set(Job.__dataclass_fields__)
    assert Plan.present.__doc__
