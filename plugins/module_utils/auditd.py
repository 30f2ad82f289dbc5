# SPDX-License-Identifier: Apache-2.0
"""The audit system of a host as its own tools show it: version, kernel status, loaded rules, the daemon."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from .auditd_conf import Version, parse_version
from .host import HostError, find, run, unit

SERVICE = "auditd.service"
SLOW = 300  # seconds: an emulated host under load takes minutes where others take seconds


def version() -> Version | None:
    """Return the version of the audit tools, None where they are not installed."""
    if find("auditctl") is None:
        return None
    return parse_version(run(["auditctl", "-v"]).said)


def parse_status(text: str) -> dict[str, int]:
    """Return the numbers of `auditctl -s` by name; `loginuid_immutable 0 unlocked` → 0."""
    status: dict[str, int] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[1].lstrip("-").isdigit():
            status[words[0]] = int(words[1])
    return status


def status() -> dict[str, int]:
    """Return the kernel's audit status."""
    found = parse_status(run(["auditctl", "-s"]).out)
    if "enabled" not in found:
        raise HostError("auditctl -s shows no status; is this a container, or a kernel booted with audit=0?")
    return found


def rules() -> list[str]:
    """Return the loaded rules as `auditctl -l` prints them, and only a whole listing.

    On a busy host the netlink socket can overflow: auditctl then says so and prints a part of the rules.
    """
    for _ in range(5):
        done = run(["auditctl", "-l"])
        if "Error receiving audit netlink packet" not in done.err:
            return [line for line in done.out.splitlines() if line.strip() and line.strip() != "No rules"]
        time.sleep(1)
    raise HostError(f"auditctl -l lists the rules only in part: {done.err.strip()}; the host is too busy, run again")


def pid() -> int:
    """Return the process id of the daemon as the kernel knows it, 0 when there is none."""
    return status().get("pid", 0)


def start() -> None:
    """Enable and start the daemon; raise HostError with its own words when it does not run after that."""
    if unit(SERVICE).get("UnitFileState") != "enabled":
        run(["systemctl", "enable", SERVICE], timeout=SLOW)
    _bring_up("start")


def restart() -> None:
    """Restart the daemon as the distribution allows it: units with RefuseManualStop take a signal instead."""
    if unit(SERVICE).get("RefuseManualStop") != "yes":
        _bring_up("restart")
        return
    old = pid()
    if old:
        os.kill(old, signal.SIGTERM)
        if not _wait(lambda: pid() != old, 20):
            raise HostError(f"auditd (process {old}) did not end within 20 s of SIGTERM")
    _bring_up("start")


def _bring_up(verb: str) -> None:
    done = run(["systemctl", verb, SERVICE], ok=None, timeout=SLOW)
    if done.rc != 0 or not _wait(lambda: pid() > 0, 20):
        journal = run(["journalctl", "--no-pager", "-n", "20", "-u", SERVICE, "-u", "audit-rules.service"], ok=None)
        raise HostError(f"auditd does not {verb}: {done.said}\n{journal.out.strip()}")


def reload(log_file: str | None) -> None:
    """Make the daemon read its configuration again (SIGHUP), and wait for its own record of success.

    `log_file` is where that record appears; None when no log is written, then only the signal is sent.
    """
    old = pid()
    if not old:
        raise HostError("auditd does not run, so it cannot be reloaded; start it with the role audit_daemon")
    before = _size(log_file) if log_file else 0
    os.kill(old, signal.SIGHUP)
    if log_file is None:
        return
    seen: list[str] = []

    def answered() -> bool:
        # The log may have been rotated by the reload itself: then it is read from its start.
        offset = before if _size(log_file) >= before else 0
        with contextlib.suppress(FileNotFoundError), Path(log_file).open(errors="replace") as stream:
            stream.seek(offset)
            seen[:] = [
                line for line in stream if line.startswith("type=DAEMON_CONFIG") or " type=DAEMON_CONFIG" in line
            ]
        return bool(seen)

    if not _wait(answered, 20):
        raise HostError(f"auditd did not confirm the reload in {log_file} within 20 s; see journalctl -u auditd")
    if "res=failed" in seen[-1]:
        raise HostError(f"auditd refused its configuration: {seen[-1].strip()}; see journalctl -u auditd")


def _size(path: str | None) -> int:
    try:
        return os.stat(path).st_size if path else 0
    except FileNotFoundError:
        return 0


def _wait(true_at_last: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not true_at_last():
        if time.monotonic() > end:
            return False
        time.sleep(0.3)
    return True
