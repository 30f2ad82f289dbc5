# SPDX-License-Identifier: Apache-2.0
"""Fires all cases on one host, as root, and reports what the collector wrote between each pair of markers.

Started by the controller as `python3 -m events.driver` in its run folder, where `plan.json` lies (see `plan.batch`).
Speaks JSON lines on stdout, each with a `kind`: `ready` (agents may connect) · `begin` (state before) ·
`result` (one firing) · `late` (an event of a firing reported already) ·
`end` (state after). Judging is the controller's; `judge.met` only tells when waiting may stop.
Runs on hosts: standard library, Python >= 3.9.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import judge
from .agent import Shell
from .condition import TICK, daemon, renewed, state, until
from .marker import Markers
from .tail import Follower
from .view import UNSET, View, is_event, records, serial, strings

HERE = Path(__file__).resolve().parent
MARKER = "auditpack-proof"
LIMIT = 1000  # events kept of one firing
PATIENCE = 60.0  # seconds a marker may take from the kernel to events.jsonl
AHEAD = 6  # firings whose events may still be on their way while the next one is fired
GRACE = 1.0  # seconds for an event that the collector still holds when the end marker is out
LOGIN = 300.0  # seconds until every user's session must have connected

Plan = dict[str, Any]


class DriverError(Exception):
    """The batch cannot go on; the text says why and what the host's state is."""


def say(kind: str, **body: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, **body}) + "\n")
    sys.stdout.flush()


class Stream:
    """The collector's output, cut into firings by the serials of their markers."""

    def __init__(self, path: Path, run: str, quiet_uid: int | None) -> None:
        self._follower = Follower(path)
        self._prefix = f"{MARKER} {run} "
        self._quiet_uid = quiet_uid
        self._open: list[tuple[int, dict[str, Any]]] = []
        self._closed: list[tuple[int, int, str]] = []
        self.marks: dict[str, int] = {}
        self.seen = 0
        self.feedback: list[dict[str, Any]] = []
        self.notices: list[dict[str, Any]] = []  # what the collector says of itself: losses, malformed lines

    def pump(self) -> None:
        for event in self._follower.read():
            if not is_event(event):
                self.notices.append(event)
                continue
            self.seen += 1
            number = serial(event)
            marker = self._marker(event)
            if marker:
                self.marks[marker] = number
                continue
            if self._quiet_uid is not None and View(event).user("uid")[0] == self._quiet_uid:
                self.feedback.append(event)
            if self._closed and number < self._closed[-1][1]:
                for begin, end, ref in self._closed:
                    if begin < number < end:
                        say("late", ref=ref, event=event)
            else:
                self._open.append((number, event))

    def _marker(self, event: dict[str, Any]) -> str:
        """`<case> begin|end` when the event is one of our markers, else empty."""
        if not any(record["type"] == "USER" for record in records(event)):
            return ""
        for text in strings(event):
            _, found, rest = text.partition(self._prefix)
            words = rest.replace("'", " ").split()
            if found and len(words) > 1 and words[1] in ("begin", "end"):
                return f"{words[0]} {words[1]}"
        return ""

    def within(self, ref: str) -> list[dict[str, Any]]:
        """Events after the begin marker, and before the end marker if that is out."""
        begin = self.marks.get(f"{ref} begin")
        if begin is None:
            return []
        end = self.marks.get(f"{ref} end")
        return [event for number, event in self._open if number > begin and (end is None or number < end)]

    def close(self, ref: str) -> list[dict[str, Any]]:
        """Events between the markers of a firing; later ones of it go out as `late`."""
        begin, end = self.marks[f"{ref} begin"], self.marks[f"{ref} end"]
        found = [event for number, event in self._open if begin < number < end]
        self._open = [(number, event) for number, event in self._open if number > end]
        self._closed.append((begin, end, ref))
        return found


class Agents:
    """The lab users' own sessions, each checked to be a login of that user."""

    def __init__(self, users: list[str], path: Path) -> None:
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        path.chmod(0o666)
        self._server.listen(len(users) + 1)
        self._links: dict[str, Any] = {}
        self._wanted = {pwd.getpwnam(user).pw_uid: user for user in users}

    def gather(self) -> None:
        limit = time.monotonic() + LOGIN
        while len(self._links) < len(self._wanted):
            self._server.settimeout(max(0.1, limit - time.monotonic()))
            try:
                link, _ = self._server.accept()
            except socket.timeout:
                missing = set(self._wanted.values()) - set(self._links)
                raise DriverError(f"no SSH session of {', '.join(sorted(missing))} came within {LOGIN:.0f} s") from None
            pid, uid, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            if uid not in self._wanted:
                link.close()
                continue
            login = int(Path(f"/proc/{pid}/loginuid").read_text())
            session = int(Path(f"/proc/{pid}/sessionid").read_text())
            if login != uid or session == UNSET:
                raise DriverError(f"{self._wanted[uid]}'s session has auid {login} and ses {session}: not a real login")
            self._links[self._wanted[uid]] = link.makefile("rwb")

    def run(self, user: str, command: str, env: dict[str, str], cwd: str, timeout: float) -> dict[str, Any]:
        stream = self._links[user]
        request = {"command": command, "env": env, "cwd": cwd, "timeout": timeout}
        stream.write(json.dumps(request).encode() + b"\n")
        stream.flush()
        line = stream.readline()
        if not line:
            raise DriverError(f"{user}'s SSH session ended during the trigger")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        for link in self._links.values():
            link.close()
        self._server.close()


@dataclass
class Fired:
    """A firing whose end marker was sent at `sent` (monotonic seconds); its markers were seen out at `out`."""

    ref: str
    case: dict[str, Any]
    outcome: dict[str, Any]
    sent: float
    out: float | None = None


class Batch:
    """All firings of one plan on this host."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._run = plan["run"]
        self._python = os.path.realpath(shutil.which("python3") or sys.executable)
        self._shell = Shell()
        self._markers = Markers()
        self._fired: list[Fired] = []
        self._silent = 0
        self._works = 0
        quiet = [user.pw_uid for user in pwd.getpwall() if user.pw_name == plan["collector_user"]]
        self._stream = Stream(Path(plan["events"]), self._run, quiet[0] if quiet else None)
        self._agents = Agents(plan["users"], HERE / "agents.sock")
        self._facts = {
            "users": {user.pw_name: user.pw_uid for user in pwd.getpwall()},
            "syscalls": plan["syscalls"],
        }

    def go(self) -> None:
        _install_raw(self._python, self._plan["syscalls"])
        say("ready")
        self._agents.gather()
        say("begin", state=state(self._plan["status"]), **self._facts)
        for firing in self._plan["firings"]:
            if self._silent >= 2:  # the collector is gone: waiting out every marker would prove nothing more
                say("result", ref=firing["ref"], rc=None, stdout="", stderr="", seconds=0, events=[],
                    env={}, truncated=0, error="not fired: the collector delivers no markers any more")  # fmt: skip
                continue
            self._fire(firing)
            self._report(AHEAD)
        self._report(0)
        fresh = renewed(Path(self._plan["status"]))
        self._stream.pump()
        say(
            "end",
            state=state(self._plan["status"]),
            status_renewed=fresh,
            seen=self._stream.seen,
            feedback=self._stream.feedback[:20],
            notices=self._stream.notices[:20],
        )

    def close(self) -> None:
        self._agents.close()

    def _fire(self, firing: dict[str, Any]) -> None:
        ref, case = firing["ref"], firing["case"]
        outcome: dict[str, Any] = {
            "rc": None, "stdout": "", "stderr": "", "seconds": 0, "events": [], "truncated": 0, "error": None,
        }  # fmt: skip
        work = self._workspace(case["as"])
        env = {"WORK": str(work), "RAW": str(HERE / "raw"), "PY": self._python, "EACH": firing.get("each") or ""}
        outcome["env"] = {name: env[name] for name in ("WORK", "EACH", "PY")}
        outcome["error"] = self._as_root("prereq", case, env)
        sent = None
        if outcome["error"] is None:
            self._mark(ref, "begin")
            answer = self._agents.run(case["as"], case["trigger"], env, str(work), case.get("timeout") or 30)
            group = answer.pop("group")
            outcome.update(answer)
            if answer["rc"] is None:
                outcome["error"] = f"trigger did not end within {case.get('timeout') or 30} s"
                _end_group(group)
            self._settle(ref, case, outcome)
            self._mark(ref, "end")
            sent = time.monotonic()
            _end_group(group)
        error = self._as_root("cleanup", case, env) or _removed(work)
        outcome["error"] = outcome["error"] or error
        if sent is None:
            say("result", ref=ref, **outcome)
        else:
            self._fired.append(Fired(ref, case, outcome, sent))

    def _mark(self, ref: str, which: str) -> None:
        self._markers.send(f"{MARKER} {self._run} {ref} {which}")

    def _settle(self, ref: str, case: dict[str, Any], outcome: dict[str, Any]) -> None:
        """Before the end marker: wait for what other processes still have to do (their serials come later)."""
        if case.get("settle") and not outcome["error"]:

            def met() -> bool:
                self._stream.pump()
                return self._met(ref, case, outcome)

            until(met, float(case["settle"]))

    def _met(self, ref: str, case: dict[str, Any], outcome: dict[str, Any]) -> bool:
        return judge.met(case, {**outcome, **self._facts, "events": self._stream.within(ref)})

    def _report(self, ahead: int) -> None:
        """Report the oldest firings, in order, until at most `ahead` are left; the host works on meanwhile."""
        self._stream.pump()
        while self._fired:
            if self._ready(self._fired[0]):
                fired = self._fired.pop(0)
                say("result", ref=fired.ref, **fired.outcome)
            elif len(self._fired) > ahead:
                time.sleep(TICK)
                self._stream.pump()
            else:
                return

    def _ready(self, fired: Fired) -> bool:
        """Whether a firing can be reported: everything below its end marker exists, only the collector may hold it."""
        now = time.monotonic()
        if fired.out is None:
            if {f"{fired.ref} begin", f"{fired.ref} end"} <= self._stream.marks.keys():
                fired.out = now
            elif now - fired.sent <= PATIENCE:
                return False
            else:
                self._silent += 1
                fired.outcome["error"] = f"the markers did not come out of the collector within {PATIENCE:.0f} s"
                return True
        expects = fired.case.get("expect") and not fired.outcome["error"]
        if expects and now - fired.out <= GRACE and not self._met(fired.ref, fired.case, fired.outcome):
            return False
        self._silent = 0
        events = self._stream.close(fired.ref)
        fired.outcome["events"], fired.outcome["truncated"] = events[:LIMIT], max(0, len(events) - LIMIT)
        return True

    def _as_root(self, step: str, case: dict[str, Any], env: dict[str, str]) -> str | None:
        command = case.get(step)
        if not command:
            return None
        answer = self._shell.run(command, env, env["WORK"] if step == "prereq" else "/", 60)
        if answer["rc"] is None:
            _end_group(answer["group"])
        if answer["rc"] == 0:
            return None
        return f"{step} ended with {answer['rc']}: {(answer['stderr'] or answer['stdout']).strip()[-400:]}"

    def _workspace(self, user: str) -> Path:
        """A fresh folder of the user; on the root file system, as tmpfs of Linux 6.1 knows no user.* attributes."""
        self._works += 1
        work = HERE.parent / f"work{self._works}"
        work.mkdir(mode=0o755)
        account = pwd.getpwnam(user)
        os.chown(work, account.pw_uid, account.pw_gid)
        return work


def _removed(work: Path) -> str | None:
    try:
        shutil.rmtree(work)
    except OSError as error:
        return f"cleanup left $WORK so that it cannot be removed: {error}"
    return None


def _end_group(group: int) -> None:
    """Kill what a trigger left behind: the process group that `sh` began (it has no job control, so all are in it)."""
    with contextlib.suppress(ProcessLookupError):  # the rule: nothing is left
        os.killpg(group, signal.SIGKILL)


def _install_raw(python: str, syscalls: dict[str, dict[str, int]]) -> None:
    (HERE / "syscalls.json").write_text(json.dumps(syscalls))
    raw = HERE / "raw"
    raw.write_text(f"#!{python} -ISB\n" + (HERE / "raw.py").read_text())
    raw.chmod(0o755)


def main() -> int:
    """Exit status: 0 every case was fired and reported, 1 the batch stopped (reason on stderr)."""
    batch = None
    try:
        batch = Batch(json.loads((HERE / "plan.json").read_text()))
        batch.go()
    except (DriverError, OSError, subprocess.CalledProcessError) as error:
        print(f"driver: {error}", file=sys.stderr)
        print(json.dumps(daemon()), file=sys.stderr)
        return 1
    finally:
        if batch:
            batch.close()
        shutil.rmtree(HERE.parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
