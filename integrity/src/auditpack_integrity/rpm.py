# SPDX-License-Identifier: Apache-2.0
"""rpm's database, by the program `rpm` (rpm(8), query formats)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .packagedb import Package, PackageFile

_PROGRAM: Final = "/usr/bin/rpm"
_FORMAT: Final = "[%{NAME}\t%{EVR}\t%{FILEDIGESTALGO}\t%{FILEFLAGS}\t%{FILEDIGESTS}\t%{FILENAMES}\n]"
_ALGORITHMS: Final = {"1": "md5", "2": "sha1", "8": "sha256", "9": "sha384", "10": "sha512", "(none)": "md5"}
_CONFIGURATION: Final = 1
_DATABASES: Final = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")


class Rpm:
    """Reads the whole database at once when it has changed. Old versions are not kept by rpm: what was seen before."""

    manager = "rpm"

    def __init__(self, program: str = _PROGRAM, databases: tuple[str, ...] = _DATABASES) -> None:
        self._program = program
        self._databases = databases
        self._files: dict[str, list[PackageFile]] = {}
        self._versions: dict[str, tuple[str, str]] = {}
        self._last = ""

    def there(self) -> bool:
        return os.access(self._program, os.X_OK) and any(
            Path(path).is_dir() and any(Path(path).iterdir()) for path in self._databases
        )

    def stamp(self) -> str:
        out = []
        for folder in self._databases:
            for name in ("rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages", "Packages.db"):
                try:
                    found = os.stat(f"{folder}/{name}")
                except FileNotFoundError:
                    continue
                out.append(f"{found.st_mtime_ns} {found.st_size}")
        return " ".join(out)

    def packages(self) -> list[Package]:
        done = subprocess.run([self._program, "-qa", "--qf", _FORMAT], capture_output=True, timeout=300, check=True)
        self._files.clear()
        versions: dict[str, str] = {}
        for line in done.stdout.splitlines():
            name, version, algorithm, flags, digest, path = line.decode("utf-8", "surrogateescape").split("\t", 5)
            versions[name] = version
            self._files.setdefault(name, []).append(
                PackageFile(
                    os.fsencode(path),
                    _ALGORITHMS.get(algorithm, ""),
                    bytes.fromhex(digest),
                    bool(int(flags or 0) & _CONFIGURATION),
                )
            )
        for name, version in versions.items():
            old = self._versions.get(name, ("", ""))[1]
            if self._versions and old != version:
                self._last = name
                self._versions[name] = (old, version)
            else:
                self._versions.setdefault(name, ("", version))
        return [Package(name, version, version) for name, version in versions.items()]

    def files(self, name: str) -> Iterator[PackageFile]:
        yield from self._files.pop(name, [])

    def versions(self, name: str) -> tuple[str, str]:
        return self._versions.get(name, ("", ""))

    def last_name(self) -> str:
        return self._last
