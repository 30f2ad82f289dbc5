# SPDX-License-Identifier: Apache-2.0
"""After playbooks/remove.yml a host holds what it held before, but for logs and events, which are evidence."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# Written by the system itself at any change of accounts, units or libraries, whatever was put back.
OWN_LIFE = (
    "/etc/passwd-",
    "/etc/group-",
    "/etc/shadow-",
    "/etc/gshadow-",
    "/etc/.pwd.lock",
    "/etc/subuid",
    "/etc/subgid",
    "/etc/ld.so.cache",
)


def held(text: str) -> list[str]:
    """Return the lines of a list made by inventory.sh that must be the same before and after."""
    lines = (line for line in text.splitlines() if line)
    return [line for line in lines if not any(f" {path} " in f"{line} " for path in OWN_LIFE)]


def test_the_host_is_as_it_was(host: Any) -> None:
    name = host.ansible.get_variables()["inventory_hostname"]
    before = (ROOT / f"build/molecule/held-{name}.txt").read_text(encoding="utf-8")
    done = host.run((ROOT / "molecule/removal/inventory.sh").read_text(encoding="utf-8"))
    assert done.rc == 0, done.stderr
    difference = list(difflib.unified_diff(held(before), held(done.stdout), "before", "after", lineterm="", n=0))
    assert not difference, "\n".join(difference)


def test_events_and_logs_stay(host: Any) -> None:
    assert host.run("test -s /var/log/auditpack/events.jsonl -a -s /var/log/audit/audit.log").rc == 0


def test_nothing_of_it_runs(host: Any) -> None:
    assert host.run("pgrep -f auditpack-collector").rc == 1
