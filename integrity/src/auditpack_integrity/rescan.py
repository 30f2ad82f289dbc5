# SPDX-License-Identifier: Apache-2.0
"""Scans as the service and the command run them: in slices, kept when stopped, with progress and a told end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .change import Change
from .config import Config
from .inspect import Inspector
from .ledger import Ledger
from .quote import ecs_text as text
from .scan import Progress, Scan
from .selection import Selection

_SLICE_ENTRIES = 4000
_SLICE_SECONDS = 0.2


@dataclass
class Running:
    """A scan on its way. `expected`: entries the baseline held when it began, for a percentage."""

    started: float
    full: bool
    initial: bool
    resumed: bool
    expected: int
    progress: Progress

    def report(self) -> dict[str, object]:
        progress = self.progress
        return {
            "kind": "initial" if self.initial else "full" if self.full else "quick",
            "started": self.started,
            "resumed": self.resumed,
            "expected": self.expected,
            "directories": progress.directories,
            "entries": progress.entries,
            "inspected": progress.inspected,
            "changes": progress.changes,
            "unreadable": len(progress.notes.unreadable),
            "skipped": len(progress.notes.skipped),
            "path": text(progress.path),
        }


class Rescanner:
    """Runs scans over a ledger. `why_unknown` says why their findings have no user (see Change)."""

    def __init__(self, config: Config, ledger: Ledger) -> None:
        self._config = config
        self._ledger = ledger
        self._baseline = ledger.baseline
        self.inspector = Inspector(config.hashes, config.max_file_size, config.scan.rate)
        self.why_unknown = "no-audit"

    @property
    def interrupted(self) -> bool:
        """Whether a scan was begun and has not ended."""
        return self._baseline.meta("scan.running") is not None

    @property
    def last(self) -> dict[str, object]:
        """Report of the last scan that ended, empty when none has."""
        return dict(json.loads(self._baseline.meta("scan.last") or "{}"))

    def full_due(self, now: float) -> bool:
        """Whether contents have not been read for `full_every` days."""
        days = self._config.scan.full_every
        return bool(days) and now - float(self._baseline.meta("scan.full") or 0) > days * 86400

    def slices(
        self, selection: Selection, full: bool = False, claim: Callable[[Change], bool] | None = None
    ) -> Iterator[tuple[Running, list[Change]]]:
        """Begin or go on with a scan; each slice is kept before it is given out, with the changes it found.

        What `claim` takes for itself is left alone.
        """
        begun = json.loads(self._baseline.meta("scan.running") or "null")
        cursor = self._baseline.meta("scan.cursor") if begun else None
        initial = self._baseline.meta("scan.last") is None
        kind = begun or {"started": self._ledger.clock(), "full": full or initial}
        scan = Scan(self._baseline, selection, self.inspector, kind["full"], initial)
        running = Running(
            kind["started"], kind["full"], initial, begun is not None, self._baseline.count(), scan.progress
        )
        if not begun:
            with self._baseline.transaction():
                self._baseline.set_meta("scan.running", json.dumps(kind))
                self._baseline.database.execute("DELETE FROM vanished")
                self._baseline.set_meta("scan.cursor", b"")
        steps = scan.steps(cursor or None)
        ended = False
        while not ended:
            found: list[Change] = []
            with self._baseline.transaction():
                begin, entries = time.monotonic(), scan.progress.entries
                while time.monotonic() - begin < _SLICE_SECONDS and scan.progress.entries - entries < _SLICE_ENTRIES:
                    step = next(steps, None)
                    if step is None:
                        ended = True
                        break
                    for change in step.changes:
                        change.why_unknown = self.why_unknown
                    if claim is not None:
                        step.changes = [change for change in step.changes if not self._claimed(change, claim)]
                    self._ledger.step(step)
                    found += step.changes
                if ended:
                    self._end(running, selection)
            yield running, found

    def _claimed(self, change: Change, claim: Callable[[Change], bool]) -> bool:
        return change.source == "scan" and bool(change.actions()) and claim(change)

    def _end(self, running: Running, selection: Selection) -> None:
        baseline, now = self._baseline, self._ledger.clock()
        baseline.database.execute("DELETE FROM vanished")
        baseline.forget_directories(b"/")
        report = {**running.report(), "ended": now, "seconds": round(now - running.started, 3)}
        del report["path"], report["expected"]
        if running.initial:
            report["changes"] = 0
        baseline.set_meta("scan.last", json.dumps(report))
        if running.full or running.initial:
            baseline.set_meta("scan.full", now)
        for key in ("scan.running", "scan.cursor"):
            baseline.database.execute("DELETE FROM meta WHERE key = ?", (key,))
        notes = running.progress.notes
        self._ledger.note(
            "initial_scan" if running.initial else "scan",
            f"{report['kind']} scan: {report['entries']} names, {report['changes']} changes",
            scan=report,
            baseline={"entries": baseline.count(), "sum": baseline.sum()},
            skipped=[{"path": text(path), "reason": why} for path, why in notes.skipped[:100]],
            unreadable=[{"path": text(path), "reason": why} for path, why in notes.unreadable[:100]],
            missing=selection.missing[:100],
        )
