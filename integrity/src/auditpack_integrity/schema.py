# SPDX-License-Identifier: Apache-2.0
"""The baseline's tables, their versions, and how one becomes the next."""

from __future__ import annotations

import sqlite3
from typing import Final

_FIRST: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE directories (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE);
-- A name's last seen state; a directory's own stands in its parent. state.py says what the columns hold.
CREATE TABLE entries (
    directory INTEGER NOT NULL, name BLOB NOT NULL,
    kind INTEGER NOT NULL, mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL, size INTEGER NOT NULL,
    mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, inode INTEGER NOT NULL, device INTEGER NOT NULL,
    links INTEGER NOT NULL, rdev INTEGER NOT NULL,
    target BLOB, hashes BLOB, note TEXT NOT NULL, xattrs TEXT,
    PRIMARY KEY (directory, name)
) WITHOUT ROWID;
CREATE INDEX entries_by_inode ON entries (inode);
-- All that was told, each row chained to the one before by its hash. Rows are only ever added.
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY, time REAL NOT NULL, kind TEXT NOT NULL, path BLOB NOT NULL, body TEXT NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX journal_by_path ON journal (path);
-- Paths that differ from what was last accepted, with the state they had then (NULL: not there).
CREATE TABLE unaccepted (path BLOB PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, was TEXT) WITHOUT ROWID;
-- Names that the running scan missed; they are deleted ones unless it finds where they went.
CREATE TABLE vanished (path BLOB PRIMARY KEY) WITHOUT ROWID;
"""

_PACKAGES: Final = """
-- Files of packages with the digest that the package says, by manager; `packages` tells when each was read.
CREATE TABLE packages (
    manager TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, stamp TEXT NOT NULL, PRIMARY KEY (manager, name)
) WITHOUT ROWID;
CREATE TABLE package_files (
    path BLOB NOT NULL, manager TEXT NOT NULL, package TEXT NOT NULL, algorithm TEXT, digest BLOB,
    PRIMARY KEY (path, manager, package)
) WITHOUT ROWID;
CREATE INDEX package_files_by_package ON package_files (manager, package);
"""

_CONTENTS: Final = """
-- Text of small files where diff.enabled, redacted, zlib.
CREATE TABLE contents (path BLOB PRIMARY KEY, text BLOB NOT NULL) WITHOUT ROWID;
"""

STEPS: Final = (_FIRST, _PACKAGES, _CONTENTS)
"""STEPS[n] turns version n into n + 1; version 0 is an empty file."""

VERSION: Final = len(STEPS)


def migrate(connection: sqlite3.Connection) -> int:
    """Bring the tables to VERSION in one transaction; returns the version found. ValueError when it is a later one."""
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise ValueError(f"its schema is version {found}, this program knows {VERSION} — install a newer one")
    if found < VERSION:
        script = "".join(STEPS[found:])
        connection.executescript(f"BEGIN IMMEDIATE;{script}PRAGMA user_version = {VERSION};COMMIT;")
    return found
