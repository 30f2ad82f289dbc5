# SPDX-License-Identifier: Apache-2.0
"""What was told, in order, each row chained to the one before; and what of it nobody has accepted yet.

A row's hash covers the row and the hash before it, so an edited, removed or inserted row breaks the chain. Whoever may
write the database may compute the whole chain anew: events carry `file_integrity.chain`, so a copy of them elsewhere
(or a signed export) tells. Rows are written with the change they tell of, in one transaction, and printed from here:
`printed` is the last one that reached the event file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from .baseline import Baseline, dump_state, load_state
from .state import State, differences


class Entry(NamedTuple):
    """A row. `kind`: change, note (an event of the service itself), accept, scan."""

    seq: int
    time: float
    kind: str
    path: bytes
    body: dict[str, Any]


class Journal:
    """Adds to and reads the journal of a baseline."""

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline
        self._database = baseline.database

    def head(self) -> tuple[int, bytes]:
        """Number and hash of the last row; (0, 32 zero bytes) when there is none."""
        row = self._database.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        return (0, bytes(32)) if row is None else (row[0], row[1])

    def add(self, kind: str, path: bytes, body: dict[str, Any], now: float) -> int:
        """Append within the caller's transaction. An event's body gets its place in the chain."""
        last, previous = self.head()
        seq = last + 1
        if "file_integrity" in body:
            body["file_integrity"]["chain"] = {"sequence": seq, "previous": previous.hex()}
            body["event"]["sequence"] = seq
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        digest = _hash(previous, (seq, now, kind, path, text))
        self._database.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", (seq, now, kind, path, text, digest))
        return seq

    def unprinted(self, limit: int = 1000) -> list[tuple[int, str]]:
        """Events that have not reached the event file: (number, JSON text)."""
        printed = int(self._baseline.meta("printed") or 0)
        rows = self._database.execute(
            "SELECT seq, body FROM journal WHERE seq > ? AND kind IN ('change', 'note') ORDER BY seq LIMIT ?",
            (printed, limit),
        )
        return list(rows)

    def printed(self, seq: int) -> None:
        with self._baseline.transaction():
            self._baseline.set_meta("printed", seq)

    def entries(self, path: bytes | None = None, after: float = 0.0) -> Iterator[Entry]:
        """Rows in order, of one path or all."""
        query = "SELECT seq, time, kind, path, body FROM journal WHERE time >= ?"
        arguments: tuple[Any, ...] = (after,)
        if path is not None:
            query, arguments = query + " AND path = ?", (after, path)
        for seq, time, kind, where, body in self._database.execute(query + " ORDER BY seq", arguments):
            yield Entry(seq, time, kind, where, json.loads(body))

    def verify(self) -> str:
        """What is wrong with the chain; empty when whole."""
        previous = bytes(32)
        expected = 1
        for seq, time, kind, path, body, digest in self._database.execute("SELECT * FROM journal ORDER BY seq"):
            if seq != expected:
                return f"the journal lacks row {expected}"
            if digest != _hash(previous, (seq, time, kind, path, body)):
                return f"row {seq} of the journal was edited"
            previous, expected = digest, seq + 1
        kept = self._baseline.meta("head")
        if kept is not None and kept != f"{expected - 1}:{previous.hex()}":
            return f"the journal ends at row {expected - 1}, the last one written was {kept.partition(':')[0]}"
        return ""

    def seal(self) -> None:
        """Keep the head beside the journal, within the caller's transaction, so that a cut end is seen."""
        seq, digest = self.head()
        self._baseline.set_meta("head", f"{seq}:{digest.hex()}")

    def differs(self, path: bytes, seq: int, old: State | None, new: State | None) -> None:
        """Remember that a path is not as accepted, or is so again."""
        row = self._database.execute("SELECT was FROM unaccepted WHERE path = ?", (path,)).fetchone()
        was = row[0] if row is not None else dump_state(old)
        if same(was, new):
            self._database.execute("DELETE FROM unaccepted WHERE path = ?", (path,))
        elif row is not None:
            self._database.execute("UPDATE unaccepted SET last = ? WHERE path = ?", (seq, path))
        else:
            self._database.execute("INSERT INTO unaccepted VALUES (?, ?, ?, ?)", (path, seq, seq, was))

    def unaccepted(self) -> Iterator[tuple[bytes, int, int, str | None]]:
        """(path, first and last journal row, state when last accepted), by path."""
        yield from self._database.execute("SELECT path, first, last, was FROM unaccepted ORDER BY path")

    def accept(self, paths: list[bytes], reason: str, who: str, now: float, trees: bool) -> list[bytes]:
        """Take the state of paths (all when empty; with `trees` also what lies below) as right, with a reason."""
        with self._baseline.transaction():
            chosen = [row[0] for row in self.unaccepted() if not paths or _named(row[0], paths, trees)]
            if chosen:
                body = {"reason": reason, "by": who, "paths": [path.hex() for path in chosen]}
                self.add("accept", b"" if len(chosen) != 1 else chosen[0], body, now)
                self.seal()
            self._database.executemany("DELETE FROM unaccepted WHERE path = ?", [(path,) for path in chosen])
        return chosen


def same(was: str | None, new: State | None) -> bool:
    """Whether a state is the kept one again: nothing differs but inode and time of writing."""
    old = load_state(was)
    if old is None or new is None:
        return old is None and new is None
    return not set(differences(old, new)) - {"inode", "mtime"}


def _named(path: bytes, paths: list[bytes], trees: bool) -> bool:
    return any(path == each or (trees and path.startswith(each.rstrip(b"/") + b"/")) for each in paths)


def _hash(previous: bytes, row: tuple[int, float, str, bytes, str]) -> bytes:
    seq, time, kind, path, body = row
    text = json.dumps([seq, repr(time), kind, path.hex(), body])
    return hashlib.sha256(previous + text.encode()).digest()
