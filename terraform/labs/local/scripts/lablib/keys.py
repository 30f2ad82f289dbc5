# SPDX-License-Identifier: Apache-2.0
"""SSH keys: one pair per lab for logging in, one per host, known before the host boots for the first time."""

from __future__ import annotations

from pathlib import Path

from . import command


def ensure(path: Path, comment: str) -> str:
    """Make the ed25519 pair `path`, `path`.pub unless both exist; return the public line."""
    public = path.with_name(path.name + ".pub")
    if not (path.exists() and public.exists()):
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        command.run([command.find("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path])
    return public.read_text(encoding="ascii").strip()


def write_known_hosts(path: Path, address: str, port: int, public: str) -> None:
    """A known_hosts file with exactly this host, so that StrictHostKeyChecking stays on."""
    name = address if port == 22 else f"[{address}]:{port}"
    path.write_text(f"{name} {' '.join(public.split()[:2])}\n", encoding="ascii")
