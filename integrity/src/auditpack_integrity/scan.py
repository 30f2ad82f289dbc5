# SPDX-License-Identifier: Apache-2.0
"""A scan: the watched trees against the baseline, directory by directory, so that it can stop and go on anywhere.

What it missed is not told as deleted before the end: the scan may still find where it was moved to. Where it stands
(`cursor`) and what it missed (`vanished`) are kept in the baseline, within the transaction that keeps its findings.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from .baseline import Baseline, Row, split, state_of
from .change import Change
from .inspect import Inspector
from .opening import directory, open_path
from .selection import Root, Selection
from .state import DIR, FILE, Stat, State, stat_of
from .walk import Listing, Notes, path_key, walk


@dataclass
class Progress:
    """Counts of one scan. `quiet`: names whose metadata had not changed, so nothing of them was read."""

    directories: int = 0
    entries: int = 0
    quiet: int = 0
    inspected: int = 0
    changes: int = 0
    unreadable: int = 0
    skipped: int = 0
    path: bytes = b""
    notes: Notes = field(default_factory=Notes)


@dataclass
class Step:
    """What one directory gave: changes to apply and names to hold as vanished, with the cursor behind it."""

    cursor: bytes
    changes: list[Change]
    vanished: list[bytes]


class Scan:
    """`full`: read contents also where metadata did not change. `initial`: there is no baseline to compare with."""

    def __init__(
        self, baseline: Baseline, selection: Selection, inspector: Inspector, full: bool = False, initial: bool = False
    ) -> None:
        self.full = full
        self.initial = initial
        self.progress = Progress()
        self._baseline = baseline
        self._selection = selection
        self._inspector = inspector

    def steps(self, cursor: bytes | None = None) -> Iterator[Step]:
        """Each step's changes and cursor are to be kept before the next is asked for. `cursor`: where to go on."""
        roots = sorted(self._selection.roots, key=lambda root: (path_key(root.path), root.depth))
        yield from self._roots_themselves(roots)
        for root in roots:
            if root.depth < 0:
                continue
            for listing in walk(root, self._selection, self.progress.notes, cursor):
                yield self._step(listing)
        yield Step(cursor or b"", [], self._lost_directories(roots))
        yield from self._goodbyes()

    def _roots_themselves(self, roots: list[Root]) -> Iterator[Step]:
        """The configured names, which no listing below holds."""
        changes, vanished = [], []
        for root in roots:
            folder, name = split(root.path)
            old = self._baseline.get(root.path)
            try:
                with directory(folder) as fd:
                    new = self._inspector.look(fd, name)
            except (FileNotFoundError, NotADirectoryError):
                new = None
            except OSError as error:
                self.progress.notes.unreadable.append((root.path, os.strerror(error.errno or 0)))
                continue
            self.progress.entries += 1
            if new is None and old is not None:
                vanished.append(root.path)
            elif new is not None and new != old and self._selection.wanted(root.path):
                changes.append(self._change(root.path, old, new))
        yield Step(b"", changes, vanished)

    def _step(self, listing: Listing) -> Step:
        progress = self.progress
        progress.path = listing.path
        progress.unreadable = len(progress.notes.unreadable)
        progress.skipped = len(progress.notes.skipped)
        if listing.error:  # what lies there is not known; it is not gone
            return Step(listing.path, [], [])
        progress.directories += 1
        rows = self._baseline.rows(listing.path)
        changes: list[Change] = []
        stem = b"/" if listing.path == b"/" else listing.path + b"/"
        full = self.full
        progress.entries += len(listing.entries)
        for name, found in listing.entries:
            row = rows.get(name)
            if row is not None and row[1:12] == found and not full and self._known(row):
                progress.quiet += 1
                continue
            progress.inspected += 1
            new = self._inspector.inspect(listing.fd, name, found)
            if new is None:
                continue  # gone again; told by the next scan, if it was known
            old = None if row is None else state_of(row)
            if new != old:
                changes.append(self._change(stem + name, old, new))
        kept = {name for name, _ in listing.entries}
        vanished = [
            stem + name
            for name in rows.keys() - kept
            if name != b"." and (name not in listing.found or not self._selection.watches(stem + name))
        ]
        progress.changes += sum(1 for change in changes if change.old is None or change.differences())
        return Step(listing.path, changes, vanished)

    def _known(self, row: Row) -> bool:
        """Whether nothing was left open when the name was last looked at: no content unread for want of something."""
        note = row[14]
        if note:
            return bool(note == "too-large" and row[5] > self._inspector.max_size)
        return row[1] != FILE or row[13] is not None

    def _change(self, path: bytes, old: State | None, new: State) -> Change:
        change = Change(path, old, new, initial=self.initial)
        if old is None and not self.initial:
            self._origin(change, new)
        return change

    def _origin(self, change: Change, new: State) -> None:
        """A new name of a known inode was moved here when the other is gone, and is a hard link when it is not."""
        for path, state in self._baseline.by_inode(new.stat.inode, new.stat.device):
            if path == change.path or state.stat.kind != new.stat.kind:
                continue
            there = stat_path(path)
            if there is not None and there.inode == new.stat.inode and there.device == new.stat.device:
                if new.stat.kind != DIR:
                    change.linked_to = path
            elif state.stat.kind == DIR or _like(state, new):
                change.moved_from = path
                change.old = state
                return

    def _lost_directories(self, roots: list[Root]) -> list[bytes]:
        """Kept directories that no watched root reaches any more, because the configuration or a root has gone."""
        kept = [row[0] for row in self._baseline.database.execute("SELECT path FROM directories")]
        parents = {split(root.path)[0] for root in roots}
        return [path for path in kept if path not in parents and not any(_within(path, root) for root in roots)]

    def _goodbyes(self) -> Iterator[Step]:
        """What vanished and was not found elsewhere; what is there but no longer watched is forgotten, not told."""
        for (path,) in self._baseline.database.execute("SELECT path FROM vanished ORDER BY path").fetchall():
            known = list(self._baseline.below(path))
            own = self._baseline.get(path)
            if own is not None:
                known.insert(0, (path, own))
            changes = []
            for each, state in reversed(known):
                if stat_path(each) is None:
                    changes.append(Change(each, state, None))
                elif not self._selection.watches(each):
                    changes.append(Change(each, state, None, source="config"))
            self.progress.changes += sum(1 for change in changes if change.source != "config")
            yield Step(self.progress.path, changes, [])


def _within(path: bytes, root: Root) -> bool:
    return path == root.path or (root.depth >= 0 and path.startswith(root.path.rstrip(b"/") + b"/"))


def _like(old: State, new: State) -> bool:
    """The same file under another name: what a rename leaves alone is the same."""
    return (old.stat.size, old.stat.mtime) == (new.stat.size, new.stat.mtime) or old.hashes == new.hashes


def stat_path(path: bytes) -> Stat | None:
    """A name's stat; None when it is not there, or only by way of a symbolic link."""
    folder, name = split(path)
    try:
        fd = open_path(folder, os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        return stat_of(os.stat(name, dir_fd=fd, follow_symlinks=False))
    except OSError:
        return None
    finally:
        os.close(fd)
