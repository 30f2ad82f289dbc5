# SPDX-License-Identifier: Apache-2.0
"""What audit_daemon changes on a host: first planned as data (the diff of check mode), then applied or undone."""

from __future__ import annotations

import glob
import grp
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import auditd, auditd_profile, packages, rulefiles
from .auditd_conf import AT_START, Version, check, needs_mail, parse, parse_version, render, scripts
from .files import MISSING, FileState, Originals, difference, file_state, look, put
from .host import HostError, find, run, unit

CONF = "/etc/audit/auditd.conf"
GRUB_DROP_IN = "/etc/default/grub.d/auditpack.cfg"
GRUB_CFG = "/boot/grub/grub.cfg"
JOURNALD_SOCKET = "systemd-journald-audit.socket"
NEVER_TASK = "rule -a never,task"
REVERSIBLE = (JOURNALD_SOCKET, NEVER_TASK)  # states, beside files and packages, that `absent` brings back
TOOLS = ("auditctl", "aureport", "ausearch", "autrace", "auditd", "augenrules")
SENDMAIL = ("/usr/lib/sendmail", "/usr/sbin/sendmail")


@dataclass(frozen=True)
class Wanted:
    """The role's variables."""

    packages: list[str]
    settings: dict[str, Any]
    profile: str
    kernel_parameters: bool
    backlog_limit: int
    journald_socket: str


Owner = tuple[int, int]
"""User and group of a path."""


def drop_in(backlog_limit: int) -> str:
    """Return the file that appends to the kernel command line; grub's own later values win, and these come last."""
    return (
        "# Managed by Auditpack, role audit_daemon: changes made here are overwritten.\n"
        f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX audit=1 audit_backlog_limit={backlog_limit}"\n'
    )


def booted_with(cmdline: str, backlog_limit: int) -> bool:
    """Tell whether a kernel command line carries both parameters; of one given twice the kernel takes the last."""
    given = dict(word.split("=", 1) for word in cmdline.split() if "=" in word)
    return given.get("audit") == "1" and given.get("audit_backlog_limit") == str(backlog_limit)


def tightened(state: FileState, mode: int) -> FileState:
    """Return a state without the mode bits beyond `mode`, owned by root."""
    return FileState(state.kind, state.content, state.mode & mode, 0, state.gid)


@dataclass
class Plan:
    """Paths and what they shall hold, modes to tighten, and the states that are not files."""

    files: dict[str, tuple[FileState, FileState]] = field(default_factory=dict)
    modes: dict[str, tuple[int, int]] = field(default_factory=dict)
    owners: dict[str, tuple[Owner, Owner]] = field(default_factory=dict)
    states: list[tuple[str, str, str]] = field(default_factory=list)  # what, before, after
    reboot_required: bool = False
    log_file: str | None = None
    packages: list[str] = field(default_factory=list)  # to install, or with absent to remove

    @property
    def changed(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.files or self.modes or self.owners or self.states)

    def diff(self) -> list[dict[str, str]]:
        """Return Ansible's diff."""
        entries = [difference(path, before, after) for path, (before, after) in self.files.items()]
        if self.modes or self.owners or self.states:
            rows = [(path, f"{old:04o}", f"{new:04o}") for path, (old, new) in self.modes.items()]
            rows += [(path, f"{old[0]}:{old[1]}", f"{new[0]}:{new[1]}") for path, (old, new) in self.owners.items()]
            rows += self.states
            entries.append(
                {
                    "before_header": "modes, owners and services",
                    "after_header": "modes, owners and services",
                    "before": "".join(f"{what}: {old}\n" for what, old, _ in rows),
                    "after": "".join(f"{what}: {new}\n" for what, _, new in rows),
                }
            )
        return entries

    def want(self, path: str, after: FileState) -> None:
        """Plan that a path holds a state, unless it does already."""
        before = look(path)
        if before != after:
            self.files[path] = (before, after)

    def state(self, what: str, before: str, after: str) -> None:
        """Plan a change of something that is not a file."""
        if before != after:
            self.states.append((what, before, after))

    def has(self, what: str) -> bool:
        """Tell whether a change of this name is planned."""
        return any(name == what for name, _, _ in self.states)

    @classmethod
    def install(cls, wanted: Wanted, originals: Originals, check_mode: bool) -> dict[str, str]:
        """Install the packages that are missing, or say which; refuse settings that their version would refuse."""
        lacking = packages.missing(wanted.packages)
        if not lacking:
            return {}
        coming = packages.simulate(lacking, refresh=not check_mode)
        if "auditd" in coming:
            _refuse(wanted, parse_version(coming["auditd"]))
        if not check_mode:
            kept = originals.notes.setdefault("packages", [])
            kept += sorted(set(coming) - set(kept))
            originals.save()
            packages.install(lacking)
        return coming

    @classmethod
    def present(cls, wanted: Wanted, coming: dict[str, str]) -> Plan:
        """Plan the role's work; `coming`: packages with versions that check mode would have installed."""
        version = auditd.version()
        if version is None and "auditd" not in coming:
            raise HostError("auditctl is not on this host; have auditd in audit_daemon_packages, or install it")
        if version is not None:
            _refuse(wanted, version)
        plan = cls(log_file=_log_file(wanted.settings))
        plan.want(CONF, file_state(render(wanted.settings)))
        plan._grub(wanted)
        plan._never_task(version)
        plan._journald(wanted.journald_socket)
        plan._access(wanted.settings)
        for name, number in coming.items():
            plan.state(f"package {name}", "absent", number)
        if version is None:
            plan.state("auditd", "not installed", "enabled, running")
        else:
            enabled = unit(auditd.SERVICE).get("UnitFileState", "unknown")
            plan.state("auditd", f"{enabled}, {'running' if auditd.pid() else 'stopped'}", "enabled, running")
        return plan

    @classmethod
    def absent(cls, originals: Originals) -> Plan:
        """Plan to put back what the store of originals holds."""
        plan = cls(log_file=None, packages=originals.notes.get("packages", []))
        for name in plan.packages:
            plan.state(f"package {name}", "installed", "absent")
        for path, before in originals.files.items():
            if look(path).kind != before.kind or look(path).content != before.content:
                plan.want(path, before)
        for path, mode in originals.notes.get("modes", {}).items():
            if os.path.exists(path) and path not in plan.files:
                plan.modes[path] = (stat.S_IMODE(os.stat(path).st_mode), int(mode, 8))
        for path, owner in originals.notes.get("owners", {}).items():
            if os.path.exists(path) and path not in plan.files:
                info = os.stat(path)
                plan.owners[path] = ((info.st_uid, info.st_gid), (owner[0], owner[1]))
        for what, before in originals.notes.get("states", {}).items():
            plan.state(what, "as set by Auditpack", before)
        plan.reboot_required = GRUB_DROP_IN in plan.files or plan.has(JOURNALD_SOCKET)
        return plan

    def _grub(self, wanted: Wanted) -> None:
        if not wanted.kernel_parameters:
            if look(GRUB_DROP_IN).kind != "missing":
                self.want(GRUB_DROP_IN, MISSING)
            return
        if find("update-grub") is None:
            raise HostError(
                "audit_daemon_kernel_parameters: update-grub is not on this host; set it to false and put "
                f"`audit=1 audit_backlog_limit={wanted.backlog_limit}` on the kernel command line of your boot loader"
            )
        self.want(GRUB_DROP_IN, file_state(drop_in(wanted.backlog_limit), 0o644))
        self.reboot_required = not booted_with(Path("/proc/cmdline").read_text(), wanted.backlog_limit)

    def _never_task(self, version: Version | None) -> None:
        texts = rulefiles.read_dir()
        cleaned = {n: rulefiles.without_never_task(t) for n, t in texts.items() if rulefiles.has_never_task(t)}
        for name, text in cleaned.items():
            path = f"{rulefiles.RULES_DIR}/{name}"
            self.want(path, file_state(text) if rulefiles.directives(text) else MISSING)
        if cleaned:
            left = [name for name in {**texts, **cleaned} if rulefiles.directives({**texts, **cleaned}[name])]
            merged = rulefiles.merge([{**texts, **cleaned}[name] for name in rulefiles.in_order(left)])
            self.want(rulefiles.RULES_FILE, file_state(merged))
        if version is not None and any(rulefiles.has_never_task(line) for line in auditd.rules()):
            self.state(NEVER_TASK, "loaded", "not loaded")
            if auditd.status()["enabled"] == 2:
                self.reboot_required = True

    def _journald(self, policy: str) -> None:
        if policy == "unmanaged":
            return
        found = unit(JOURNALD_SOCKET).get("LoadState", "not-found")
        if found != "not-found":
            self.state(JOURNALD_SOCKET, "masked" if found == "masked" else "enabled", policy)

    def _access(self, settings: dict[str, Any]) -> None:
        """Plan the modes and owners of CIS 6.2.4: no looser than the benchmark asks, tighter ones stay."""
        log_dir = os.path.dirname(settings.get("log_file") or "/var/log/audit/audit.log")
        logs = glob.glob(f"{log_dir}/*.log*")
        limits = dict.fromkeys(glob.glob("/etc/audit/**/*.conf", recursive=True), 0o640)
        limits |= dict.fromkeys(glob.glob("/etc/audit/**/*.rules", recursive=True), 0o640)
        limits |= dict.fromkeys(logs, 0o640)
        limits |= {path: 0o755 for path in map(find, TOOLS) if path}
        limits |= {log_dir: 0o750} if os.path.isdir(log_dir) else {}
        readers = {0, *(_group(settings.get("log_group")))}
        for path, limit in sorted(limits.items()):
            info = os.stat(path)
            mode = stat.S_IMODE(info.st_mode)
            if path in self.files:
                continue
            if mode & ~limit:
                self.modes[path] = (mode, mode & limit)
            keeps_group = path in (*logs, log_dir) and info.st_gid in readers
            owner = (0, info.st_gid if keeps_group else 0)
            if (info.st_uid, info.st_gid) != owner:
                self.owners[path] = ((info.st_uid, info.st_gid), owner)

    def apply(self, originals: Originals) -> None:
        """Make the planned changes; auditd confirms its new configuration or gets the former one back."""
        if not self.changed:
            return
        originals.keep(self.files)
        notes = originals.notes
        notes["modes"] = {**{p: f"{old:04o}" for p, (old, _) in self.modes.items()}, **notes.get("modes", {})}
        notes["owners"] = {**{p: list(old) for p, (old, _) in self.owners.items()}, **notes.get("owners", {})}
        kept = {what: old for what, old, _ in self.states if what in REVERSIBLE}
        notes["states"] = {**kept, **notes.get("states", {})}
        originals.save()
        self._set_access()
        self._write_rules()
        self._write_conf()
        self._write_grub()
        self._switch_journald("masked" if self._after(JOURNALD_SOCKET) == "masked" else "enabled")

    def undo(self, originals: Originals) -> None:
        """Put back what the store holds, then forget it."""
        if not originals.known:
            return
        self._set_access()
        for path, (_, after) in self.files.items():
            if path != GRUB_DROP_IN:
                put(path, after)
        self._write_grub()
        if self.has(NEVER_TASK) and auditd.status()["enabled"] != 2:
            run(["auditctl", "-a", "never,task"])
        if CONF in self.files and auditd.version() is not None and auditd.pid():
            auditd.reload(None)
        self._switch_journald(self._after(JOURNALD_SOCKET))
        if self.packages:
            packages.remove(self.packages)
        originals.forget()

    def _set_access(self) -> None:
        """Owners first: chown takes a setuid bit away, chmod gives back what is due."""
        for path, (_, (uid, gid)) in self.owners.items():
            os.chown(path, uid, gid)
        for path, (_, mode) in self.modes.items():
            os.chmod(path, mode)

    def _after(self, what: str) -> str:
        return next((after for name, _, after in self.states if name == what), "")

    def _write_rules(self) -> None:
        for path, (_, after) in self.files.items():
            if path.endswith(".rules"):
                put(path, after)
        if self.has(NEVER_TASK) and auditd.status()["enabled"] != 2:
            run(["auditctl", "-d", "never,task"])

    def _write_conf(self) -> None:
        if CONF not in self.files:
            if self.has("auditd"):
                auditd.start()
            return
        before, after = self.files[CONF]
        put(CONF, after)
        old, new = parse(before.text), parse(after.text)
        at_start = any(old.get(key, "").lower() != new.get(key, "").lower() for key in AT_START)
        try:
            if not auditd.pid():
                auditd.start()
            elif at_start and before.kind != "missing":
                auditd.restart()
            else:
                auditd.reload(self.log_file)
        except HostError as error:
            put(CONF, before)
            if before.kind != "missing":
                auditd.restart()
            raise HostError(f"{error}\nThe former {CONF} is back in force.") from error
        if self.has("auditd"):
            auditd.start()

    def _write_grub(self) -> None:
        if GRUB_DROP_IN not in self.files:
            return
        before, after = self.files[GRUB_DROP_IN]
        put(GRUB_DROP_IN, after)
        try:
            run(["update-grub"], timeout=300)
            if after.kind == "file" and "audit=1" not in Path(GRUB_CFG).read_text():
                raise HostError(f"update-grub wrote a {GRUB_CFG} without audit=1; does /etc/default/grub overrule it?")
        except (HostError, OSError) as error:
            put(GRUB_DROP_IN, before)
            raise HostError(f"audit_daemon_kernel_parameters: {error}") from error

    def _switch_journald(self, policy: str) -> None:
        """Mask the socket and make journald let go of it, or give it back for the next boot.

        journald takes a socket only at its own start, and its other sockets start it at the first message of anyone.
        """
        if not self.has(JOURNALD_SOCKET):
            return
        if policy == "masked":
            run(["systemctl", "mask", "--now", JOURNALD_SOCKET])
            run(["systemctl", "restart", "systemd-journald.service"])
        else:
            run(["systemctl", "unmask", JOURNALD_SOCKET])


def _group(name: str | None) -> list[int]:
    """The id of the group that reads the logs; none when auditd's default, root, is meant or there is no such group."""
    try:
        return [grp.getgrnam(name).gr_gid] if name else []
    except KeyError:
        return []


def _log_file(settings: dict[str, Any]) -> str | None:
    if settings.get("write_logs") is False:
        return None
    return settings.get("log_file") or "/var/log/audit/audit.log"


def _refuse(wanted: Wanted, version: Version | None) -> None:
    """Raise HostError with all that is wrong with the settings on this host."""
    settings = wanted.settings
    log_dir = os.path.dirname(settings.get("log_file") or "/var/log/audit/audit.log")
    disk = None
    if os.path.isdir(log_dir):
        info = os.statvfs(log_dir)
        disk = info.f_blocks * info.f_frsize // (1024 * 1024)
    wrong = check(settings, version, disk)
    wrong += auditd_profile.check(wanted.profile, settings, wanted.kernel_parameters, wanted.backlog_limit)
    if needs_mail(settings) and not any(os.access(path, os.X_OK) for path in SENDMAIL):
        wrong += [f"{name}: email needs a mail agent ({SENDMAIL[1]}); install one" for name in needs_mail(settings)]
    for name, script in scripts(settings).items():
        try:
            info_ = os.lstat(script)
        except FileNotFoundError:
            wrong.append(f"{name}: {script} is not on the host; put it there before this role runs")
            continue
        if not stat.S_ISREG(info_.st_mode) or info_.st_uid != 0 or info_.st_mode & 0o022 or not info_.st_mode & 0o100:
            wrong.append(f"{name}: {script} must be an executable regular file of root that no one else can write")
    if wrong:
        raise HostError("\n".join(wrong))
