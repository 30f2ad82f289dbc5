#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Feed a running collector millions of records while everything goes wrong, and count: in = out + counted, exactly.

    soak.py [--records 10000000] [--seed N] [--implementation native|python] [--folder DIR] [--every 200000]
            [--no-mount]

Records go through a pipe as from auditd, in serial order, one to four an event, the clock of their time stamps jumping.
At random moments, on average each `--every` records: kill -9 and a new start; SIGHUP with another configuration; a full
disk (where a tmpfs can be mounted, else the output's folder moved away), and room again; a reader of the second output
that stands still; SIGTERM and a new start. The main output blocks when its queue is full, so nothing of it is dropped:
what a kill cost must be in the `lost-events` reports as missing serials. The second output, a unix socket, drops what
its slow reader does not take. Exit 0 when the sums agree, else 1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent / "src"
SINGLE = "type=USER_CMD msg=audit({id}): pid=7 uid=0 auid=1000 ses=3 msg='cwd=\"/\" cmd=6C73 res=success'\n"
CALL = (
    "type=SYSCALL msg=audit({id}): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=1 a2=0 a3=0 items=1 "
    'ppid=1 pid=7 auid=1000 uid=0 gid=0 comm="cat" exe="/usr/bin/cat" key="soak"\n'
    'type=CWD msg=audit({id}): cwd="/root"\n'
    'type=PATH msg=audit({id}): item=0 name="/etc/passwd" inode=1 mode=0100644 nametype=NORMAL\n'
    "type=EOE msg=audit({id}): \n"
)
BLOCK = 60_000
"""Bytes written at once: what auditd's pipe takes without waiting."""


class Reader(threading.Thread):
    """Listens where the second output connects; stands still while `still` is set."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.lines = self.torn = 0
        self.still = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(8)

    def run(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        rest = b""
        while data := connection.recv(1 << 16):
            while self.still.is_set():
                time.sleep(0.02)
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            self.lines += len(lines)
        self.torn += bool(rest)


class Soak:
    def __init__(self, folder: Path, arguments: argparse.Namespace) -> None:
        self.folder = folder
        self.chooser = random.Random(arguments.seed)  # noqa: S311
        self.every = arguments.every
        self.done: dict[str, int] = {}
        self.events = self.records = 0
        self.out = folder / "out"
        self.out.mkdir()
        (folder / "state").mkdir()
        self.mounted = not arguments.no_mount and self._mount()
        self.reader = Reader(folder / "side.sock")
        self.reader.start()
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "AUDITPACK_COLLECTOR_IMPLEMENTATION": arguments.implementation,
        }
        self._configure()
        self.collector = self._start()
        self._clock = int(time.time())
        self._recover_at = 0.0
        self._recoveries: list[Any] = []

    def _mount(self) -> bool:
        """A disk that can be full."""
        command = ["mount", "-t", "tmpfs", "-o", "size=8g,mode=0755", "tmpfs", str(self.out)]
        return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _configure(self) -> None:
        rotate = self.chooser.choice((2_000_000, 20_000_000, 50_000_000))
        disk = self.chooser.choice((0, 4_000_000))
        (self.folder / "c.toml").write_text(
            f"user = ''\nformat = '{self.chooser.choice(('ecs', 'records'))}'\ntranslate = 'none'\n"
            f"[status]\ndirectory = '{self.folder}/state'\ninterval = 1\n[queue]\nmax_bytes = 1000000\n"
            f"[[output]]\nname = 'main'\npath = '{self.out}/events.jsonl'\npolicy = 'block'\nmax_bytes = {rotate}\n"
            "generations = 10000\n"
            f"[[output]]\nname = 'side'\nkind = 'unix'\npath = '{self.folder}/side.sock'\npolicy = 'newest'\n"
            f"disk_bytes = {disk}\n"
        )

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "auditpack_collector", "run", f"--config={self.folder}/c.toml"]
        with (self.folder / "stderr").open("ab") as errors:
            return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=errors, env=self.environment)

    def feed(self, total: int) -> None:
        shown = time.monotonic()
        until_fault = self._next_fault()
        while self.records < total:
            block: list[str] = []
            size = 0
            while size < BLOCK and self.records < total:
                text, records = self._event()
                block.append(text)
                size += len(text)
                self.records += records
                until_fault -= records
            self._write("".join(block).encode())
            if self._recoveries and time.monotonic() > self._recover_at:
                self._recover()
            if until_fault <= 0 and not self._recoveries:
                self._fault()
                until_fault = self._next_fault()
            if time.monotonic() - shown > 10:
                shown = time.monotonic()
                print(f"{self.records:>12,} records, {sum(self.done.values())} faults", file=sys.stderr)
        if self._recoveries:
            self._recover()
        self._end()

    def _next_fault(self) -> int:
        return int(self.chooser.expovariate(1 / self.every)) + 1

    def _event(self) -> tuple[str, int]:
        self.events += 1
        if self.chooser.random() < 0.001:  # the clock jumps, but not before the boot
            self._clock = int(time.time()) + self.chooser.randrange(100_000)
        identity = f"{self._clock}.{self.chooser.randrange(1000):03d}:{self.events}"
        text = SINGLE if self.chooser.random() < 0.4 else CALL
        return text.replace("{id}", identity), text.count("\n")

    def _write(self, data: bytes) -> None:
        """A full disk makes the collector wait, and so us; the disk gets room again meanwhile."""
        assert self.collector.stdin is not None
        waker = threading.Timer(5, self._recover) if self._recoveries else None
        if waker is not None:
            waker.start()
        try:
            self.collector.stdin.write(data)
            self.collector.stdin.flush()
        finally:
            if waker is not None:
                waker.cancel()

    def _fault(self) -> None:
        name = self.chooser.choice(("kill", "kill", "terminate", "hangup", "disk", "reader")) if self.done else "kill"
        self.done[name] = self.done.get(name, 0) + 1
        self._recover_at = time.monotonic() + self.chooser.random() * 2
        if name == "kill":
            self.collector.kill()
            self.collector.wait()
            self.collector = self._start()
        elif name == "terminate":
            self.collector.send_signal(signal.SIGTERM)
            self.collector.wait()
            self.collector = self._start()
        elif name == "hangup":
            self._configure()
            if self._runs():
                self.collector.send_signal(signal.SIGHUP)
        elif name == "reader":
            self.reader.still.set()
            self._recoveries.append(self.reader.still.clear)
        elif self.mounted:
            self._fill()
            self._recoveries.append((self.out / "ballast").unlink)
        else:
            away = self.out.with_name("away")
            self.out.rename(away)
            self._recoveries.append(lambda: away.rename(self.out))

    def _runs(self) -> bool:
        """Whether it has come far enough to take a signal: before that a SIGHUP would end it."""
        status = self.folder / "state" / "status.json"
        with contextlib.suppress(OSError, ValueError):
            return bool(json.loads(status.read_text())["pid"] == self.collector.pid)
        return False

    def _fill(self) -> None:
        with (self.out / "ballast").open("wb") as file:
            free = os.statvfs(self.out)
            try:
                os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize))
            except OSError as error:
                if error.errno != 28:
                    raise

    def _recover(self) -> None:
        while self._recoveries:
            self._recoveries.pop()()

    def _end(self) -> None:
        assert self.collector.stdin is not None
        self.collector.stdin.close()
        if self.collector.wait(120) != 0:
            raise SystemExit(f"the collector ended with {self.collector.returncode}: see {self.folder}/stderr")

    def sums(self) -> dict[str, int]:
        serials: set[int] = set()
        again = counted = torn = 0
        for line in self._lines():
            try:
                event = json.loads(line)
            except ValueError:
                torn += 1
                continue
            loss = event.get("LOSS") or event.get("auditd", {}).get("loss")
            if loss:
                counted += loss["new"].get("serial_gaps", 0)
                continue
            identity = event.get("ID") or event.get("event", {}).get("id")
            serial = int(identity.rpartition(":")[2]) if identity else 0
            again += serial in serials
            serials.add(serial)
        return {
            "records in": self.records,
            "events in": self.events,
            "events out": len(serials - {0}),
            "counted as missing": counted,
            "written twice or in parts": again,
            "torn lines": torn,
            "side output lines": self.reader.lines,
        }

    def _lines(self) -> Iterator[bytes]:
        for path in self.out.glob("events.jsonl*"):
            with path.open("rb") as file:
                yield from file

    def close(self) -> None:
        if self.collector.poll() is None:
            self.collector.kill()
            self.collector.wait()
        if self.mounted:
            subprocess.run(["umount", str(self.out)], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--every", type=int, default=200_000, help="records between two faults, on average")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--implementation", choices=("native", "python"), default="native")
    parser.add_argument("--no-mount", action="store_true", help="move the output's folder away instead of a full disk")
    parser.add_argument("--folder", type=Path, help="where to work; kept")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="auditpack-soak-"))
    folder.mkdir(exist_ok=True)
    print(f"seed {arguments.seed}, {arguments.implementation}, {folder}", file=sys.stderr)
    soak = Soak(folder, arguments)
    try:
        soak.feed(arguments.records)
        sums = soak.sums()
    finally:
        soak.close()
    for name, number in (*sums.items(), *(("fault: " + name, count) for name, count in sorted(soak.done.items()))):
        print(f"{name:<28} {number:>12,}")
    difference = sums["events in"] - sums["events out"] - sums["counted as missing"]
    print(f"{'in - out - counted':<28} {difference:>12,}")
    if arguments.folder is None and difference == 0:
        shutil.rmtree(folder)
    return int(difference != 0)


if __name__ == "__main__":
    sys.exit(main())
