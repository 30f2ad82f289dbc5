# SPDX-License-Identifier: Apache-2.0
"""Changes into the baseline: the new state, the journal row and the mark as not accepted, in one transaction."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from .baseline import Baseline
from .change import Change
from .config import Config
from .content import Contents
from .event import Writer
from .filedoc import Names
from .journal import Journal
from .mime import HEAD, mime_type
from .opening import open_path
from .scan import Step
from .state import DIR, FILE, State


class Ledger:
    """The one writer of a baseline. `counters`: events told by action, and changes that gave none."""

    def __init__(self, config: Config, baseline: Baseline, clock: Callable[[], float] = time.time) -> None:
        self.baseline = baseline
        self.journal = Journal(baseline)
        self.names = Names()
        self.writer = Writer(config, self.names)
        self.clock = clock
        self.counters: dict[str, int] = {}
        self.unprinted = True
        self.annotate: Callable[[Change], None] | None = None
        self._contents = Contents(config, baseline)
        self._config = config

    def apply(self, changes: Iterable[Change]) -> int:
        """Keep and tell changes; returns how many were told."""
        with self.baseline.transaction():
            told = sum(self._one(change) for each in changes for change in self._spread(each))
            if told:
                self.unprinted = True
                self.journal.seal()
        return told

    def step(self, step: Step) -> int:
        """The same for a step of a scan, with its cursor."""
        with self.baseline.transaction():
            told = self.apply(step.changes)
            database = self.baseline.database
            database.executemany("INSERT OR IGNORE INTO vanished VALUES (?)", [(path,) for path in step.vanished])
            self.baseline.set_meta("scan.cursor", step.cursor)
        return told

    def note(self, action: str, message: str, **more: Any) -> None:
        """Tell an event of the service itself."""
        with self.baseline.transaction():
            now = self.clock()
            self.journal.add("note", b"", self.writer.note(action, message, now, **more), now)
            self.unprinted = True
            self.journal.seal()

    def _spread(self, change: Change) -> Iterable[Change]:
        """A directory that was moved takes with it all that is kept below: each name's own change."""
        yield change
        if change.moved_from is None or change.new is None or change.new.stat.kind != DIR:
            return
        below = list(self.baseline.below(change.moved_from))
        for path, state in below:
            to = change.path + path[len(change.moved_from) :]
            yield Change(
                to, state, state, change.source, change.touches, change.why_unknown, path,
                package=None, initial=False,
            )  # fmt: skip
        self.baseline.forget_directories(change.moved_from)

    def _one(self, change: Change) -> int:
        if change.source == "config":
            if change.old is not None:
                self.baseline.remove(change.path, change.old)
                self.baseline.database.execute("DELETE FROM unaccepted WHERE path = ?", (change.path,))
            return 0
        actions = change.actions()
        self._keep(change)
        if not actions:
            return 0
        change.lines = self._contents.lines(change.path, change.new)
        for action in actions:
            self.counters[action] = self.counters.get(action, 0) + 1
        if change.initial and not self._config.scan.initial_events:
            return 0
        if self.annotate is not None and not change.initial:
            self.annotate(change)
        now = self.clock()
        event = self.writer.event(change, now, self._mime(change.path, change.new))
        seq = self.journal.add("change", change.path, event, now)
        if not change.initial:
            if change.moved_from is not None:
                self.journal.differs(change.moved_from, seq, change.old, None)
                self.journal.differs(change.path, seq, None, change.new)
            else:
                self.journal.differs(change.path, seq, change.old, change.new)
        return 1

    def _keep(self, change: Change) -> None:
        there = self.baseline.get(change.path) if not change.initial else change.old
        if change.moved_from is not None and change.old is not None:
            self.baseline.remove(change.moved_from, change.old)
        if change.new is not None:
            self.baseline.put(change.path, change.new, there)
        elif there is not None:
            self.baseline.remove(change.path, there)

    def _mime(self, path: bytes, state: State | None) -> str:
        if state is None or state.stat.kind != FILE or not state.stat.size or not state.hashes:
            return ""
        try:
            fd = open_path(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:  # changed again; the next event will tell
            return ""
        try:
            return mime_type(os.pread(fd, HEAD, 0)) if os.fstat(fd).st_ino == state.stat.inode else ""
        except OSError:
            return ""
        finally:
            os.close(fd)
