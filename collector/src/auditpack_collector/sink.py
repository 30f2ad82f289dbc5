# SPDX-License-Identifier: Apache-2.0
"""What every output is to its writer: lines go in, failures are counted, told and tried again until it works."""

from __future__ import annotations

import abc
import sys
import threading
from typing import Any, Callable, Final

from .config import Output, output_path

RETRY: Final = 1.0
"""Seconds between tries while an output cannot be written."""


class Sink(abc.ABC):
    """Owned by the writer's thread. Counters: events, bytes, errors (tries that failed), oversize (lines refused)."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.path = output_path(output)
        self.events = self.bytes = self.errors = self.oversize = 0
        self.last_error = ""
        self.failing = False

    def open(self) -> None:  # noqa: B027 - most need nothing
        """Called once before the writer starts. Raises OSError when the configuration cannot work."""

    def release(self) -> None:  # noqa: B027
        """Close for good."""

    def write(self, chunk: bytes, stop: threading.Event) -> int:
        """Write whole lines however long it takes; how many bytes of `chunk` are out, fewer only when `stop` came."""
        done = 0
        while done < len(chunk):
            try:
                done += self.send(chunk, done)
                self.failing = False
            except OSError as error:
                self.errors += 1
                self.failing = True
                self.last_error = f"{self.path}: {error.strerror or error}"
                self.recover(error)
                if stop.wait(RETRY):
                    break
        self.events += chunk.count(b"\n", 0, done)
        self.bytes += done
        return done

    @abc.abstractmethod
    def send(self, chunk: bytes, start: int) -> int:
        """Write some whole lines from `start` on; how many bytes that are. Raises OSError."""

    def recover(self, error: OSError) -> None:  # noqa: B027
        """After an error: make the next try a fresh one."""

    def report(self) -> dict[str, Any]:
        """For the status file."""
        return {
            "kind": self.output.kind,
            "path": self.path,
            "failing": self.failing,
            "events": self.events,
            "bytes": self.bytes,
            "errors": self.errors,
            "last_error": self.last_error,
            "oversize": self.oversize,
        }


class StdoutSink(Sink):
    """Standard output."""

    def send(self, chunk: bytes, start: int) -> int:
        sys.stdout.buffer.write(chunk[start:])
        sys.stdout.buffer.flush()
        return len(chunk) - start


def make_sink(output: Output) -> Sink:
    """The sink of an output. A file's folder is opened here, before privileges are dropped: raises OSError."""
    if output.kind == "file":
        from .file_sink import FileSink  # noqa: PLC0415 - an output loads what it needs

        return FileSink(output)
    if output.kind == "stdout":
        return StdoutSink(output)
    from . import socket_sink  # noqa: PLC0415

    kinds: dict[str, Callable[[Output], Sink]] = {
        "unix": socket_sink.UnixSink,
        "syslog": socket_sink.SyslogSink,
        "journald": socket_sink.JournaldSink,
    }
    return kinds[output.kind](output)
