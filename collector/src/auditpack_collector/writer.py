# SPDX-License-Identifier: Apache-2.0
"""A thread for each output, from its queue to its sink; and all outputs of a configuration."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .config import Config, Output
from .config_host import queue_folder
from .queue import Queue
from .sink import Sink, make_sink
from .spool import Spool


class Writer(threading.Thread):
    """Takes chunks from the queue to the sink until the queue is closed and empty, or stop() came."""

    def __init__(self, output: Output, queue: Queue, sink: Sink) -> None:
        super().__init__(name=f"output {output.name}", daemon=True)
        self.output = output
        self.queue = queue
        self.sink = sink
        self._stopping = threading.Event()
        self._prefix = output.line_prefix.encode()
        self._next: Sink | None = None

    def replace(self, output: Output, sink: Sink) -> None:
        """Write to another sink from the next chunk on (reload); the queue stays."""
        self.output = output
        self._next = sink

    def stop(self) -> None:
        """Give up what the sink does not take at once."""
        self._stopping.set()

    def run(self) -> None:
        while (chunk := self.queue.get()) is not None:
            if self._next is not None:
                self.sink.release()
                self.sink, self._next = self._next, None
                self._prefix = self.output.line_prefix.encode()
            self.queue.done(self._write(chunk))
            if self._stopping.is_set():
                break

    def _write(self, chunk: bytes) -> int:
        if not self._prefix:
            return self.sink.write(chunk, self._stopping)
        lines = chunk.splitlines(keepends=True)
        size = self.sink.write(b"".join(self._prefix + line for line in lines), self._stopping)
        done = 0
        for line in lines:
            size -= len(self._prefix) + len(line)
            if size < 0:
                break
            done += len(line)
        return done

    def report(self) -> dict[str, Any]:
        """For the status file."""
        queue = self.queue
        spool = queue.spool
        return {
            "name": self.output.name,
            **self.sink.report(),
            "queue": {
                "bytes": queue.bytes,
                "high_bytes": queue.high,
                "max_bytes": queue.max_bytes,
                "policy": queue.policy,
                "disk_bytes": spool.bytes if spool else 0,
                "disk_high_bytes": spool.high if spool else 0,
                "disk_max_bytes": spool.max_bytes if spool else 0,
                "last_error": queue.last_error,
            },
            "dropped": {**queue.dropped, "oversize": self.sink.oversize},
            "lag_seconds": round(queue.age(), 3),
        }


class Outputs:
    """The writers of a configuration by name. Making one opens folders: raises OSError, and closes what it opened."""

    def __init__(self, config: Config) -> None:
        self.writers: dict[str, Writer] = {}
        self._ended: list[Writer] = []
        for output in config.outputs():
            self.writers[output.name] = _make(config, output)

    def open(self) -> None:
        """After the privileges were dropped: open files, start the threads. Raises OSError."""
        for writer in self.writers.values():
            writer.sink.open()
        for writer in self.writers.values():
            writer.start()

    def change(self, before: Config, after: Config) -> None:
        """Reload. An output whose settings are the same goes on untouched. Raises OSError before anything changed."""
        old = {output.name: output for output in before.outputs()}
        fresh: dict[str, Writer] = {}
        sinks: dict[str, Sink] = {}
        for output in after.outputs():
            if output.name not in self.writers:
                fresh[output.name] = _make(after, output)
                fresh[output.name].sink.open()
            elif output != old[output.name]:
                sinks[output.name] = make_sink(output)
        for name in [name for name in self.writers if name not in {output.name for output in after.outputs()}]:
            self._ended.append(self.writers.pop(name))
        for output in after.outputs():
            if output.name in sinks:
                self.writers[output.name].replace(output, sinks[output.name])
            if output.name in self.writers:
                queue = self.writers[output.name].queue
                queue.max_bytes, queue.policy = queue_bounds(after, output)
        for name, writer in fresh.items():
            self.writers[name] = writer
            writer.start()

    def retire(self, used: Iterable[Writer]) -> None:
        """Close outputs that a reload took away, once no input writes to them."""
        wanted = set(map(id, used))
        for writer in [writer for writer in self._ended if id(writer) not in wanted]:
            writer.queue.close()
            self._ended.remove(writer)

    def close(self, seconds: float) -> list[Writer]:
        """Drain; those that could not in that time, whose rest went to the disk queue or was lost and counted."""
        everyone = [*self.writers.values(), *self._ended]
        for writer in everyone:
            writer.queue.close()
        threads = [threading.Thread(target=_drain, args=(writer, seconds), daemon=True) for writer in everyone]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [writer for writer in everyone if writer.sink.failing]

    def report(self) -> list[dict[str, Any]]:
        return [writer.report() for writer in list(self.writers.values())]

    def dropped(self) -> dict[str, int]:
        """Events lost by reason, all outputs together."""
        total: dict[str, int] = {}
        for writer in [*list(self.writers.values()), *self._ended]:
            for reason, count in (*writer.queue.dropped.items(), ("oversize", writer.sink.oversize)):
                total[reason] = total.get(reason, 0) + count
        return total

    def empty(self) -> bool:
        return all(writer.queue.empty() for writer in list(self.writers.values()))


def queue_bounds(config: Config, output: Output) -> tuple[int, str]:
    return output.queue_bytes or config.queue.max_bytes, output.policy or config.queue.policy


def _make(config: Config, output: Output) -> Writer:
    disk = config.queue.disk_bytes if output.disk_bytes < 0 else output.disk_bytes
    spool = None
    if disk:
        folder = Path(queue_folder(config))
        folder.mkdir(mode=0o700, exist_ok=True)
        spool = Spool(folder / output.name, disk)
    return Writer(output, Queue(*queue_bounds(config, output), spool), make_sink(output))


def _drain(writer: Writer, seconds: float) -> None:
    writer.join(timeout=seconds)
    if writer.is_alive():
        writer.stop()
        writer.join(timeout=10)  # a sink's try ends by its own time-out
    writer.queue.finish()
    writer.sink.release()
