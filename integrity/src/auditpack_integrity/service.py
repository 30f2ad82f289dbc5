# SPDX-License-Identifier: Apache-2.0
"""The service: events as they come, scans in between, one thread. `run` is what systemd starts."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from . import __version__, feed
from .answering import Answering
from .audit import happening, lost
from .baseline import Baseline
from .change import Change
from .config import Config
from .errors import IntegrityError
from .holding import held
from .ledger import Ledger
from .output import EventFile
from .packages import Packages
from .rescan import Rescanner, Running
from .selection import Selection
from .tracker import Tracker

_IDLE: Final = 1.0
_STATUS: Final = 5.0
_RECENT: Final = 10.0


class Service:
    """All parts of a running service. `step()` does what there is to do and returns whether there was anything."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.baseline = Baseline(config.database)
        self.changed_hashes = self.baseline.rehash(config.hashes)
        self.ledger = Ledger(config, self.baseline)
        self.rescanner = Rescanner(config, self.ledger)
        self.packages = Packages(config, self.baseline)
        self.ledger.annotate = self.packages.annotate
        self.selection = Selection(config)
        self.tracker = Tracker(self.ledger, self.selection, self.rescanner.inspector, config.feed.settle)
        self.tracker.hold = self.packages.hold
        position = self.baseline.meta("feed.position")
        same = self.baseline.meta("feed.file") == config.feed.file and not config.feed.socket
        self.feed = feed.make(config.feed.file, config.feed.socket, position if same else None)
        self.events = EventFile(config.output)
        self.control = Answering(config)
        self.counters = {"lines": 0, "malformed": 0, "lost_reports": 0}
        self.started = time.time()
        self.wanted: str | None = None
        self._scan: Iterator[tuple[Running, list[Change]]] | None = None
        self.running: Running | None = None
        self._last_status = 0.0
        self._position = self.feed.position()
        self._saved: str | None = None
        self._save_position()
        for notice in self.baseline.notices:
            self.ledger.note("baseline_rebuilt", notice)
        self._boot()

    def _boot(self) -> None:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        rebooted = self.baseline.meta("boot") not in (None, boot)
        with self.baseline.transaction():
            self.baseline.set_meta("boot", boot)
            self.baseline.set_meta("feed.file", self.config.feed.file)
        self._note_configuration()
        self.packages.prepare()
        first = self.baseline.meta("scan.last") is None
        if first or rebooted or self.config.scan.at_start or self.rescanner.interrupted or self.changed_hashes:
            self.wanted = "scan"

    def _note_configuration(self) -> None:
        text = repr(self.config)
        before = self.baseline.meta("configuration")
        if before is not None and before != text:
            self.ledger.note("config_change", "the configuration of file integrity has changed")
        with self.baseline.transaction():
            self.baseline.set_meta("configuration", text)

    def step(self) -> bool:
        busy = self._events()
        busy = self.tracker.work() > 0 or busy
        if not busy:
            busy = self._scanning()
        if self.ledger.unprinted or self.events.last_error:
            self.events.flush(self.ledger.journal)
            self.ledger.unprinted = bool(self.events.last_error)
        for request in self.control.requests():
            self.wanted = request
        now = time.monotonic()
        if now - self._last_status >= _STATUS:
            self._last_status = now
            self.write_status("running")
            self._save_position()
        return busy

    def _events(self) -> bool:
        lines = self.feed.take()
        for line, position in lines:
            self.counters["lines"] += 1
            self._position = position
            try:
                event = happening(line)
                if event is not None:
                    event.touch.manager = self.packages.manager_of(event.touch)
                    self.tracker.take(event, position)
                elif lost(line):
                    self.counters["lost_reports"] += 1
                    self.wanted = self.wanted or "scan"
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self.counters["malformed"] += 1
                if self.counters["malformed"] <= 10:
                    print(
                        f"auditpack-integrity: no event of the collector ({error!r}): {line[:200]!r}", file=sys.stderr
                    )
        gap = self.feed.gap()
        if gap:
            self.ledger.note("feed_gap", f"{gap}; a scan finds what changed, though not who changed it")
            self.wanted = self.wanted or "scan"
        return bool(lines)

    def _scanning(self) -> bool:
        if self._scan is None:
            if self.wanted is None:
                return False
            self.selection = Selection(self.config)
            self.tracker.selection = self.selection
            self.control.begin()
            full = self.wanted == "scan full" or self.rescanner.full_due(time.time())
            self.wanted = None
            first = self.baseline.meta("scan.last") is None
            self.rescanner.why_unknown = self._why_unknown()
            self._scan = self.rescanner.slices(self.selection, full, None if first else self._claim)
        step = next(self._scan, None)
        if step is None:
            self.control.answer(f"done: {self.running.progress.changes if self.running else 0} changes", last=True)
            self._scan = self.running = None
            self.write_status("running")
            return True
        self.running = step[0]
        report = self.running.report()
        self.control.answer(
            f"{report['kind']} scan: {report['entries']} names, {report['changes']} changes, {report['path']}"
        )
        return True

    def _why_unknown(self) -> str:
        """Of what a scan finds: the service was not there, there is no audit, or no event told."""
        if not self.config.feed.file and not self.config.feed.socket:
            return "no-audit"
        ended = float(self.baseline.meta("watched.since") or 0)
        return "offline" if ended < self.started else "no-event"

    def _claim(self, change: Change) -> bool:
        """Whether a scan's finding waits for the event that may still say who made it."""
        if not self.feed.live():
            return False
        touches = self.tracker.writers.touches(change.path)
        if touches:
            change.touches, change.source = touches, "audit"
            return False
        recent = change.new is None or time.time() - change.new.stat.ctime / 1e9 < _RECENT
        if change.path in self.tracker.waiting or recent:
            self.tracker.suspect(change, self.rescanner.why_unknown)
            return True
        return False

    def _save_position(self) -> None:
        """Where the feed is done with: before the first event whose names still wait."""
        waiting = list(self.tracker.waiting.positions())
        position = waiting[0] if waiting else self._position
        if position is not None and position != self._saved:
            with self.baseline.transaction():
                self.baseline.set_meta("feed.position", position)
            self._saved = position

    def write_status(self, state: str) -> None:
        last = self.rescanner.last
        problems = [self.events.last_error] if self.events.last_error else []
        if not self.feed.live() and (self.config.feed.file or self.config.feed.socket):
            problems.append("no audit events: the collector's feed is not there, changes are found by scans alone")
        problems += [f"{path} is not there" for path in self.selection.missing[:20] if "*" not in path]
        report = {
            "state": state,
            "pid": os.getpid(),
            "version": __version__,
            "since": self.started,
            "updated": time.time(),
            "feed": {
                "live": self.feed.live(),
                "from": self.config.feed.socket or self.config.feed.file,
                **self.counters,
            },
            "touches": {**self.tracker.counters, "waiting": len(self.tracker.waiting)},
            "open_for_writing": len(self.tracker.writers),
            "told": self.ledger.counters,
            "output": {"events": self.events.events, "errors": self.events.errors},
            "scan": self.running.report() if self.running else {},
            "last_scan": last,
            "problems": problems,
        }
        path = Path(self.config.state) / "status.json"
        fresh = path.with_name("status.json.new")
        try:
            fresh.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            fresh.replace(path)
        except OSError as error:  # a full disk: the next one will tell
            print(f"auditpack-integrity: {path}: {error.strerror}", file=sys.stderr)

    def wait(self) -> None:
        """Until something comes, or a name that waits is due."""
        due = self.tracker.waiting.next_due()
        seconds = _IDLE if due is None else min(_IDLE, max(0.0, due - time.monotonic()))
        sources = [source for source in (self.control, self.feed, self.tracker.writers) if source.fileno() >= 0]
        select.select(sources, [], [], seconds)

    def end(self, well: bool = True) -> None:
        """Stop: what was read of the feed and not done with is read again at the next start.

        Not `well`, as when the disk is full: the place in the feed stays the one saved before.
        """
        if self._scan is not None:
            self._scan.close()  # type: ignore[attr-defined]
        if well:
            self._save_position()
            self.events.flush(self.ledger.journal)
        self.write_status("stopped" if well else "failed")
        self.control.close()
        self.feed.close()
        self.tracker.writers.close()
        self.baseline.close()


def run(config: Config) -> int:
    """Until SIGTERM or SIGINT. IntegrityError when another process holds the baseline."""
    ended = False

    def end(_number: int, _frame: Any) -> None:
        nonlocal ended
        ended = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with held(config) as mine:
        if not mine:
            raise IntegrityError("another process holds the baseline — stop it, or wait for its scan to end")
        service = Service(config)
        well = False
        try:
            while not ended:
                if not service.step():
                    service.wait()
            well = True
        finally:
            service.end(well)
    return 0
