# SPDX-License-Identifier: Apache-2.0
"""`-e 2`: the kernel takes no rules before the next boot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import ROOT, Target

WITHOUT = "socket"  # the pack that is not loaded when the kernel is locked, and must be after the boot


@pytest.fixture(scope="module")
def locked(target: Target) -> Target:
    """The host with one pack less than it should have, locked."""
    target.apply([pack for pack in target.packs if pack["name"] != WITHOUT])
    target.shell("auditctl -e 2")
    return target


def test_nothing_changes_and_a_reboot_is_asked_for(locked: Target) -> None:
    before = locked.state()
    answer = locked.apply()
    assert answer["reboot_required"] is True
    assert answer["changed"] is False
    assert any("enabled 2" in warning for warning in answer["warnings"])
    assert locked.state() == before


def test_the_immutable_case_of_base_is_proven(locked: Target, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    inventory = request.config.getoption("ansible_inventory")
    command = [sys.executable, "-m", "pytest", "tests/events", f"--hosts=ansible://{locked.name}"]
    command += [f"--ansible-inventory={inventory}", "--proof-cases=base.immutable*", f"--proof-out={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:]
    assert " proven " in done.stdout


def test_with_a_reboot_allowed_it_is_applied(locked: Target, role: Callable[..., str]) -> None:
    boot = locked.shell("cat /proc/sys/kernel/random/boot_id")
    role("audit_rules", audit_rules_reboot_allowed=True)
    assert locked.shell("cat /proc/sys/kernel/random/boot_id") != boot
    assert "enabled 1" in locked.shell("auditctl -s")
    assert locked.apply()["changed"] is False
