# SPDX-License-Identifier: Apache-2.0
"""The whole service over a real event file or socket: nothing is lost over rotations, restarts and kill -9."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from audit_support import Audited
from integrity_support import World

from auditpack_integrity import service as service_module
from auditpack_integrity import tracker
from auditpack_integrity.feed import FileFeed
from auditpack_integrity.service import Service


@pytest.fixture
def service(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(service_module, "_IDLE", 0.02)
    monkeypatch.setattr(tracker, "_GRACE", 0.2)  # what a scan finds waits for its event: seconds in earnest
    (world.top / "a").write_text("a")
    running = Running(world)
    yield running
    running.end()


class Running:
    """A service stepped by hand; `audited` writes the events of what it does into the collector's file."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.file = world.folder / "collector.jsonl"
        self.file.touch()
        world.settings = f'[feed]\nfile = "{self.file}"\nsettle = 0.01\n[packages]\nenabled = false\n'
        self.audited = Audited(world)
        self.audited.feeding = False
        self.audited.feed = self.write  # type: ignore[method-assign]
        world.reopen()
        self.service: Service | None = None
        self.begin()

    def write(self, syscall: str, paths: list[tuple[Any, ...]], cwd: bytes = b"/", **arguments: str) -> None:
        with self.file.open("ab") as file:
            file.write(self.audited.line(syscall, paths, arguments, cwd) + b"\n")

    def begin(self) -> None:
        self.service = Service(self.world.config)
        self.step()

    def step(self, seconds: float = 0.1) -> list[dict[str, Any]]:
        assert self.service
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(self.service.tracker.waiting) or self.service.running:
            if not self.service.step():
                self.service.wait()
        path = Path(self.world.config.output.path)
        lines = path.read_text().splitlines() if path.exists() else []
        return [event for event in map(json.loads, lines) if "path" in event.get("file", {})]

    def end(self) -> None:
        if self.service:
            self.service.end()
            self.service = None


def names(events: list[dict[str, Any]]) -> list[tuple[str, list[str], str]]:
    return [
        (event["file"]["name"], event["event"]["action"], event.get("user", {}).get("audit", {}).get("name", ""))
        for event in events
    ]


def test_events_become_changes_and_lines(service: Running) -> None:
    service.audited.write("a", "changed")
    service.audited.write("b", "new")
    assert names(service.step()) == [("a", ["updated"], "alice"), ("b", ["created"], "alice")]
    assert service.service
    service.service.write_status("running")
    status = json.loads((service.world.folder / "state" / "status.json").read_text())
    assert (status["feed"]["lines"], status["feed"]["live"], status["problems"]) == (2, True, [])


def test_a_restart_goes_on_behind_the_last_event(service: Running) -> None:
    service.audited.write("a", "one")
    service.step()
    service.end()
    service.audited.write("b", "while it was down")
    service.begin()
    assert names(service.step(0.2)) == [("a", ["updated"], "alice"), ("b", ["created"], "alice")]


def test_what_changed_without_event_is_told_as_offline(service: Running) -> None:
    service.step()
    service.end()
    (service.world.top / "a").write_text("behind our back")
    past = time.time() - 100
    os.utime(service.world.top / "a", (past, past))
    service.begin()
    events = service.step(0.5)
    assert names(events) == [("a", ["updated"], "")]
    assert events[0]["file_integrity"]["why_unknown"] == "offline"


def test_rotations_lose_nothing(service: Running) -> None:
    for number in range(3):
        service.audited.write(f"f{number}", "x")
        service.file.rename(f"{service.file}.1")
        service.file.touch()
        service.audited.write(f"g{number}", "x")
        service.step()
    assert {name for name, _, _ in names(service.step())} == {f"{letter}{n}" for letter in "fg" for n in range(3)}


def test_a_full_disk_loses_no_event(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database refuses, the service ends, systemd starts it again when there is room or not."""
    assert service.service
    service.audited.write("a", "while the disk is full")

    def full(_changes: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(service.service.ledger, "apply", full)
    with pytest.raises(sqlite3.OperationalError):
        service.step(0.2)
    service.service.end(well=False)
    service.begin()
    assert names(service.step(0.2)) == [("a", ["updated"], "alice")]


def test_rubbish_in_the_feed_is_counted_and_passed(service: Running) -> None:
    with service.file.open("ab") as file:
        file.write(b'{"PATH"\n"PATH"\n{"type": "PATH", "auditd": 3}\n\xff\n')
    service.audited.write("a", "x2")
    assert names(service.step()) == [("a", ["updated"], "alice")]
    assert service.service
    assert service.service.counters["malformed"] == 3


def test_a_position_that_was_rotated_away_is_a_told_gap(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_text("one\n")
    feed = FileFeed(str(file), "[12345, 10]")
    assert "rotated away" in feed.gap()
    assert [line for line, _ in feed.take()] == [b"one"]
    feed.close()


def test_a_half_line_waits_for_its_end(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_text("")
    feed = FileFeed(str(file), None)
    with file.open("a") as stream:
        stream.write("one\ntw")
        stream.flush()
        taken = feed.take()
        assert [line for line, _ in taken] == [b"one"]
        again = FileFeed(str(file), taken[0][1])
        stream.write("o\n")
        stream.flush()
        assert [line for line, _ in feed.take()] == [b"two"]
        assert [line for line, _ in again.take()] == [b"two"]
    feed.close()
    again.close()


def test_the_program_over_a_socket_and_killed(world: World) -> None:
    """As systemd starts it; events come by the socket; kill -9 in the middle loses no change."""
    (world.top / "a").write_text("a")
    path = world.folder / "feed.sock"
    world.settings = f'[feed]\nsocket = "{path}"\nsettle = 0.05\n[packages]\nenabled = false\n'
    config = world.write_config()
    audited = Audited(world)
    lines: list[bytes] = []
    audited.feed = lambda syscall, paths, cwd=b"/", **more: lines.append(  # type: ignore[method-assign]
        audited.line(syscall, paths, more, cwd) + b"\n"
    )
    world.reopen()
    command = [sys.executable, "-m", "auditpack_integrity", "run", "--config", str(config)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent / "src")}
    status = world.folder / "state" / "status.json"

    def started() -> subprocess.Popen[bytes]:
        status.unlink(missing_ok=True)
        process = subprocess.Popen(command, env=environment)
        until(lambda: status.exists() and json.loads(status.read_text())["last_scan"])
        return process

    def until(condition: Any) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.05)

    def told() -> list[str]:
        output = Path(world.config.output.path)
        return output.read_text().splitlines() if output.exists() else []

    process = started()
    try:
        with socket.socket(socket.AF_UNIX) as sender:
            sender.connect(str(path))
            audited.write("b", "by socket")
            sender.sendall(b"".join(lines))
            until(lambda: any('"created"' in line and "alice" in line for line in told()))
        process.send_signal(signal.SIGKILL)
        process.wait()
        (world.top / "c").write_text("while it was dead")
        process = started()
        until(lambda: any('/c"' in line and '"created"' in line for line in told()))
    finally:
        process.terminate()
        assert process.wait() == 0
    assert world.ledger.journal.verify() == ""
    assert json.loads(status.read_text())["state"] == "stopped"
