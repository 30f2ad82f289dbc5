# SPDX-License-Identifier: Apache-2.0
"""Runs on a lab host as root: loads one set of rules after the other and fires the same work at each.

`python3 cost_driver.py < plan.json > result.json`. Plan: `{"sets": {name: auditctl text}, "order": [names], "idle":
seconds, "work": units, "repeat": times}`; a unit of build is 1 exec and 3 opens. Events are counted between two markers
in what the collector writes. Afterwards the rules of /etc/audit are loaded again, whatever happened.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable

EVENTS = Path("/var/log/auditpack/events.jsonl")
UNSET = 4294967295
PERSON, SERVICE = 1000, 33
PORT = 18080
WAIT = 180
"""Seconds until a marker must have come out of the collector."""


def main() -> int:
    plan = json.load(sys.stdin)
    result: dict[str, Any] = {}
    try:
        for name in plan["order"]:
            result[name] = measure(name, plan)
            print(
                f"{name}: {json.dumps({work: one['seconds'] for work, one in result[name]['work'].items()})}",
                file=sys.stderr,
            )
    finally:
        subprocess.run(["auditctl", "-D"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["auditctl", "-R", "/etc/audit/audit.rules"], check=True, stdout=subprocess.DEVNULL)
    json.dump(result, sys.stdout)
    return 0


def measure(name: str, plan: dict[str, Any]) -> dict[str, Any]:
    """One set of rules: how many are loaded, and each kind of work on it."""
    with tempfile.NamedTemporaryFile("w", suffix=".rules") as file:
        file.write(plan["sets"][name])
        file.flush()
        loaded = subprocess.run(["auditctl", "-R", file.name], check=False, capture_output=True, text=True)
        if loaded.returncode:
            raise SystemExit(f"the rules of {name} cannot be loaded: {loaded.stderr}")
    rules = subprocess.run(["auditctl", "-l"], check=True, capture_output=True, text=True).stdout.splitlines()
    works: dict[str, Callable[[], None]] = {
        "idle": lambda: time.sleep(plan["idle"]),
        "apt": apt,
        "build": lambda: build(plan["work"]),
        "web": lambda: web(plan["work"]),
    }
    found = {}
    for work, action in works.items():
        runs = [_run(name, work, action) for _ in range(1 if work in ("idle", "apt") else plan["repeat"])]
        found[work] = {**runs[0], "seconds": min(run["seconds"] for run in runs)}
    number = len([line for line in rules if line != "No rules"])
    return {"rules": number, "call_us": round(call(), 2), "work": found}


def _run(name: str, work: str, action: Callable[[], None]) -> dict[str, Any]:
    lost = _lost()
    begin, end = (f"auditpack-cost {os.getpid()} {time.monotonic_ns()} {edge}" for edge in ("begin", "end"))
    place = _here()
    _mark(begin)
    started = time.perf_counter()
    action()
    seconds = time.perf_counter() - started
    _mark(end)
    events, size, keys = _between(place, begin, end)
    return {"seconds": round(seconds, 3), "events": events, "bytes": size, "keys": keys, "lost": _lost() - lost}


def _mark(text: str) -> None:
    subprocess.run(["auditctl", "-m", text], check=True)


def _lost() -> int:
    out = subprocess.run(["auditctl", "-s"], check=True, capture_output=True, text=True).stdout
    return next(int(line.split()[1]) for line in out.splitlines() if line.startswith("lost "))


def _here() -> tuple[int, int]:
    info = EVENTS.stat()
    return info.st_ino, info.st_size


def _between(place: tuple[int, int], begin: str, end: str) -> tuple[int, int, dict[str, int]]:
    """Events and bytes between the markers, and events by key; the file may have been rotated meanwhile."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        found = _read(place, begin, end)
        if found:
            return found
        time.sleep(1)
    raise SystemExit(f"the marker `{end}` did not come out within {WAIT} s")


def _read(place: tuple[int, int], begin: str, end: str) -> tuple[int, int, dict[str, int]] | None:
    files = sorted(EVENTS.parent.glob(f"{EVENTS.name}*"), key=lambda file: file.stat().st_mtime)
    first = next((index for index, file in enumerate(files) if file.stat().st_ino == place[0]), None)
    if first is None:
        raise SystemExit("the events were rotated away; give the collector a larger file")
    events = size = 0
    keys: Counter[str] = Counter()
    counting = False
    for index, file in enumerate(files[first:]):
        with file.open("rb") as stream:
            stream.seek(place[1] if index == 0 else 0)
            for line in stream:
                if end.encode() in line:
                    return events, size, dict(keys)
                if counting:
                    events += 1
                    size += len(line)
                    keys.update(json.loads(line).get("tags") or ["-"])
                counting = counting or begin.encode() in line
    return None


def _child(loginuid: int, uid: int, action: Callable[[], None]) -> None:
    """Do something as a user with a login of its own, in a process of its own; the driver itself must have none."""
    pid = os.fork()
    if pid == 0:
        try:
            if loginuid != UNSET:
                Path("/proc/self/loginuid").write_text(str(loginuid))
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            action()
            os._exit(0)
        except BaseException as failure:
            print(failure, file=sys.stderr)
            os._exit(1)
    if os.waitpid(pid, 0)[1]:
        raise SystemExit("the work on the host failed")


def call() -> float:
    """Microseconds of the cheapest system call of a person: what each rule of the list takes of every call.

    The best of many short runs, since the machine may do other things between them.
    """
    reading, writing = os.pipe()

    def work() -> None:
        best = float("inf")
        for _ in range(300):
            started = time.perf_counter()
            for _ in range(100):
                os.getppid()
            best = min(best, time.perf_counter() - started)
        os.write(writing, repr(best / 100 * 1e6).encode())

    _child(PERSON, PERSON, work)
    os.close(writing)
    with os.fdopen(reading) as stream:
        return float(stream.read())


def build(units: int) -> None:
    """As a compiler run by a person: a program per unit, three files opened, one written, at times one renamed."""
    folder = tempfile.mkdtemp(prefix="cost-", dir="/var/tmp")
    os.chown(folder, PERSON, PERSON)

    def work() -> None:
        os.chdir(folder)
        for number in range(20):
            Path(f"h{number}.h").write_text("x")
        for number in range(units):
            for header in (number % 20, (number + 7) % 20):
                os.close(os.open(f"h{header}.h", os.O_RDONLY))
            handle = os.open(f"o{number % 50}.o", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
            os.write(handle, b"object")
            os.close(handle)
            pid = os.posix_spawn("/bin/true", ["true"], {})
            os.waitpid(pid, 0)
            if number % 50 == 49:
                Path("o0.o").rename("lib.a").unlink()

    try:
        _child(PERSON, PERSON, work)
    finally:
        shutil.rmtree(folder)


def apt() -> None:
    """apt-get install, and remove, of a package of 200 files and a maintainer script, by an administrator."""
    with tempfile.TemporaryDirectory(prefix="cost-", dir="/var/tmp") as scratch:
        root = Path(scratch, "pack")
        (root / "DEBIAN").mkdir(parents=True)
        (root / "usr/share/auditpack-cost").mkdir(parents=True)
        for number in range(200):
            (root / f"usr/share/auditpack-cost/{number}").write_text("x")
        (root / "DEBIAN/control").write_text(
            "Package: auditpack-cost\nVersion: 1\nArchitecture: all\n"
            "Maintainer: none <none@example.org>\nDescription: -\n"
        )
        (root / "DEBIAN/postinst").write_text("#!/bin/sh\nldconfig\n")
        (root / "DEBIAN/postinst").chmod(0o755)
        Path(scratch).chmod(0o755)

        def work() -> None:
            file = f"{scratch}/auditpack-cost.deb"
            words = ["apt-get", "-qq", "-y"]
            for command in (
                ["dpkg-deb", "--build", str(root), file],
                [*words, "install", file],
                [*words, "purge", "auditpack-cost"],
            ):
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        _child(PERSON, 0, work)


def web(requests: int) -> None:
    """A server of www-data that answers requests; nobody is logged in."""
    folder = tempfile.mkdtemp(prefix="cost-", dir="/var/tmp")
    Path(folder, "index.html").write_text("x" * 4096)
    Path(folder).chmod(0o755)

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=folder)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    def work() -> None:
        with ThreadingHTTPServer(("127.0.0.1", PORT), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            for _ in range(requests):
                with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/index.html") as answer:
                    answer.read()
            server.shutdown()

    try:
        _child(UNSET, SERVICE, work)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
