# SPDX-License-Identifier: Apache-2.0
"""The plugin as a process of its own: what auditd does to it, and what disks do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from collector_support import corpus, parse

from auditpack_collector.config import Output
from auditpack_collector.file_sink import FileSink

SOURCE = Path(__file__).resolve().parent.parent / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE)}
USER = b"type=USER msg=audit(1795180126.804:%d): pid=1 msg='text=hello res=success'\n"


class Plugin:
    """A running collector with its folders under `folder`."""

    def __init__(self, folder: Path, implementation: str, text: str = "") -> None:
        self.events = folder / "out" / "events.jsonl"
        self.status_file = folder / "state" / "status.json"
        self.config = folder / "c.toml"
        for each in (self.events.parent, self.status_file.parent):
            each.mkdir()
        self.write_config(text)
        self.environment = {**ENVIRONMENT, "AUDITPACK_COLLECTOR_IMPLEMENTATION": implementation}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "auditpack_collector", "run", f"--config={self.config}"],
            stdin=subprocess.PIPE,
            env=self.environment,
            preexec_fn=block_signals,  # noqa: PLW1509 - single-threaded here
        )
        wait_for(self.status_file.exists)

    def write_config(self, text: str, output: str = "") -> None:
        self.config.write_text(
            f"user = ''\n{text}\n[status]\ndirectory = '{self.status_file.parent}'\ninterval = 1\n"
            f"[[output]]\npath = '{self.events}'\n{output}\n"
        )

    def feed(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def end(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(20)

    def again(self, data: bytes) -> None:
        """Another collector after this one, for `data` alone."""
        command = [sys.executable, "-m", "auditpack_collector", "run", f"--config={self.config}"]
        subprocess.run(command, input=data, env=self.environment, check=True, timeout=30)

    def read(self) -> list[dict[str, Any]]:
        return parse(self.events.read_bytes()) if self.events.exists() else []

    def status(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.status_file.read_text())
        return report


def block_signals() -> None:
    """As a plugin of auditd 3.0.9 inherits them (SigBlk 34a01)."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {1, 10, 12, 15, 17, 18})


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


@pytest.fixture(params=["python", "native"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Plugin]]:
    if request.param == "native":
        pytest.importorskip("auditpack_collector._native")
    started: list[Plugin] = []

    def start_(text: str = "") -> Plugin:
        started.append(Plugin(tmp_path, request.param, text))
        return started[-1]

    yield start_
    for plugin in started:
        if plugin.process.poll() is None:
            plugin.process.kill()
            plugin.process.wait()


def test_events_come_at_once_and_the_last_by_the_clock(start: Callable[..., Plugin]) -> None:
    plugin = start()
    plugin.feed(USER % 1)
    wait_for(lambda: len(plugin.read()) == 1)
    plugin.feed(b"type=ANOM_ABEND msg=audit(1795180126.804:2): pid=1\n")
    wait_for(lambda: len(plugin.read()) == 2)
    assert plugin.end() == 0
    status = plugin.status()
    assert (status["state"], status["pid"]) == ("stopped", plugin.process.pid)
    assert status["counters"]["records_in"] == status["counters"]["records_out"] == 2
    assert plugin.events.stat().st_mode & 0o777 == 0o640
    assert "auditpack_collector_records_in_total 2" in plugin.status_file.with_name("metrics.prom").read_text()


def test_end_of_input_and_sigterm_drain(start: Callable[..., Plugin]) -> None:
    plugin = start()
    plugin.feed(b"type=SYSCALL msg=audit(1795180126.804:1): items=1\n")
    wait_for(lambda: plugin.status()["counters"]["records_in"] == 1)
    plugin.process.send_signal(signal.SIGTERM)
    assert plugin.process.wait(20) == 0
    assert len(plugin.read()) == 1


def test_sighup_changes_the_format_and_keeps_the_pipe(start: Callable[..., Plugin]) -> None:
    plugin = start()
    line = USER % 2
    plugin.feed(USER % 1 + line[:30])
    wait_for(lambda: len(plugin.read()) == 1)
    since = plugin.status()["updated"]
    plugin.write_config("format = 'records'")
    plugin.process.send_signal(signal.SIGHUP)
    wait_for(lambda: plugin.status()["updated"] > since and plugin.status()["format"] == "records")
    plugin.feed(line[30:] + USER % 3)
    wait_for(lambda: len(plugin.read()) == 3)
    assert [("ID" in event) for event in plugin.read()] == [False, False, True]
    assert plugin.end() == 0
    assert plugin.status()["counters"]["records_in"] == 3


def test_a_bad_configuration_is_not_taken(start: Callable[..., Plugin]) -> None:
    plugin = start()
    plugin.config.write_text("rubbish")
    plugin.process.send_signal(signal.SIGHUP)
    plugin.feed(USER % 1)
    wait_for(lambda: len(plugin.read()) == 1)
    assert plugin.end() == 0


def test_loss_and_malformed_lines_become_events(start: Callable[..., Plugin]) -> None:
    plugin = start()
    plugin.feed(USER % 1 + USER % 5 + b"rubbish\n")
    wait_for(lambda: len(plugin.read()) == 4)
    kinds = [event["event"]["kind"] for event in plugin.read()]
    assert kinds == ["metric", "event", "event", "pipeline_error"]  # a gap is said before the events behind it
    assert plugin.read()[0]["auditd"]["loss"]["new"] == {"serial_gaps": 3}
    assert plugin.end() == 0


def test_serials_missing_between_two_collectors_are_counted(start: Callable[..., Plugin]) -> None:
    plugin = start()
    now = b"%d.000" % time.time()
    plugin.feed((USER % 7).replace(b"1795180126.804", now))
    wait_for(lambda: len(plugin.read()) == 1)
    plugin.process.kill()
    plugin.process.wait()
    plugin.again((USER % 12).replace(b"1795180126.804", now))
    assert plugin.status()["counters"]["serial_gaps"] == 4
    assert plugin.read()[1]["auditd"]["loss"]["new"] == {"serial_gaps": 4}


def test_rotation_keeps_every_event(start: Callable[..., Plugin]) -> None:
    plugin = start()
    plugin.write_config("", "max_bytes = 400000\ngenerations = 9")
    updated = plugin.status()["updated"]
    plugin.process.send_signal(signal.SIGHUP)
    wait_for(lambda: plugin.status()["updated"] > updated)
    data = corpus("debian13-raw.log")
    plugin.feed(data)
    assert plugin.end() == 0
    files = sorted(plugin.events.parent.iterdir())
    assert len(files) > 3
    assert all(path.stat().st_size <= 400_000 + 300_000 for path in files)  # a chunk of events is not split
    events = [event for path in files for event in parse(path.read_bytes())]
    assert sum(len(event["auditd"]["records"]) for event in events) <= plugin.status()["counters"]["records_in"]
    assert len(events) == plugin.status()["counters"]["events_out"] == 1027


def test_killed_in_a_line_the_next_start_closes_it(start: Callable[..., Plugin]) -> None:
    plugin = start()
    plugin.process.kill()
    plugin.process.wait()
    plugin.events.write_bytes(b'{"torn":')
    plugin.again(USER % 1)
    torn, event, loss = plugin.events.read_bytes().splitlines()
    assert torn == b'{"torn":'
    assert json.loads(event)["message"] == "hello"
    assert json.loads(loss)["auditd"]["loss"]["new"] == {"torn_lines": 1}


def test_a_full_disk_costs_no_event_while_the_queue_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = FileSink(Output(path=str(tmp_path / "e.jsonl")))
    full = threading.Event()
    full.set()
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        if full.is_set():
            if len(data) > 3:
                return real(descriptor, data[:3])  # the last bytes of the disk, then none
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[: 3 if full.is_set() else None]))
    monkeypatch.setattr("auditpack_collector.sink.RETRY", 0.05)
    threading.Timer(0.3, full.clear).start()
    assert sink.write(b'{"a":1}\n{"b":2}\n', threading.Event()) == 16
    assert (tmp_path / "e.jsonl").read_bytes() == b'{"a":1}\n{"b":2}\n'
    assert sink.errors > 1
    assert "No space" in sink.last_error


def test_a_folder_that_went_is_used_again_when_it_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditpack_collector.sink.RETRY", 0.05)
    folder = tmp_path / "out"
    folder.mkdir()
    sink = FileSink(Output(path=str(folder / "e.jsonl")))
    folder.rmdir()
    threading.Timer(0.3, folder.mkdir).start()
    assert sink.write(b"{}\n", threading.Event()) == 3
    assert (folder / "e.jsonl").read_bytes() == b"{}\n"


def test_sighup_adds_outputs_and_filters_and_takes_them_away(start: Callable[..., Plugin]) -> None:
    plugin = start()
    side = plugin.events.with_name("side.jsonl")
    plugin.feed(USER % 1)
    wait_for(lambda: len(plugin.read()) == 1)
    updated = plugin.status()["updated"]
    more = (
        f"generations = 5\n[[output]]\nname = 'side'\npath = '{side}'\nreceives = 'sent'\nformat = 'records'\n"
        "[[filter]]\nname = 'all'\nraw = 'hello'\naction = 'move'\nto = 'side'\n"
    )
    plugin.write_config("", more)
    plugin.process.send_signal(signal.SIGHUP)
    wait_for(lambda: plugin.status()["updated"] > updated and len(plugin.status()["outputs"]) == 2)
    plugin.feed(USER % 2 + USER % 3)
    wait_for(lambda: side.exists() and len(parse(side.read_bytes())) == 2)
    updated = plugin.status()["updated"]
    plugin.write_config("")
    plugin.process.send_signal(signal.SIGHUP)
    wait_for(lambda: plugin.status()["updated"] > updated and len(plugin.status()["outputs"]) == 1)
    plugin.feed(USER % 4)
    assert plugin.end() == 0
    assert [event["ID"][-2:] for event in parse(side.read_bytes())] == [":2", ":3"]
    assert [event["event"]["sequence"] for event in plugin.read() if event["event"]["kind"] == "event"] == [1, 4]
    (held,) = [event["auditd"]["held"] for event in plugin.read() if event["event"]["action"] == "held-events"]
    assert held == {"new": {"all": 2}, "total": {"all": 2}}
    status = plugin.status()
    assert status["filters"] == {"all": {"matched": 2, "held": 2}}
    assert status["types"] == {"USER": {"in": 4, "out": 4}}


def test_what_filters_dropped_is_no_gap_after_a_restart(start: Callable[..., Plugin]) -> None:
    plugin = start()
    now = b"%d.000" % time.time()
    plugin.write_config("", "[[filter]]\nname = 'noise'\nraw = ':[789][)]'\naction = 'drop'\n")
    updated = plugin.status()["updated"]
    plugin.process.send_signal(signal.SIGHUP)
    wait_for(lambda: plugin.status()["updated"] > updated)
    plugin.feed(b"".join((USER % serial).replace(b"1795180126.804", now) for serial in range(6, 10)))
    wait_for(lambda: plugin.status()["counters"]["events_filtered"] == 3)
    assert plugin.end() == 0
    plugin.again((USER % 10).replace(b"1795180126.804", now))
    assert plugin.status()["counters"]["serial_gaps"] == 0
