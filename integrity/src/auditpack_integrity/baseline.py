# SPDX-License-Identifier: Apache-2.0
"""The baseline: the last seen state of every watched name, in SQLite (WAL). The journal beside it: journal.py."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from . import schema
from .errors import IntegrityError
from .state import DIR, Stat, State

_COLUMNS: Final = "kind, mode, uid, gid, size, mtime, ctime, inode, device, links, rdev, target, hashes, note, xattrs"
_STATS: Final = len(Stat._fields)
_MODULUS: Final = 1 << 256

Row = tuple[Any, ...]
"""name, then the columns of an entry; row[1:12] equals a Stat."""


class Baseline:
    """One process writes. `notices`: what was found wrong at opening and mended, for a human."""

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        self.notices: list[str] = []
        self._ids: dict[bytes, int] = {}
        self._sum = 0
        self.database = self._open_read_only() if read_only else self._open()
        self._sum = int(self.meta("sum") or "0", 16)

    def _open(self) -> sqlite3.Connection:
        try:
            database = self._connect()
            problem = self._problem(database)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
                raise IntegrityError(f"{self.path}: {error}") from error
            problem = str(error)
            with contextlib.suppress(UnboundLocalError):
                database.close()
        if problem:
            aside = self.path.with_name(f"{self.path.name}.corrupt-{time.strftime('%Y%m%dT%H%M%S')}")
            for suffix in ("", "-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(f"{self.path}{suffix}", f"{aside}{suffix}")
            self.notices.append(f"{self.path} was corrupt ({problem}); it is kept as {aside} and built anew")
            database = self._connect()
        try:
            schema.migrate(database)
        except ValueError as error:
            raise IntegrityError(f"{self.path}: {error}") from error
        return database

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, isolation_level=None, timeout=30, check_same_thread=False)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA cache_size = -16000")
        return database

    def _open_read_only(self) -> sqlite3.Connection:
        if not self.path.exists():
            raise IntegrityError(f"{self.path}: no baseline — has `auditpack-integrity scan` or the service run?")
        database = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None, timeout=30)
        try:
            found = int(database.execute("PRAGMA user_version").fetchone()[0])
        except sqlite3.DatabaseError as error:
            raise IntegrityError(f"{self.path}: {error} — the service mends it when it starts") from error
        if found != schema.VERSION:
            raise IntegrityError(f"{self.path}: schema version {found}, not {schema.VERSION} — start the service")
        return database

    def _problem(self, database: sqlite3.Connection) -> str:
        lines = [row[0] for row in database.execute("PRAGMA integrity_check(3)")]
        return "" if lines == ["ok"] else "; ".join(lines)

    def close(self) -> None:
        self.database.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Nested use joins the outer one."""
        if self.database.in_transaction:
            yield
            return
        self.database.execute("BEGIN IMMEDIATE")
        before = self._sum = int(self.meta("sum") or "0", 16)
        try:
            yield
            self.set_meta("sum", f"{self._sum:x}")
            self.database.execute("COMMIT")
        except BaseException:
            self._sum = before
            self._ids.clear()
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")
            raise

    def meta(self, key: str) -> Any:
        row = self.database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def set_meta(self, key: str, value: Any) -> None:
        self.database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def directory(self, path: bytes, create: bool = False) -> int | None:
        """Number of a directory that holds entries."""
        known = self._ids.get(path)
        if known is not None:
            return known
        row = self.database.execute("SELECT id FROM directories WHERE path = ?", (path,)).fetchone()
        if row is None:
            if not create:
                return None
            row = (self.database.execute("INSERT INTO directories (path) VALUES (?)", (path,)).lastrowid,)
        if len(self._ids) >= 4096:
            self._ids.clear()
        self._ids[path] = row[0]
        return int(row[0])

    def rows(self, path: bytes) -> dict[bytes, Row]:
        """All entries of a directory by name."""
        number = self.directory(path)
        if number is None:
            return {}
        found = self.database.execute(f"SELECT name, {_COLUMNS} FROM entries WHERE directory = ?", (number,))
        return {row[0]: row for row in found}

    def rehash(self, hashes: tuple[str, ...]) -> bool:
        """Forget digests of other types than `hashes`, so that the next scan computes these; whether there were any."""
        wanted = ",".join(hashes)
        kept = self.meta("hashes")
        if kept == wanted:
            return False
        with self.transaction():
            self.set_meta("hashes", wanted)
            if kept is not None:
                self.database.execute("UPDATE entries SET hashes = NULL")
                for path, was in self.database.execute("SELECT path, was FROM unaccepted").fetchall():
                    state = load_state(was)
                    if state is not None:
                        text = dump_state(state._replace(hashes=None))
                        self.database.execute("UPDATE unaccepted SET was = ? WHERE path = ?", (text, path))
                self._sum = int(self.computed_sum(), 16)
        return kept is not None

    def get(self, path: bytes) -> State | None:
        folder, name = split(path)
        number = self.directory(folder)
        if number is None:
            return None
        query = f"SELECT name, {_COLUMNS} FROM entries WHERE directory = ? AND name = ?"
        row = self.database.execute(query, (number, name)).fetchone()
        return None if row is None else state_of(row)

    def put(self, path: bytes, state: State, old: State | None) -> None:
        """Keep a state; `old` is what stood there before."""
        folder, name = split(path)
        number = self.directory(folder, create=True)
        row = _row(state)
        self._add(path, row, 1)
        if old is not None:
            self._add(path, _row(old), -1)
        marks = "?, " * len(row)
        self.database.execute(f"INSERT OR REPLACE INTO entries VALUES (?, {marks}?)", (number, name, *row))

    def remove(self, path: bytes, old: State) -> None:
        folder, name = split(path)
        number = self.directory(folder)
        self._add(path, _row(old), -1)
        self.database.execute("DELETE FROM entries WHERE directory = ? AND name = ?", (number, name))

    def below(self, path: bytes) -> Iterator[tuple[bytes, State]]:
        """Everything kept below a directory, in order of path; to be read to the end before it is changed."""
        low, high = _span(path)
        folders = self.database.execute(
            "SELECT path FROM directories WHERE path = ? OR (path >= ? AND path < ?) ORDER BY path", (path, low, high)
        ).fetchall()
        for (folder,) in folders:
            for name, row in sorted(self.rows(folder).items()):
                full = join(folder, name)
                if full != folder:
                    yield full, state_of(row)

    def forget_directories(self, path: bytes) -> None:
        """Drop the numbers of a directory and those below that hold nothing any more."""
        low, high = _span(path)
        self._ids.clear()
        self.database.execute(
            "DELETE FROM directories WHERE (path = ? OR (path >= ? AND path < ?))"
            " AND NOT EXISTS (SELECT 1 FROM entries WHERE directory = directories.id)",
            (path, low, high),
        )

    def by_inode(self, inode: int, device: int | None = None, limit: int = 64) -> list[tuple[bytes, State]]:
        """Names kept with an inode number, of any device when that is None."""
        query = (
            f"SELECT path, name, {_COLUMNS} FROM entries JOIN directories ON directories.id = directory"
            " WHERE inode = ? AND (device = ? OR ? IS NULL) LIMIT ?"
        )
        found = self.database.execute(query, (inode, device, device, limit)).fetchall()
        return [(join(row[0], row[1]), state_of(row[1:])) for row in found]

    def count(self) -> int:
        return int(self.database.execute("SELECT count(*) FROM entries").fetchone()[0])

    def everything(self) -> Iterator[tuple[bytes, State]]:
        """All entries in order of directory path, then of name."""
        query = (
            f"SELECT path, name, {_COLUMNS} FROM directories JOIN entries ON directory = directories.id"
            " ORDER BY path, name"
        )
        for row in self.database.execute(query):
            yield join(row[0], row[1]), state_of(row[1:])

    def sum(self) -> str:
        """A digest of all entries that each change carries on: the sum of the entries' own, modulo 2^256."""
        return f"{self._sum:064x}"

    def computed_sum(self) -> str:
        """The same, computed from what the tables hold now."""
        total = 0
        for path, state in self.everything():
            total += _entry_digest(path, _row(state))
        return f"{total % _MODULUS:064x}"

    def _add(self, path: bytes, row: Row, sign: int) -> None:
        self._sum = (self._sum + sign * _entry_digest(path, row)) % _MODULUS


def split(path: bytes) -> tuple[bytes, bytes]:
    """Path → (directory, name); of "/" the name is "."."""
    folder, _, name = path.rpartition(b"/")
    return folder or b"/", name or b"."


def join(folder: bytes, name: bytes) -> bytes:
    if name == b".":
        return folder
    return folder + name if folder == b"/" else folder + b"/" + name


def _span(path: bytes) -> tuple[bytes, bytes]:
    """Lowest and highest (not included) path below a directory."""
    stem = path.rstrip(b"/")
    return stem + b"/", stem + b"0"


def state_of(row: Row) -> State:
    """From a row of `rows`."""
    target, hashes, note, extended = row[_STATS + 1 : _STATS + 5]
    return State(Stat(*row[1 : _STATS + 1]), target, hashes, note, load_xattrs(extended))


def _row(state: State) -> Row:
    return (*state.stat, state.target, state.hashes, state.note, dump_xattrs(state.xattrs))


def _entry_digest(path: bytes, row: Row) -> int:
    # Of a directory the times and size move with its entries, which are counted themselves.
    kept = (*row[:5], 0, 0, *row[7:]) if row[0] == DIR else row
    return int.from_bytes(hashlib.sha256(repr((path, kept)).encode()).digest(), "big")


def dump_xattrs(extended: tuple[tuple[bytes, bytes], ...]) -> str | None:
    return json.dumps([[name.hex(), value.hex()] for name, value in extended]) if extended else None


def load_xattrs(text: str | None) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((bytes.fromhex(name), bytes.fromhex(value)) for name, value in json.loads(text)) if text else ()


def dump_state(state: State | None) -> str | None:
    """As text, for tables that keep a state aside."""
    if state is None:
        return None
    target = None if state.target is None else state.target.hex()
    hashes = None if state.hashes is None else state.hashes.hex()
    return json.dumps([list(state.stat), target, hashes, state.note, dump_xattrs(state.xattrs)])


def load_state(text: str | None) -> State | None:
    if text is None:
        return None
    numbers, target, hashes, note, extended = json.loads(text)
    return State(
        Stat(*numbers),
        None if target is None else bytes.fromhex(target),
        None if hashes is None else bytes.fromhex(hashes),
        note,
        load_xattrs(extended),
    )
