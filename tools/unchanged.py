# SPDX-License-Identifier: Apache-2.0
"""Whether the proof of the demo still holds: `make demo` on running hosts proves again only what could have changed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

# What a proof depends on, besides the hosts themselves.
SOURCES = ("rulepacks", "plugins", "roles", "site.yml", "collector/src", "collector/csrc", "tests/events")
RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)


def digest(root: Path) -> str:
    """Return a digest of the sources, of the proof, and of what runs as the lab's hosts."""
    files = [root / "build/proof/proof.json", *sorted((root / "build/lab/hosts").glob("*/process.json"))]
    for source in SOURCES:
        path = root / source
        files += sorted(path.rglob("*")) if path.is_dir() else [path]
    total = hashlib.sha256()
    for path in files:
        if path.is_file() and path.suffix != ".pyc":
            total.update(f"{path.relative_to(root)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def site_changed_nothing(log: Path) -> bool:
    """Tell from ansible-playbook's log whether site.yml found every host as it should be."""
    hosts = RECAP.findall(log.read_text(encoding="utf-8", errors="replace"))
    return bool(hosts) and all(set(numbers) == {"0"} for _, *numbers in hosts)


def still_proven(root: Path) -> bool:
    """Tell whether the last proof was of these very sources and hosts, and site.yml has just changed nothing."""
    mark = root / "build/proof/proven.sha256"
    return (
        mark.is_file()
        and (root / "build/proof/proof.json").is_file()
        and mark.read_text(encoding="utf-8") == digest(root)
        and site_changed_nothing(root / "build/logs/demo/site.log")
    )


def remember(root: Path) -> None:
    """Note that the proof of these sources and hosts has passed."""
    (root / "build/proof/proven.sha256").write_text(digest(root), encoding="utf-8")
