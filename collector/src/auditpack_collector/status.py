# SPDX-License-Identifier: Apache-2.0
"""status.json and metrics.prom: how the collector is. Replaced atomically, written by a thread of its own."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

Report = dict[str, Any]
STALE_INTERVALS = 3


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


def prometheus(report: Report) -> str:
    """Prometheus text format; the names are those of status.json below auditpack_collector_."""
    lines = [
        "# TYPE auditpack_collector_info gauge",
        f'auditpack_collector_info{{implementation="{report["implementation"]}",version="{report["version"]}"}} 1',
        "# TYPE auditpack_collector_updated_seconds gauge",
        f"auditpack_collector_updated_seconds {report['updated']:.3f}",
    ]
    for name, value in report["counters"].items():
        kind = "gauge" if name == "open_events" else "counter"
        full = f"auditpack_collector_{name}" + ("" if kind == "gauge" else "_total")
        lines += [f"# TYPE {full} {kind}", f"{full} {value}"]
    lines.append("# TYPE auditpack_collector_dropped_events_total counter")
    lines += [
        f'auditpack_collector_dropped_events_total{{reason="{reason}"}} {count}'
        for reason, count in report["dropped"].items()
    ]
    for name in ("bytes", "high_bytes"):
        lines += [f"# TYPE auditpack_collector_queue_{name} gauge"]
        lines += [f"auditpack_collector_queue_{name} {report['queue'][name]}"]
    return "\n".join(lines) + "\n"


def show(folder: Path) -> int:
    """Print status.json as a table; 0 when alive and well, 1 when dead, stale or without status."""
    path = folder / "status.json"
    try:
        report: Report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        print(f"auditpack-collector: {path}: {error.strerror} — has the collector run?", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"auditpack-collector: {path}: {error}", file=sys.stderr)
        return 1
    age = time.time() - report["updated"]
    alive = Path(f"/proc/{report['pid']}").exists()
    stale = age > STALE_INTERVALS * report["interval"]
    state = report["state"]
    if state == "running":
        state = "dead" if not alive else "stale" if stale else state
    queue, output = report["queue"], report["output"]
    rows: list[tuple[str, object]] = [
        ("state", f"{state} (pid {report['pid']}, user {report['user']}, updated {age:.0f} s ago)"),
        ("implementation", f"{report['implementation']} {report['implementation_reason']}".strip()),
        ("version", report["version"]),
        ("format", report["format"]),
        ("since", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(report["since"]))),
        *((name.replace("_", " "), value) for name, value in report["counters"].items()),
        *((f"dropped, {reason.replace('_', ' ')}", count) for reason, count in report["dropped"].items()),
        ("queue", f"{queue['bytes']} of {queue['max_bytes']} bytes, most {queue['high_bytes']}"),
        ("output", f"{output['path']}: {output['events']} events, {output['rotations']} rotations"),
        ("errors", f"{output['errors']} {output['last_error']}".strip()),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    return 0 if state == "running" else 1
