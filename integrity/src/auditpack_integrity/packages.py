# SPDX-License-Identifier: Apache-2.0
"""What package managers have to do with a change: whose file it is, whether one made it, whether it fits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from .baseline import Baseline
from .change import Change, Touch
from .config import Config
from .digest import HASHES, split
from .dpkg import Dpkg
from .inspect import Inspector
from .opening import open_path
from .packagedb import PackageDatabase, Source
from .pending import Pending
from .rpm import Rpm
from .state import FILE, State, stat_of

MANAGERS: Final = {
    **dict.fromkeys(("dpkg", "dpkg-deb", "apt", "apt-get", "aptitude", "dpkg-divert", "update-alternatives"), "dpkg"),
    **dict.fromkeys(("unattended-upgr", "apt.systemd.dai"), "dpkg"),
    **dict.fromkeys(("rpm", "rpm2cpio", "dnf", "dnf5", "yum", "microdnf", "tdnf", "zypper", "packagekitd"), "rpm"),
}
"""Names of programs → manager. The kernel cuts names of processes at 15 bytes."""

_FOLDERS: Final = ("/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/", "/usr/libexec/", "/usr/lib/apt/")
_DEEPEST: Final = 12
_CACHED: Final = 4096


class Packages:
    """Annotates changes. Nothing of it is done when packages.enabled is false."""

    def __init__(self, config: Config, baseline: Baseline, root: str = "") -> None:
        self._config = config
        sources: list[Source] = [Dpkg(root), Rpm()] if config.packages.enabled else []
        self._database = PackageDatabase(baseline, [source for source in sources if source.there()])
        self._makers: dict[int, tuple[float, str]] = {}

    def prepare(self) -> None:
        """Read the packages' databases now rather than at the first change."""
        self._database.refresh()

    def manager_of(self, touch: Touch) -> str:
        """The manager that made an event, by its program or, as for a maintainer script, by one of its ancestors'."""
        if not self._config.packages.enabled:
            return ""
        process = touch.who.get("process", {})
        for executable in _executables(process):
            folder, _, name = executable.rpartition("/")
            if name in MANAGERS and folder + "/" in _FOLDERS:
                return MANAGERS[name]
        known = self._makers.get(touch.pid)
        if known is None or abs(known[0] - touch.time) > 2:
            if len(self._makers) >= _CACHED:
                self._makers.clear()
            parent = process.get("parent", {}).get("pid")
            known = (touch.time, _ancestor(touch.pid) or (_ancestor(parent) if isinstance(parent, int) else ""))
            self._makers[touch.pid] = known
        return known[1]

    def hold(self, pending: Pending, now: float) -> bool:
        """Whether a manager's change waits: what the package holds is written at the end of its work."""
        if now - pending.first >= self._config.packages.wait:
            return False
        return any(touch.manager and _running(touch.pid) for touch in pending.touches)

    def annotate(self, change: Change) -> None:
        """Say of a change what the packages say of the path."""
        if not self._config.packages.enabled:
            return
        made = next((touch.manager for touch in reversed(change.touches) if touch.manager), "")
        before = self._database.owner(change.path)
        if made or self._database.stale():
            self._database.refresh()
        owner = self._database.owner(change.path) or before
        if owner is None and not made:
            return
        out: dict[str, Any] = {"manager": made or (owner.manager if owner else ""), "made": bool(made)}
        if owner is not None:
            out |= {"manager": owner.manager, "name": owner.package, "version": owner.version}
            out["configuration"] = owner.configuration or None
            out["matches"] = self._matches(change.path, change.new, owner.algorithm, owner.digest)
        else:
            out["name"] = self._database.last_name(made)
        if made:
            old, new = self._database.versions(out["manager"], out["name"])
            out["old_version"], out["version"] = old or None, new or out.get("version")
        if not out["name"]:
            out["name"] = "unknown"
        change.package = out

    def _matches(self, path: bytes, state: State | None, algorithm: str, digest: bytes) -> bool | None:
        """None where nothing can be compared."""
        if state is None or state.stat.kind != FILE or not digest or algorithm not in HASHES:
            return None
        if algorithm in self._config.hashes and state.hashes:
            return split(self._config.hashes, state.hashes)[algorithm] == digest.hex()
        try:
            fd = open_path(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            found = stat_of(os.fstat(fd))
            if found.kind != FILE or found.inode != state.stat.inode:
                return None
            return Inspector((algorithm,), self._config.max_file_size).read(fd, found).hashes == digest
        finally:
            os.close(fd)


def _executables(process: dict[str, Any]) -> list[str]:
    """Programs of a process, its parent and what else of its ancestry the event names."""
    out: list[str] = []
    stack: list[Any] = [process]
    while stack and len(out) < 32:
        one = stack.pop()
        if isinstance(one, dict):
            if isinstance(one.get("executable"), str):
                out.append(one["executable"])
            stack += [value for value in one.values() if isinstance(value, (dict, list))]
        elif isinstance(one, list):
            stack += [value for value in one if isinstance(value, dict)]
    return out


def _ancestor(pid: int) -> str:
    """The manager among root's processes above one that still runs."""
    for _ in range(_DEEPEST):
        if pid <= 1:
            return ""
        try:
            data = Path(f"/proc/{pid}/stat").read_bytes()
            owner = os.stat(f"/proc/{pid}").st_uid
        except OSError:
            return ""
        name = data[data.find(b"(") + 1 : data.rfind(b")")].decode("utf-8", "replace")
        if name in MANAGERS and owner == 0:
            return MANAGERS[name]
        pid = int(data.rpartition(b")")[2].split()[1])
    return ""


def _running(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}")
