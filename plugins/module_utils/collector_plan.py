# SPDX-License-Identifier: Apache-2.0
"""What audit_collector puts on a host: planned as data, then one swap that either runs as a plugin or is taken back."""

from __future__ import annotations

import compileall
import grp
import json
import os
import pwd
import shutil
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import auditd, wheel
from .files import MISSING, FileState, Originals, difference, file_state, look, put, remove_tree
from .host import HostError, run

HOME = "/usr/lib/auditpack"
CODE = f"{HOME}/collector"
LAUNCHER = f"{HOME}/bin/auditpack-collector"
CONFIG = "/etc/auditpack/collector.toml"
PLUGIN = "/etc/audit/plugins.d/auditpack.conf"
EVENTS = "/var/log/auditpack"
STATE = "/var/lib/auditpack/collector"
STATUS = f"{STATE}/status.json"
USER = "auditpack"
PROFILE = "/etc/apparmor.d/auditpack-collector"
HOST_FILES = {
    "auditpack-collector.1": "/usr/share/man/man1/auditpack-collector.1",
    "auditpack-collector.5": "/usr/share/man/man5/auditpack-collector.5",
    "apparmor": PROFILE,
}
"""What the wheel brings for the host, and where it goes."""
SCRIPT = "auditpack-collector"

PLUGIN_TEXT = f"""# Managed by Auditpack, role audit_collector: changes made here are overwritten.
active = yes
direction = out
path = {LAUNCHER}
type = always
args = run --config={CONFIG}
format = string
"""


def launcher_text(module: str, function: str, contents: str) -> str:
    """Return the plugin's program. It names the contents it starts, so that new code is a new file to auditd."""
    return f"""#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
# Managed by Auditpack, role audit_collector. Starts the wheel with contents {contents[:16]}.
import sys

sys.path.insert(0, "{CODE}")
from {module} import {function}

sys.exit({function}())
"""


def glibc() -> tuple[int, int]:
    """Return the version of the C library; (0, 0) where it is another one."""
    known = "CS_GNU_LIBC_VERSION" in os.confstr_names
    name, _, number = ((os.confstr("CS_GNU_LIBC_VERSION") if known else "") or "").partition(" ")
    if name != "glibc":
        return (0, 0)
    major, minor = number.split(".")[:2]
    return int(major), int(minor)


def user_ids() -> tuple[int, int] | None:
    """Return uid and gid of the collector's user, None where it does not exist."""
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid


@dataclass
class Plan:
    """The way from what is there to what is wanted."""

    digest: str = ""  # of the wheel's contents
    replace_code: bool = False
    make_user: bool = False
    config: str = ""
    files: dict[str, tuple[FileState, FileState]] = field(default_factory=dict)
    states: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.files or self.states)

    def diff(self) -> list[dict[str, str]]:
        """Return Ansible's diff."""
        entries = [difference(path, before, after) for path, (before, after) in self.files.items()]
        if self.states:
            entries.append(
                {
                    "before_header": "collector",
                    "after_header": "collector",
                    "before": "".join(f"{what}: {old}\n" for what, old, _ in self.states),
                    "after": "".join(f"{what}: {new}\n" for what, _, new in self.states),
                }
            )
        return entries

    def want(self, path: str, after: FileState) -> None:
        """Plan that a path holds a state, unless it does already."""
        before = look(path)
        if before != after:
            self.files[path] = (before, after)

    @classmethod
    def present(cls, chosen: wheel.Wheel, config: str) -> Plan:
        """Plan to run this wheel with this configuration."""
        installed = wheel.installed_record(CODE)
        old = wheel.record_digest(installed) if installed is not None else ""
        broken = wheel.damaged(CODE) if installed is not None else []
        plan = cls(digest=chosen.digest, config=config, replace_code=old != chosen.digest or bool(broken))
        if plan.replace_code:
            was = f"damaged ({', '.join(broken[:3])})" if broken else old[:16] or "absent"
            plan.states.append((f"code in {CODE}", was, f"{chosen.digest[:16]} ({chosen.file})"))
        ids = user_ids()
        if ids is None:
            plan.make_user = True
            plan.states.append((f"user {USER}", "absent", "system user without login"))
        plan.layout(*(ids or (0, 0)))
        if not plan.replace_code and not running():
            plan.states.append(("plugin", "not running", "running"))
        return plan

    def layout(self, uid: int, gid: int) -> None:
        """Plan directories and files for the ids of the collector's user."""
        self.files.clear()
        adm = grp.getgrnam("adm").gr_gid
        self.want(HOME, FileState("dir", b"", 0o755, 0, 0))
        self.want(f"{HOME}/bin", FileState("dir", b"", 0o755, 0, 0))
        self.want(os.path.dirname(CONFIG), FileState("dir", b"", 0o750, 0, gid))
        self.want(EVENTS, FileState("dir", b"", 0o2750, uid, adm))
        self.want(STATE, FileState("dir", b"", 0o750, uid, gid))
        self.want(CONFIG, file_state(self.config, 0o640, 0, gid))
        if not self.replace_code:
            self.want(LAUNCHER, self._launcher(CODE))
            self._host_files(CODE)
        elif look(LAUNCHER).kind == "missing":
            self.states.append((LAUNCHER, "absent", "a program of the wheel"))
        self.want(PLUGIN, file_state(PLUGIN_TEXT))

    def _host_files(self, code: str) -> None:
        """Plan the manual and, where there is AppArmor, its profile; a wheel may bring none."""
        for name, path in HOST_FILES.items():
            source = Path(code, "auditpack_collector", "host", name)
            if not source.is_file() or (path == PROFILE and not apparmor_parser()):
                continue
            self.want(path, FileState("file", source.read_bytes(), 0o644, 0, 0))

    def _launcher(self, code: str) -> FileState:
        module, function = wheel.entry_point(code, SCRIPT)
        return file_state(launcher_text(module, function, self.digest), 0o755)

    def apply(self, originals: Originals, wheel_file: str | None) -> None:
        """Put all in place and wait for the plugin; when it does not run, put back what was there."""
        if self.make_user:
            run(["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", STATE,
                 "--shell", "/usr/sbin/nologin", "--comment", "Auditpack collector", USER])  # fmt: skip
            originals.notes["user"] = True
        ids = user_ids()
        if ids is None:
            raise HostError(f"useradd made no user {USER}")
        self.layout(*ids)
        for path, (_, after) in self.files.items():
            if after.kind == "dir":
                put(path, after)
        if self.make_user:
            give_events(ids[0])
        staged = self._stage(wheel_file)
        self._check_config(staged or CODE)
        if staged:
            self.want(LAUNCHER, self._launcher(staged))
            self._host_files(staged)
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
            if PROFILE in self.files:
                load_profile()
            start_plugin(new_code=staged is not None)
        except HostError as error:
            self._take_back(old if staged else None)
            raise HostError(f"{error}\nThe former collector is back in place.") from error
        remove_tree(old)

    def _take_back(self, old: str | None) -> None:
        if old is not None:
            remove_tree(CODE)
            if os.path.isdir(old):
                os.rename(old, CODE)
        for path, (before, after) in self.files.items():
            if after.kind != "dir":
                put(path, before)
        if PROFILE in self.files:
            load_profile()
        auditd.reload(None)

    def _stage(self, wheel_file: str | None) -> str | None:
        if not self.replace_code:
            return None
        if wheel_file is None:
            raise HostError("the wheel did not arrive on the host")
        staged = f"{CODE}.new"
        remove_tree(staged)
        put(staged, FileState("dir", b"", 0o755, 0, 0))
        wheel.unpack(wheel_file, staged)
        # Compiled now, by root: the plugin starts in less than half the time, and its own user may not write here.
        if not compileall.compile_dir(staged, ddir=CODE, quiet=2):
            raise HostError(f"the collector's Python does not compile under {sys.version.split()[0]}")
        if wheel.record_digest(wheel.installed_record(staged) or "") != self.digest:
            raise HostError("the wheel that arrived is not the one that was chosen; run again")
        return staged

    def _check_config(self, code: str) -> None:
        """Let the collector itself judge the configuration before it goes live."""
        module, function = wheel.entry_point(code, SCRIPT)
        start = f"import sys; sys.path.insert(0, {code!r}); from {module} import {function} as main; sys.exit(main())"
        candidate = f"{CONFIG}.new"
        ids = user_ids() or (0, 0)
        put(candidate, file_state(self.config, 0o640, 0, ids[1]))
        try:
            done = run(
                ["/usr/bin/python3", "-I", "-B", "-c", start, "run", "--check", f"--config={candidate}"], ok=None
            )
        finally:
            put(candidate, MISSING)
        if done.rc != 0:
            said = done.said.replace(candidate, CONFIG)
            raise HostError(f"audit_collector_config: the collector refuses it: {said}")


def apparmor_parser() -> str | None:
    """Return the program that loads profiles, None where AppArmor is off or not there."""
    enabled = Path("/sys/module/apparmor/parameters/enabled")
    if not enabled.exists() or enabled.read_text().strip() != "Y":
        return None
    return shutil.which("apparmor_parser", path="/usr/sbin:/sbin:/usr/bin:/bin")


def load_profile() -> None:
    """Load the profile for the next start of the collector, or take it out of the kernel where the file is gone."""
    parser = apparmor_parser()
    if parser is None:
        return
    if os.path.exists(PROFILE):
        run([parser, "--replace", PROFILE])
    elif "auditpack-collector (" in Path("/sys/kernel/security/apparmor/profiles").read_text():
        Path("/sys/kernel/security/apparmor/.remove").write_text("auditpack-collector")


def status() -> dict[str, Any]:
    """Return what the collector last said of itself, empty where it said nothing."""
    try:
        said = json.loads(Path(STATUS).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def running() -> bool:
    """Tell whether the process that wrote the status runs, as the plugin."""
    return status().get("state") == "running" and _is_plugin(status().get("pid", 0))


def _is_plugin(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except FileNotFoundError:
        return False
    return LAUNCHER.encode() in words


def start_plugin(new_code: bool, seconds: float = 180) -> None:
    """Have auditd start or reload the plugin; wait until it says that it runs, and a record has come out of it.

    On SIGHUP auditd starts a plugin whose file is new again and passes the signal on to the others. An auditd that
    started without any plugin gives a later one no records (3.0.9 and 4.0.2, seen): then it is restarted.
    """
    old = status().get("pid", 0) if running() else 0
    since = time.time()
    if old:
        auditd.reload(None)
    else:
        auditd.restart()
    end = time.monotonic() + seconds
    while not (running() and float(status()["updated"]) >= since and (not new_code or status()["pid"] != old)):
        if time.monotonic() > end:
            raise HostError(f"the collector does not run as a plugin of auditd after {seconds:.0f} s; {_evidence()}")
        time.sleep(0.5)
    before = _arrived()
    run(["auditctl", "-m", "auditpack: the collector has started"])
    while _arrived() <= before:
        if time.monotonic() > end:
            raise HostError(f"no record comes out of the collector within {seconds:.0f} s; {_evidence()}")
        time.sleep(0.5)


def _arrived() -> int:
    """Return what grows when a record comes out: the first event file, else the count in the status."""
    said = status()
    for output in said.get("outputs", [said["output"]]):
        if output.get("kind", "file") == "file" and os.path.exists(output["path"]):
            return os.stat(output["path"]).st_size
    return int(said["counters"]["records_in"])


def _evidence() -> str:
    journal = run(["journalctl", "--no-pager", "--quiet", "-n", "20", "-u", auditd.SERVICE], ok=None).out.strip()
    return f"its status: {status() or 'none'}; auditd's journal:\n{journal}"


def remove(originals: Originals, plan: Plan) -> None:
    """Take the collector off the host; its events stay, owned by root."""
    pid = status().get("pid", 0)
    put(PLUGIN, originals.files.get(PLUGIN, MISSING))
    if auditd.version() is not None and auditd.pid():
        auditd.reload(None)
    end = time.monotonic() + 20
    while pid and _is_plugin(pid):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.3)
    for path in HOST_FILES.values():
        put(path, originals.files.get(path, MISSING))
    load_profile()
    for folder in (HOME, os.path.dirname(CONFIG), STATE):
        remove_tree(folder)
    give_events(0)
    if originals.notes.get("user") and user_ids():
        run(["userdel", USER])
    originals.forget()


def give_events(uid: int) -> None:
    """Give the event files to a user: to root when the collector leaves, to the collector when it comes (back)."""
    adm = grp.getgrnam("adm").gr_gid
    for folder, _, names in os.walk(EVENTS):
        for path in (folder, *(f"{folder}/{name}" for name in names)):
            os.chown(path, uid, adm, follow_symlinks=False)


def plan_removal(originals: Originals) -> Plan:
    """Plan the way back."""
    plan = Plan()
    if originals.known or look(PLUGIN).kind != "missing":
        for path in (PLUGIN, CONFIG, LAUNCHER):
            plan.want(path, MISSING)
        plan.states.append(("collector", "a plugin of auditd", "absent; events stay in " + EVENTS))
    return plan
