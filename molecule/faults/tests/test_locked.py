# SPDX-License-Identifier: Apache-2.0
"""`-e 2`: the kernel takes no rules before the next boot."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT, Target


@pytest.fixture(scope="module")
def locked(target: Target) -> Target:
    """The host with the role's own packs, pack base locking them."""
    target.apply(immutable(target.packs))
    assert "enabled 2" in target.shell("auditctl -s")
    return target


def immutable(packs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a selection of packs with `-e 2` switched on in pack base."""
    return [{**pack, "variables": {"immutable": True}} if pack["name"] == "base" else pack for pack in packs]


def test_nothing_changes_and_a_reboot_is_asked_for(locked: Target) -> None:
    before = locked.state()
    answer = locked.apply([pack for pack in locked.packs if pack["name"] != "socket"])
    assert answer["reboot_required"] is True
    assert answer["changed"] is False
    assert locked.state() == before


def test_the_immutable_cases_of_base_are_proven(locked: Target, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    hosts = json.loads(Path(request.config.getoption("ansible_inventory")).read_text(encoding="utf-8"))
    hosts["lab"]["hosts"][locked.name]["audit_rules_packs"] = immutable(locked.packs)
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps(hosts), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "tests/events/test_proof.py", f"--hosts=ansible://{locked.name}"]
    proof = ROOT / "build/proof/locked" / locked.name  # `auditpack coverage` reads it beside the others
    command += [f"--ansible-inventory={inventory}", "--proof-cases=base.immutable*", f"--proof-out={proof}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:]
    verdicts = {row["case"]: row["verdict"] for row in json.loads((proof / "proof.json").read_text(encoding="utf-8"))}
    assert verdicts["base.immutable.refused"] == "proven"
    assert verdicts["base.immutable.status"] == "proven"


def test_with_a_reboot_allowed_it_is_applied(locked: Target, role: Callable[..., str]) -> None:
    boot = locked.shell("cat /proc/sys/kernel/random/boot_id")
    role("audit_rules", audit_rules_reboot_allowed=True)
    assert locked.shell("cat /proc/sys/kernel/random/boot_id") != boot
    assert "enabled 1" in locked.shell("auditctl -s")
    assert locked.apply()["changed"] is False
