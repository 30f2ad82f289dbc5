# SPDX-License-Identifier: Apache-2.0
"""What AVC records of SELinux and AppArmor mean, over both implementations."""

from __future__ import annotations

from typing import Any

import pytest
from collector_support import Run

HEAD = b"type=AVC msg=audit(1795180152.760:1485): "
SELINUX = b'avc:  %s  { read } for  pid=7 comm="cat" name="f" scontext=u:r:t:s0 tclass=%s permissive=%d'
APPARMOR = b'apparmor="%s" operation="open" profile="/usr/bin/x" name="/etc/shadow" pid=7 comm="x" requested_mask="r"'

CASES: list[tuple[bytes, dict[str, Any], str]] = [
    (SELINUX % (b"denied", b"file", 0),
     {"action": "violated-selinux-policy", "type": ["denied"], "outcome": "failure"}, "file"),
    (SELINUX % (b"denied", b"file", 1),
     {"action": "violated-selinux-policy", "type": ["denied"], "outcome": "success"}, "file"),
    (SELINUX % (b"granted", b"file", 0),
     {"action": "allowed-by-selinux-policy", "type": ["allowed"], "outcome": "success"}, "file"),
    (SELINUX % (b"denied", b"process", 0), {"action": "violated-selinux-policy", "outcome": "failure"}, "process"),
    (SELINUX % (b"denied", b"tcp_socket", 0), {"action": "violated-selinux-policy"}, "socket"),
    (APPARMOR % b"DENIED",
     {"action": "violated-apparmor-policy", "type": ["denied"], "outcome": "failure"}, "file"),
    (APPARMOR % b"ALLOWED",
     {"action": "allowed-by-apparmor", "type": ["allowed"], "outcome": "success"}, "file"),
    (b"apparmor=\"STATUS\" operation=\"profile_load\" profile=\"unconfined\" name=\"x\" pid=7 comm=\"apparmor_parser\"",
     {"action": "changed-mac-configuration", "category": ["configuration"], "outcome": "success"}, "system"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "event", "target"), CASES)
def test_avc(run: Run, body: bytes, event: dict[str, Any], target: str) -> None:
    found = run(HEAD + body + b"\n")[0]
    assert {name: found["event"][name] for name in event} == event
    assert found["auditd"]["summary"]["object"]["type"] == target


def test_file_and_process_of_a_denial(run: Run) -> None:
    found = run(HEAD + APPARMOR % b"DENIED" + b"\n")[0]
    assert found["file"]["path"] == "/etc/shadow"
    assert found["process"]["pid"] == 7


def test_the_system_call_has_the_outcome(run: Run) -> None:
    call = b"type=SYSCALL msg=audit(1795180152.760:1485): arch=c000003e syscall=257 success=yes exit=3 items=0 pid=7\n"
    found = run(HEAD + SELINUX % (b"denied", b"file", 1) + b"\n" + call)[0]
    assert found["event"]["outcome"] == "success"
    assert found["event"]["action"] == "violated-selinux-policy"
