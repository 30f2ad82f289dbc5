# SPDX-License-Identifier: Apache-2.0
"""Audit events → changes: which names were touched, what became of them, who did it.

A name is looked at when it has been quiet for `settle` seconds. Renames are carried out on the baseline as they come,
so that later events find the new path. What is open for writing is watched until the last writer closes (writers.py).
Every touch ends in exactly one counter: told, unchanged, unwatched, unresolved, or waits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Final

from .audit import Happening, Name
from .baseline import split
from .change import Change, Touch
from .inspect import Inspector
from .ledger import Ledger
from .opening import open_path
from .pending import Pending, Waiting
from .resolve import Resolver
from .selection import Root, Selection
from .state import DIR, FILE, Stat, State, stat_of
from .walk import Notes, walk
from .writers import Writers

_BATCH: Final = 500
_GRACE: Final = 3.0
"""Seconds for which a change that a scan found waits for the event that says who made it."""


class Tracker:
    """One for a ledger. `clock`: monotonic seconds."""

    def __init__(
        self,
        ledger: Ledger,
        selection: Selection,
        inspector: Inspector,
        settle: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.selection = selection
        self.waiting = Waiting(settle)
        self.writers = Writers(clock)
        self.hold: Callable[[Pending, float], bool] = lambda _pending, _now: False
        self.counters = {"touches": 0, "told": 0, "unchanged": 0, "unwatched": 0, "unresolved": 0}
        self._ledger = ledger
        self._baseline = ledger.baseline
        self._inspector = inspector
        self._resolver = Resolver(ledger.baseline)
        self._clock = clock

    def take(self, event: Happening, position: Any = None) -> None:
        """Note what an event touched."""
        made = [name for name in event.names if name.kind == "CREATE"]
        gone = [name for name in event.names if name.kind == "DELETE"]
        renamed: list[tuple[Name, Name]] = []
        for name in made:
            old = next((each for each in gone if each.inode == name.inode and each.device == name.device), None)
            if old is not None:
                gone.remove(old)
                renamed.append((old, name))
        first = event.parents[0] if event.parents else None
        last = event.parents[-1] if event.parents else None
        replaced = {new.name for _, new in renamed}
        exchanged = len(renamed) > 1
        for at, (old, new) in enumerate(renamed):
            ends = (last, first) if at else (first, last)
            before, after = self._child(old, ends[0], event), self._child(new, ends[1], event)
            if exchanged:
                for path in (before, after):
                    self._touch(path, event.touch, position)
            else:
                self._rename(before, after, new, event.touch, position)
        done = {id(new) for _, new in renamed}
        linked = [name for name in event.names if name.kind in ("NORMAL", "UNKNOWN")]
        for name in made:
            if id(name) not in done:
                self._made(name, last, linked, event, position)
        for name in gone:
            if name.name not in replaced:
                path = self._child(name, first, event)
                self._touch(path, event.touch, position)
                if name.is_dir:
                    self._resolver.changed()
        if not renamed:
            for name in linked:
                self._existing(name, first, event, position)

    def _child(self, name: Name, parent: Name | None, event: Happening) -> bytes | None:
        return self._resolver.child(name, parent, event.cwd)

    def _touch(self, path: bytes | None, touch: Touch, position: Any) -> Pending | None:
        self.counters["touches"] += 1
        if path is None:
            self.counters["unresolved"] += 1
            return None
        if not self.selection.watches(path) and self._baseline.get(path) is None and path not in self.waiting:
            self.counters["unwatched"] += 1
            return None
        return self.waiting.touch(path, touch, self._clock(), position)

    def _made(self, name: Name, parent: Name | None, others: list[Name], event: Happening, position: Any) -> None:
        path = self._child(name, parent, event)
        pending = self._touch(path, event.touch, position)
        if path is None or pending is None:
            return
        pending.made = True
        self._resolver.made(name, path)
        if name.is_dir:
            self._resolver.changed()
        for other in others:
            if (other.inode, other.device) == (name.inode, name.device):
                known = [each for each in self._resolver.existing(other, parent, event.cwd) if each != path]
                pending.linked_to = known[0] if known else None

    def _existing(self, name: Name, parent: Name | None, event: Happening, position: Any) -> None:
        paths = self._resolver.existing(name, parent, event.cwd)
        if not paths:
            self._touch(None, event.touch, position)
        for path in paths:
            self._touch(path, event.touch, position)

    def _rename(self, old: bytes | None, new: bytes | None, name: Name, touch: Touch, position: Any) -> None:
        """A file or directory has another name; either may lie outside of what is watched."""
        there = new is not None and self.selection.watches(new)
        row = None if old is None else self._baseline.get(old)
        waited = None if old is None else self.waiting.take(old)
        if name.is_dir and old is not None:
            if new is not None:
                self.waiting.moved(old, new)
                self._resolver.moved(old, new)
            self._resolver.changed()
        if not there or new is None:
            self._moved_away(old, new, row, waited, touch, position)
            return
        self._resolver.made(name, new)
        target = self._baseline.get(new)
        if row is not None and target is None and self._carry(old, new, row, name, touch):
            self.counters["touches"] += 1
            self.counters["told"] += 1
            pending = self.waiting.touch(new, None, self._clock(), position)
            pending.touches = [*(waited.touches if waited else []), touch]
            pending.uncounted += waited.uncounted if waited else 0
            return
        if row is not None and old is not None and waited is not None:
            self.waiting.put(old, waited)
        if row is not None and old is not None:
            away = self._touch(old, touch, position)
            if away is not None:
                away.moved_to = new
        pending = self.waiting.touch(new, touch, self._clock(), position)
        self.counters["touches"] += 1
        pending.renamed_from = old
        pending.made = pending.made or target is None
        if waited is not None and row is None:
            pending.touches = [*waited.touches, *pending.touches]
            pending.uncounted += waited.uncounted
            pending.position = waited.position if waited.position is not None else pending.position
            pending.renamed_from = waited.renamed_from or old
        if name.is_dir and row is None:
            self._arrived(new, touch, position)

    def _moved_away(  # noqa: PLR0917
        self,
        old: bytes | None,
        new: bytes | None,
        row: State | None,
        waited: Pending | None,
        touch: Touch,
        position: Any,
    ) -> None:
        below = (
            []
            if row is None or old is None or row.stat.kind != DIR
            else [path for path, _ in self._baseline.below(old)]
        )
        if waited is not None and old is not None:
            self.waiting.put(old, waited)
        for path in (*below, old):
            pending = self._touch(path, touch, position)
            if pending is not None and new is not None and path is not None and old is not None:
                pending.moved_to = new + path[len(old) :]

    def _carry(self, old: bytes | None, new: bytes, row: State, name: Name, touch: Touch) -> bool:
        """Move a kept name, and what is kept below, in the baseline now, and tell it."""
        if old is None or row.stat.inode % (1 << 64) != name.inode:
            return False  # what was there has been replaced before it was renamed; both are looked at
        self._ledger.apply([Change(new, row, row, "audit", [touch], moved_from=old)])
        return True

    def _arrived(self, path: bytes, touch: Touch, position: Any) -> None:
        """A tree came in from where nothing is watched: each name in it is new."""
        for listing in walk(Root(path, 1024), self.selection, Notes()):
            stem = listing.path + b"/"
            for name, _ in listing.entries:
                self._touch(stem + name, touch, position)

    def suspect(self, change: Change, why_unknown: str) -> None:
        """A scan found a name changed and the event that says who may still come."""
        now = self._clock()
        pending = self.waiting.touch(change.path, None, now, None)
        if not pending.touches:
            pending.suspected = True
            pending.hold = max(pending.hold, now + _GRACE)
            pending.why_unknown = why_unknown

    def work(self) -> int:
        """Look at what is due; returns how many names."""
        now = self._clock()
        for path, touches in self.writers.closed():
            pending = self.waiting.touch(path, None, now, None)
            pending.touches = pending.touches or list(touches)
        paths = self.waiting.due(now, _BATCH)
        if not paths:
            return 0
        paths.sort()
        with self._baseline.transaction():
            folder, fd = b"", -1
            try:
                for path in paths:
                    where, name = split(path)
                    if where != folder or fd < 0:
                        if fd >= 0:
                            os.close(fd)
                        folder, fd = where, _directory(where)
                    self._look(path, name, fd)
            finally:
                if fd >= 0:
                    os.close(fd)
        return len(paths)

    def _look(self, path: bytes, name: bytes, fd: int) -> None:
        pending = self.waiting.take(path)
        if pending is None:
            return
        if self.hold(pending, self._clock()):
            pending.hold = self._clock() + 1
            self.waiting.put(path, pending)
            return
        old = self._baseline.get(path)
        found = None if fd < 0 else _stat(fd, name)
        wrote = any(touch.writes for touch in pending.touches)
        new: State | None
        if found is not None and found.kind == FILE and wrote:
            self.writers.watch(path, fd, name, pending.touches)
        if old is not None and found == old.stat and not wrote and not old.note:
            new = old
        else:
            new = None if found is None else self._inspector.inspect(fd, name, found)
        if new is not None:
            self._resolver.forget(new.stat.inode, new.stat.device)
        if new is not None and not self.selection.watches(path):
            new = None if old is None else old
        change = Change(
            path, old, new, "audit" if pending.touches else "scan", pending.touches, pending.why_unknown,
            moved_to=pending.moved_to, linked_to=pending.linked_to, renamed_from=pending.renamed_from,
        )  # fmt: skip
        if old is None and new is None:
            if not pending.made:
                self.counters["unchanged"] += pending.uncounted
                return
            change.short_lived = True
        told = self._ledger.apply([change])
        self.counters["told" if told else "unchanged"] += pending.uncounted


def _directory(path: bytes) -> int:
    """-1 where there is none, or only by way of a symbolic link."""
    try:
        return open_path(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return -1


def _stat(fd: int, name: bytes) -> Stat | None:
    try:
        return stat_of(os.stat(name, dir_fd=fd, follow_symlinks=False))
    except OSError:
        return None
