# SPDX-License-Identifier: Apache-2.0
"""`run`: the auditd plugin. The main thread reads and converts; each output and the status have a thread of their own.

The main thread never waits for a disk: auditd's queue behind the pipe is short, and behind it stands the kernel.
SIGHUP reads the configuration again and keeps the pipe; SIGTERM and end of input drain what is held and end.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import syslog
import time
from pathlib import Path

from . import privileges
from .config import Config
from .config_host import check_host
from .config_load import ConfigError, load
from .service import IDLE, TICK, Service
from .writer import Outputs


def run(path: Path, config: Config) -> int:
    os.umask(0o027)
    syslog.openlog("auditpack-collector", syslog.LOG_PID, syslog.LOG_DAEMON)
    problems = check_host(config, path)
    if problems:
        for problem in problems:
            say(problem)
        return 2
    try:
        outputs = Outputs(config)  # folders are opened before the privileges go
        if config.user:
            privileges.drop(config.user)
        outputs.open()
    except OSError as error:
        say(f"{error.filename or path}: {error.strerror or error}")
        return 1
    return _Loop(path, config, outputs).serve()


def say(message: str) -> None:
    """To stderr, and to syslog, since auditd gives its plugins no stderr worth the name."""
    print(f"auditpack-collector: {message}", file=sys.stderr, flush=True)
    syslog.syslog(syslog.LOG_WARNING, message)


class _Loop:
    def __init__(self, path: Path, config: Config, outputs: Outputs) -> None:
        self._path = path
        self._service = Service(config, outputs, say)
        self._signals: list[int] = []

    def serve(self) -> int:
        service = self._service
        wake = self._catch_signals()
        service.start()
        due = time.monotonic() + TICK
        while service.running:
            now = time.monotonic()
            if now >= due:
                service.tick(now)
                due = now + (TICK if service.waiting() else IDLE)
            poll = select.poll()
            poll.register(wake, select.POLLIN)
            channels = {}
            for channel in service.channels:
                if channel.source.descriptor >= 0:
                    channels[channel.source.descriptor] = channel
                    poll.register(channel.source.descriptor, select.POLLIN | select.POLLHUP)
            timeout = 0 if service.follow() else max(0, int((due - time.monotonic()) * 1000))
            for descriptor, _ in poll.poll(timeout):
                if descriptor == wake:
                    os.read(wake, 4096)
                    self._obey()
                elif service.take(channels[descriptor]):
                    due = min(due, time.monotonic() + TICK)
        return service.end()

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
                self._service.running = False

    def _reload(self) -> None:
        try:
            self._service.change(load(self._path))
        except ConfigError as error:
            for message in error.messages:
                say(f"{message} (kept the configuration that was)")
