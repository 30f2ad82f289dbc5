# SPDX-License-Identifier: Apache-2.0
"""status.json and metrics.prom: how the collector is. Replaced atomically, written by a thread of its own."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any, Callable

from .metrics import prometheus

Report = dict[str, Any]


class StatusThread(threading.Thread):
    """Writes `report()` each `interval` seconds and when asked; a failed write is told in the next report."""

    def __init__(self, folder: Path, interval: float, report: Callable[[], Report]) -> None:
        super().__init__(name="status", daemon=True)
        self.folder = folder
        self.interval = interval
        self.last_error = ""
        self._report = report
        self._wake = threading.Event()
        self._ended = False

    def now(self) -> None:
        self._wake.set()

    def end(self) -> None:
        """Write a last time and stop."""
        self._ended = True
        self._wake.set()
        self.join(timeout=5)

    def run(self) -> None:
        while True:
            ended = self._ended
            try:
                write(self.folder, self._report())
                self.last_error = ""
            except OSError as error:
                self.last_error = f"{error.filename}: {error.strerror}"
            if ended:
                return
            self._wake.wait(self.interval)
            self._wake.clear()


def write(folder: Path, report: Report) -> None:
    _replace(folder / "status.json", json.dumps(report, indent=2) + "\n")
    _replace(folder / "metrics.prom", prometheus(report))


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, path)  # noqa: PTH105
