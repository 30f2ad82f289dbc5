# SPDX-License-Identifier: Apache-2.0
"""`run`: the auditd plugin. The main thread reads and converts, one thread writes events, one writes the status.

The main thread never waits for a disk: auditd's queue behind the pipe is short, and behind it stands the kernel.
SIGHUP reads the configuration again and keeps the pipe; SIGTERM and end of input drain what is held and end.
"""

from __future__ import annotations

import os
import pwd
import select
import signal
import socket
import sys
import syslog
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import __version__, privileges
from .config import Config, ConfigError, check_host, load
from .implementation import choose
from .loss import LossReporter
from .options import Options
from .queue import Queue
from .resume import last_serial
from .sink import FileSink, Writer
from .status import StatusThread

CHUNK = 1 << 18
TICK = 0.5
"""Seconds: how late a time-out or a loss is noticed at most, while there is something to wait for."""
IDLE = 5.0
"""Seconds between looks when nothing comes and no event is open."""
DRAIN = 10.0
"""Seconds that the end waits for the disk."""


def run(path: Path, config: Config) -> int:
    os.umask(0o027)
    syslog.openlog("auditpack-collector", syslog.LOG_PID, syslog.LOG_DAEMON)
    problems = check_host(config, path)
    if problems:
        for problem in problems:
            say(problem)
        return 2
    try:
        sink = FileSink(config.output)  # its folder is opened before the privileges go
        if config.user:
            privileges.drop(config.user)
        sink.open()
    except OSError as error:
        say(f"{error.filename or config.output.path}: {error.strerror or error}")
        return 1
    return _Service(path, config, sink).serve()


def say(message: str) -> None:
    """To stderr, and to syslog, since auditd gives its plugins no stderr worth the name."""
    print(f"auditpack-collector: {message}", file=sys.stderr, flush=True)
    syslog.syslog(syslog.LOG_WARNING, message)


def _options(config: Config) -> Options:
    return Options(
        format=config.format,
        translate=config.translate,
        original=config.original,
        timeout=config.timeout,
        hostname=config.hostname or socket.gethostname(),
    )


class _Service:
    def __init__(self, path: Path, config: Config, sink: FileSink) -> None:
        self._path = path
        self._config = config
        options = replace(_options(config), last_serial=last_serial(Path(config.output.path)))
        self._pipeline, self._reason = choose(options)
        self._next_options: Options | None = None
        self._earlier: dict[str, int] = {}  # counters of pipelines that a reload replaced
        self._queue = Queue(config.queue.max_bytes, config.queue.policy)
        self._writer = Writer(self._queue, sink)
        self._loss = LossReporter(config.format, _options(config).hostname)
        self._since = time.time()
        self._state = "running"
        self._signals: list[int] = []
        self._counters = self._pipeline.counters()
        self._user = pwd.getpwuid(os.geteuid()).pw_name
        self._status = self._status_thread()

    def serve(self) -> int:
        wake = self._catch_signals()
        self._writer.start()
        self._status.start()
        poll = select.poll()
        poll.register(0, select.POLLIN | select.POLLHUP)
        poll.register(wake, select.POLLIN)
        due = time.monotonic() + TICK
        while self._state == "running":
            ready = dict(poll.poll(max(0, int((due - time.monotonic()) * 1000))))
            if wake in ready:
                os.read(wake, 4096)
                self._obey()
            if 0 in ready:
                data = os.read(0, CHUNK)
                if not data:
                    break
                self._take(data)
                due = min(due, time.monotonic() + TICK)
            now = time.monotonic()
            if now >= due:
                self._send(self._pipeline.flush(now))
                self._tick()
                due = now + (TICK if self._counters["open_events"] else IDLE)
        return self._end()

    def _catch_signals(self) -> int:
        read_end, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        caught = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
        for number in caught:
            signal.signal(number, lambda received, _frame: self._signals.append(received))
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, caught)  # auditd's plugins start with its own signals blocked
        return read_end

    def _obey(self) -> None:
        while self._signals:
            if self._signals.pop(0) == signal.SIGHUP:
                self._reload()
            else:
                self._state = "stopping"

    def _take(self, data: bytes) -> None:
        if self._next_options is not None:
            # The new pipeline starts at a line's start; until then the old one goes on.
            head, newline, data = data.partition(b"\n")
            self._send(self._pipeline.feed(head + newline, time.monotonic()))
            if not newline:
                return
            self._send(self._pipeline.flush(time.monotonic(), all=True))
            self._earlier = self._totals()
            self._pipeline, self._reason = choose(self._next_options)
            self._loss = LossReporter(self._next_options.format, self._next_options.hostname)
            self._next_options = None
            self._loss.report(self._losses(), time.time())  # said before
        self._send(self._pipeline.feed(data, time.monotonic()))

    def _send(self, out: bytes) -> None:
        if out:
            self._queue.put(out)

    def _tick(self) -> None:
        self._counters = self._totals()
        event = self._loss.report(self._losses(), time.time())
        if event:
            self._queue.put(event, force=True)
            self._status.now()

    def _totals(self) -> dict[str, int]:
        current = self._pipeline.counters()
        return {
            name: value + (self._earlier.get(name, 0) if name != "open_events" else 0)
            for name, value in current.items()
        }

    def _dropped(self) -> dict[str, int]:
        return {"queue_full": self._queue.dropped, "write_failed": self._writer.given_up}

    def _losses(self) -> dict[str, int]:
        return {
            "serial_gaps": self._counters["serial_gaps"],
            "no_memory": self._counters["no_memory"],
            **{f"dropped_{reason}": count for reason, count in self._dropped().items()},
            "torn_lines": self._writer.sink.torn,
        }

    def _reload(self) -> None:
        try:
            config = load(self._path)
        except ConfigError as error:
            for message in error.messages:
                say(f"{message} (kept the configuration that was)")
            return
        if config.user != self._config.user:
            say(f"{self._path}: user takes effect at the next start")
        if config.output != self._config.output:
            try:
                self._writer.replace(FileSink(config.output))
            except OSError as error:
                say(f"{error.filename}: {error.strerror} (events go on to {self._config.output.path})")
        self._queue.max_bytes, self._queue.policy = config.queue.max_bytes, config.queue.policy
        if _options(config) != _options(self._config):
            self._next_options = _options(config)
        self._config = config
        status = self._status
        self._status = self._status_thread()
        status.end()
        self._status.start()

    def _end(self) -> int:
        self._state = "stopping"
        self._send(self._pipeline.flush(time.monotonic(), all=True))
        self._tick()
        self._queue.close()
        self._writer.stopping.set()
        self._writer.join(timeout=DRAIN)
        if self._writer.is_alive():
            say(f"{self._config.output.path}: cannot be written; {self._queue.drain()} events given up")
        self._state = "stopped"
        self._counters = self._totals()
        self._status.end()
        return 0

    def _status_thread(self) -> StatusThread:
        return StatusThread(Path(self._config.status.directory), self._config.status.interval, self._report)

    def _report(self) -> dict[str, Any]:
        sink = self._writer.sink
        return {
            "pid": os.getpid(),
            "user": self._user,
            "state": self._state,
            "implementation": self._pipeline.implementation,
            "implementation_reason": self._reason,
            "version": __version__,
            "format": self._config.format,
            "since": self._since,
            "updated": time.time(),
            "interval": self._config.status.interval,
            "counters": self._counters,
            "dropped": self._dropped(),
            "queue": {
                "bytes": self._queue.bytes,
                "high_bytes": self._queue.high,
                "max_bytes": self._queue.max_bytes,
                "policy": self._queue.policy,
            },
            "output": {
                "path": self._config.output.path,
                "events": sink.events,
                "bytes": sink.bytes,
                "rotations": sink.rotations,
                "torn_lines": sink.torn,
                "errors": sink.errors,
                "last_error": sink.last_error,
            },
            "status_error": self._status.last_error,
        }
