# SPDX-License-Identifier: Apache-2.0
"""The packages' own word on files, kept in the baseline's database so that memory stays small."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from .baseline import Baseline, split


class PackageFile(NamedTuple):
    """`digest` of `algorithm`, empty when the package says none."""

    path: bytes
    algorithm: str
    digest: bytes
    configuration: bool


class Package(NamedTuple):
    """`stamp`: changes when the package's files may have."""

    name: str
    version: str
    stamp: str


class Source(Protocol):
    """A package manager's database."""

    manager: str

    def there(self) -> bool:
        """Whether this machine has it."""

    def stamp(self) -> str:
        """Changes when anything was installed, upgraded or removed."""

    def packages(self) -> list[Package]:
        """All that are installed."""

    def files(self, name: str) -> Iterable[PackageFile]:
        """Those of one package."""

    def versions(self, name: str) -> tuple[str, str]:
        """(old, new) of the last change of a package; empty where unknown."""

    def last_name(self) -> str:
        """The package worked on last."""


class Owner(NamedTuple):
    """Whose file a path is."""

    manager: str
    package: str
    version: str
    algorithm: str
    digest: bytes
    configuration: bool


class PackageDatabase:
    """Looks up owners; reads anew what has changed."""

    def __init__(self, baseline: Baseline, sources: list[Source]) -> None:
        self._baseline = baseline
        self._sources = {source.manager: source for source in sources}
        self._stamps: dict[str, str] = {}
        self._folders: dict[bytes, bytes] = {}

    def stale(self) -> bool:
        return any(self._stamps.get(name) != source.stamp() for name, source in self._sources.items())

    def refresh(self) -> None:
        """Read what has changed since the last time."""
        for name, source in self._sources.items():
            stamp = source.stamp()
            if self._stamps.get(name) != stamp:
                with self._baseline.transaction():
                    self._refresh(source)
                self._stamps[name] = stamp

    def _refresh(self, source: Source) -> None:
        database = self._baseline.database
        self._folders.clear()
        kept = {
            row[0]: (row[1], row[2])
            for row in database.execute(
                "SELECT name, stamp, version FROM packages WHERE manager = ?", (source.manager,)
            )
        }
        found = {package.name: package for package in source.packages()}
        for name in kept.keys() - found.keys():
            self._forget(source.manager, name)
        for name, package in found.items():
            if kept.get(name) == (package.stamp, package.version):
                continue
            self._forget(source.manager, name)
            database.execute(
                "INSERT INTO packages VALUES (?, ?, ?, ?)", (source.manager, name, package.version, package.stamp)
            )
            database.executemany(
                "INSERT OR REPLACE INTO package_files VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        self._real(file.path),
                        source.manager,
                        name,
                        json.dumps([file.algorithm, file.configuration]),
                        file.digest,
                    )
                    for file in source.files(name)
                ],
            )

    def _forget(self, manager: str, name: str) -> None:
        for table, column in (("packages", "name"), ("package_files", "package")):
            self._baseline.database.execute(f"DELETE FROM {table} WHERE manager = ? AND {column} = ?", (manager, name))

    def _real(self, path: bytes) -> bytes:
        """Packages still say /bin/ls where /bin is a link to /usr/bin."""
        folder, name = split(path)
        real = self._folders.get(folder)
        if real is None:
            real = self._folders[folder] = os.path.realpath(folder)
        return real + b"/" + name if real != b"/" else b"/" + name

    def owner(self, path: bytes) -> Owner | None:
        """The package that a path belongs to; the first by name where several share it."""
        row = self._baseline.database.execute(
            "SELECT f.manager, f.package, p.version, f.algorithm, f.digest FROM package_files f"
            " JOIN packages p ON p.manager = f.manager AND p.name = f.package WHERE path = ? ORDER BY 2",
            (path,),
        ).fetchone()
        if row is None:
            return None
        algorithm, configuration = json.loads(row[3])
        return Owner(row[0], row[1], row[2], algorithm, row[4], configuration)

    def versions(self, manager: str, name: str) -> tuple[str, str]:
        source = self._sources.get(manager)
        return ("", "") if source is None else source.versions(name)

    def last_name(self, manager: str) -> str:
        source = self._sources.get(manager)
        return "" if source is None else source.last_name()
