# SPDX-License-Identifier: Apache-2.0
"""What file_integrity puts on a host: planned as data, then applied; a service that does not come up is taken back."""

from __future__ import annotations

import compileall
import grp
import json
import os
import pwd
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import wheel
from .files import MISSING, FileState, Originals, difference, file_state, look, put, remove_tree
from .host import HostError, run, unit

HOME = "/usr/lib/auditpack"
CODE = f"{HOME}/integrity"
LAUNCHER = f"{HOME}/bin/auditpack-integrity"
COMMAND = "/usr/sbin/auditpack-integrity"
CONFIG = "/etc/auditpack/integrity.toml"
EVENTS = "/var/log/auditpack-integrity"
STATE = "/var/lib/auditpack/integrity"
WATCHES = f"{STATE}/watches.json"
USER = "auditpack-integrity"
UNITS = "/etc/systemd/system"
SERVICE = "auditpack-integrity.service"
SCAN = "auditpack-integrity-scan.service"
TIMER = "auditpack-integrity-scan.timer"
_MARK = "# Managed by Auditpack, role file_integrity: changes made here are overwritten.\n"

_SANDBOX = f"""User={USER}
Group={USER}
SupplementaryGroups=adm
AmbientCapabilities=CAP_DAC_READ_SEARCH
CapabilityBoundingSet=CAP_DAC_READ_SEARCH
UMask=0027
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={STATE} {EVENTS}
RuntimeDirectory=auditpack
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
"""

SERVICE_TEXT = f"""{_MARK}[Unit]
Description=File integrity: who changed which file
After=local-fs.target auditd.service

[Service]
ExecStart={LAUNCHER} run --config {CONFIG}
Restart=always
RestartSec=2
{_SANDBOX}Nice=10
IOSchedulingClass=idle
MemoryMax=512M
TasksMax=16

[Install]
WantedBy=multi-user.target
"""

SCAN_TEXT = f"""{_MARK}[Unit]
Description=File integrity: compare the watched paths with the baseline

[Service]
Type=oneshot
ExecStart={LAUNCHER} scan --quiet --config {CONFIG}
{_SANDBOX}"""


def timer_text(schedule: str) -> str:
    """Return the timer; a scan missed while the host was off is made up for."""
    return f"""{_MARK}[Unit]
Description=File integrity: when to compare

[Timer]
OnCalendar={schedule}
RandomizedDelaySec=600
Persistent=true

[Install]
WantedBy=timers.target
"""


def launcher_text(module: str, function: str, contents: str) -> str:
    """Return the program. It names the contents it starts, so that new code is a change to be seen."""
    return f"""#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
# Managed by Auditpack, role file_integrity. Starts the wheel with contents {contents[:16]}.
import sys

sys.path.insert(0, "{CODE}")
sys.dont_write_bytecode = True
from {module} import {function}

sys.exit({function}())
"""


def ids() -> tuple[int, int] | None:
    """Return uid and gid of the service's user, None where it does not exist."""
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid


@dataclass
class Plan:
    """The way from what is there to what is wanted."""

    digest: str = ""
    schedule: str = ""
    config: str = ""
    replace_code: bool = False
    make_user: bool = False
    files: dict[str, tuple[FileState, FileState]] = field(default_factory=dict)
    states: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return bool(self.files or self.states)

    def diff(self) -> list[dict[str, str]]:
        """Return Ansible's diff."""
        entries = [difference(path, before, after) for path, (before, after) in self.files.items()]
        if self.states:
            head = "file integrity"
            before = "".join(f"{what}: {old}\n" for what, old, _ in self.states)
            after = "".join(f"{what}: {new}\n" for what, _, new in self.states)
            entries.append({"before_header": head, "after_header": head, "before": before, "after": after})
        return entries

    def want(self, path: str, after: FileState) -> None:
        before = look(path)
        if before != after:
            self.files[path] = (before, after)

    @classmethod
    def present(cls, chosen: wheel.Wheel, config: str, schedule: str) -> Plan:
        """Plan to run this wheel with this configuration."""
        installed = wheel.installed_record(CODE)
        old = wheel.record_digest(installed) if installed is not None else ""
        broken = wheel.damaged(CODE) if installed is not None else []
        plan = cls(chosen.digest, schedule, config, old != chosen.digest or bool(broken))
        if plan.replace_code:
            was = f"damaged ({', '.join(broken[:3])})" if broken else old[:16] or "absent"
            plan.states.append((f"code in {CODE}", was, f"{chosen.digest[:16]} ({chosen.file})"))
        if ids() is None:
            plan.make_user = True
            plan.states.append((f"user {USER}", "absent", "system user without login"))
        plan.layout(*(ids() or (0, 0)))
        if not plan.replace_code:
            for name in (SERVICE, TIMER):
                now = unit(name)
                if (now.get("ActiveState"), now.get("UnitFileState")) != ("active", "enabled"):
                    plan.states.append((name, now.get("ActiveState", "absent"), "active"))
        return plan

    def layout(self, uid: int, gid: int) -> None:
        """Plan directories and files for the ids of the service's user."""
        self.files.clear()
        adm = grp.getgrnam("adm").gr_gid
        self.want(HOME, FileState("dir", b"", 0o755, 0, 0))
        self.want(f"{HOME}/bin", FileState("dir", b"", 0o755, 0, 0))
        if look(os.path.dirname(CONFIG)).kind == "missing":
            self.want(os.path.dirname(CONFIG), FileState("dir", b"", 0o755, 0, 0))
        self.want(EVENTS, FileState("dir", b"", 0o2750, uid, adm))
        self.want(STATE, FileState("dir", b"", 0o750, uid, gid))
        self.want(CONFIG, file_state(self.config, 0o640, 0, gid))
        self.want(f"{UNITS}/{SERVICE}", file_state(SERVICE_TEXT, 0o644))
        self.want(f"{UNITS}/{SCAN}", file_state(SCAN_TEXT, 0o644))
        self.want(f"{UNITS}/{TIMER}", file_state(timer_text(self.schedule), 0o644))
        self.want(COMMAND, FileState("link", LAUNCHER.encode(), 0o777, 0, 0))
        if not self.replace_code:
            self.want(LAUNCHER, self._launcher(CODE))

    def _launcher(self, code: str) -> FileState:
        module, function = wheel.entry_point(code, "auditpack-integrity")
        return file_state(launcher_text(module, function, self.digest), 0o755)

    def apply(self, originals: Originals, wheel_file: str | None) -> None:
        """Put all in place and wait for the service; when it does not run, put back what was there."""
        if self.make_user:
            run(["useradd", "--system", "--user-group", "--groups", "adm", "--no-create-home", "--home-dir", STATE,
                 "--shell", "/usr/sbin/nologin", "--comment", "Auditpack file integrity", USER])  # fmt: skip
            originals.notes["user"] = True
        found = ids()
        if found is None:
            raise HostError(f"useradd made no user {USER}")
        self.layout(*found)
        for path, (_, after) in self.files.items():
            if after.kind == "dir":
                put(path, after)
        staged = self._stage(wheel_file)
        self._check_config(staged or CODE, found[1])
        if staged:
            self.want(LAUNCHER, self._launcher(staged))
        originals.keep(self.files)
        old = f"{CODE}.old"
        remove_tree(old)
        if staged:
            if os.path.isdir(CODE):
                os.rename(CODE, old)
            os.rename(staged, CODE)
        for path, (_, after) in self.files.items():
            if after.kind != "dir":
                put(path, after)
        try:
            start()
        except HostError as error:
            self._take_back(old if staged else None)
            raise HostError(f"{error}\nWhat was there before is back in place.") from error
        remove_tree(old)

    def _take_back(self, old: str | None) -> None:
        run(["systemctl", "stop", SERVICE, TIMER])
        if old is not None:
            remove_tree(CODE)
            if os.path.isdir(old):
                os.rename(old, CODE)
        for path, (before, after) in self.files.items():
            if after.kind != "dir":
                put(path, before)
        run(["systemctl", "daemon-reload"])
        if old is not None and os.path.isdir(CODE):
            run(["systemctl", "start", SERVICE, TIMER])

    def _stage(self, wheel_file: str | None) -> str | None:
        if not self.replace_code:
            return None
        if wheel_file is None:
            raise HostError("the wheel did not arrive on the host")
        staged = f"{CODE}.new"
        remove_tree(staged)
        put(staged, FileState("dir", b"", 0o755, 0, 0))
        wheel.unpack(wheel_file, staged)
        if not compileall.compile_dir(staged, ddir=CODE, quiet=2):
            raise HostError(f"the service's Python does not compile under {sys.version.split()[0]}")
        if wheel.record_digest(wheel.installed_record(staged) or "") != self.digest:
            raise HostError("the wheel that arrived is not the one that was offered; run again")
        return staged

    def _check_config(self, code: str, gid: int) -> None:
        """Let the program itself judge the configuration before it goes live, and say what is to be watched."""
        candidate = f"{CONFIG}.new"
        put(candidate, file_state(self.config, 0o640, 0, gid))
        try:
            done = run([*_program(code), "watches", f"--config={candidate}"], ok=None)
        finally:
            put(candidate, MISSING)
        if done.rc != 0:
            raise HostError(f"file_integrity: the program refuses: {done.said.replace(candidate, CONFIG)}")
        self.want(WATCHES, file_state(done.out, 0o644))


def _program(code: str) -> list[str]:
    module, function = wheel.entry_point(code, "auditpack-integrity")
    start_ = f"import sys; sys.path.insert(0, {code!r}); from {module} import {function} as main; sys.exit(main())"
    return ["/usr/bin/python3", "-I", "-B", "-c", start_]


def watches() -> dict[str, list[str]]:
    """Return what the installed service wants watched by audit; nothing where there is none."""
    try:
        said = json.loads(Path(WATCHES).read_text())
    except FileNotFoundError:
        return {"dirs": [], "files": []}
    return {"dirs": list(said["dirs"]), "files": list(said["files"])}


def stale() -> list[str]:
    """Return what is watched now and was not when the rules were made (patterns that match more), or the other way."""
    done = run([*_program(CODE), "watches", f"--config={CONFIG}"], ok=None)
    if done.rc != 0:
        raise HostError(f"file_integrity: the program refuses: {done.said}")
    now, then = json.loads(done.out), watches()
    return sorted(set(now["dirs"] + now["files"]) ^ set(then["dirs"] + then["files"]))


def status() -> dict[str, Any]:
    """Return what the service last said of itself, empty where it said nothing."""
    try:
        said = json.loads(Path(f"{STATE}/status.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def start(seconds: float = 120) -> None:
    """(Re)start the service and the timer; wait until the service says that it runs."""
    since = time.time()
    run(["systemctl", "daemon-reload"])
    run(["systemctl", "enable", "--quiet", SERVICE, TIMER])
    run(["systemctl", "restart", SERVICE, TIMER])
    end = time.monotonic() + seconds
    while not (status().get("state") == "running" and float(status().get("updated", 0)) >= since):
        if time.monotonic() > end or unit(SERVICE).get("ActiveState") == "failed":
            journal = run(["journalctl", "--no-pager", "--quiet", "-n", "20", "-u", SERVICE], ok=None).out.strip()
            raise HostError(f"{SERVICE} does not run after {seconds:.0f} s; its journal:\n{journal}")
        time.sleep(0.5)


def plan_removal(originals: Originals) -> Plan:
    """Plan the way back."""
    plan = Plan()
    if originals.known or look(f"{UNITS}/{SERVICE}").kind != "missing":
        for path in (f"{UNITS}/{TIMER}", f"{UNITS}/{SCAN}", f"{UNITS}/{SERVICE}", COMMAND, LAUNCHER, CONFIG):
            plan.want(path, MISSING)
        plan.states.append(("file integrity", "a service", f"absent; events stay in {EVENTS}"))
    return plan


def remove(originals: Originals, plan: Plan) -> None:
    """Take the service, its baseline and its user off the host; its events stay, owned by root."""
    for name in (TIMER, SERVICE):
        if unit(name).get("LoadState") == "loaded":
            run(["systemctl", "disable", "--quiet", "--now", name])
    for path in plan.files:
        put(path, originals.files.get(path, MISSING))
    run(["systemctl", "daemon-reload"])
    for folder in (CODE, STATE):
        remove_tree(folder)
    for left in (Path(EVENTS), *Path(EVENTS).glob("*")):
        os.chown(left, 0, grp.getgrnam("adm").gr_gid, follow_symlinks=False)
    if originals.notes.get("user") and ids():
        run(["userdel", USER])
    originals.forget()
