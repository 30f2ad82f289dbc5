# SPDX-License-Identifier: Apache-2.0
"""Commands and systemd units of the managed host. Standard library only: no host needs more than python3."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class HostError(Exception):
    """What went wrong on the host, and what the user can do about it."""


@dataclass(frozen=True)
class Done:
    """Result of a command: exit status and both outputs as text."""

    rc: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both outputs joined, for a message."""
        return "\n".join(part.strip() for part in (self.err, self.out) if part.strip())


def find(program: str) -> str | None:
    """Return the full path of a program, or None."""
    for folder in PATH.split(":"):
        path = f"{folder}/{program}"
        if os.access(path, os.X_OK):
            return path
    return None


def run(argv: list[str], ok: tuple[int, ...] | None = (0,), timeout: float = 120) -> Done:
    """Run a command in the C locale; raise HostError when its exit status is not in `ok` (None accepts all)."""
    path = find(argv[0]) if "/" not in argv[0] else argv[0]
    if path is None:
        raise HostError(f"{argv[0]} is not on this host; install the package that carries it")
    env = {"PATH": PATH, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            [path, *argv[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=env,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise HostError(f"{' '.join(argv)} did not end within {timeout:.0f} s") from error
    result = Done(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
    if ok is not None and result.rc not in ok:
        raise HostError(f"{' '.join(argv)} failed with status {result.rc}: {result.said or 'no message'}")
    return result


def unit(name: str) -> dict[str, str]:
    """Return the properties of a systemd unit that the roles look at."""
    wanted = "LoadState,ActiveState,UnitFileState,RefuseManualStop,CanReload"
    out = run(["systemctl", "show", "--property", wanted, name]).out
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
