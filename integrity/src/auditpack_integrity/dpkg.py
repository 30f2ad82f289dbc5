# SPDX-License-Identifier: Apache-2.0
"""dpkg's database: status, info/*.md5sums and the log of what it did (deb-md5sums(5), dpkg-query(1), dpkg(1))."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .packagedb import Package, PackageFile

_TAIL: Final = 1 << 20
_LOG: Final = re.compile(r"^\S+ \S+ (install|upgrade|remove|purge) (\S+?)(?::\S+)? (\S+) (\S+)$", re.MULTILINE)


class Dpkg:
    """`root`: where the file system with the database is."""

    manager = "dpkg"

    def __init__(self, root: str = "") -> None:
        self._admin = Path(f"{root}/var/lib/dpkg")
        self._log = Path(f"{root}/var/log/dpkg.log")
        self._conffiles: dict[str, list[PackageFile]] = {}
        self._info: dict[str, str] = {}

    def there(self) -> bool:
        return (self._admin / "status").is_file()

    def stamp(self) -> str:
        status, info = (self._admin / "status").stat(), (self._admin / "info").stat()
        return f"{status.st_mtime_ns} {status.st_ino} {info.st_mtime_ns}"

    def packages(self) -> list[Package]:
        self._conffiles.clear()
        self._info.clear()
        out = []
        text = (self._admin / "status").read_bytes().decode("utf-8", "surrogateescape")
        for stanza in text.split("\n\n"):
            fields = _fields(stanza)
            name, version = fields.get("Package", ""), fields.get("Version", "")
            if not name or not version or "installed" not in fields.get("Status", "").split():
                continue
            info = f"{name}:{fields['Architecture']}" if fields.get("Multi-Arch") == "same" else name
            self._info[name] = info
            self._conffiles.setdefault(name, []).extend(_conffiles(fields.get("Conffiles", "")))
            out.append(Package(name, version, self._stamp_of(info)))
        return out

    def _stamp_of(self, info: str) -> str:
        try:
            found = os.stat(self._admin / "info" / f"{info}.md5sums")
        except FileNotFoundError:
            return ""
        return f"{found.st_mtime_ns} {found.st_ino}"

    def files(self, name: str) -> Iterator[PackageFile]:
        yield from self._conffiles.get(name, [])
        try:
            data = (self._admin / "info" / f"{self._info.get(name, name)}.md5sums").read_bytes()
        except FileNotFoundError:
            return
        for line in data.splitlines():
            digest, _, path = line.partition(b"  ")
            if len(digest) == 32 and path:
                yield PackageFile(b"/" + path, "md5", bytes.fromhex(digest.decode("ascii")), False)

    def _logged(self) -> Iterator[tuple[str, str, str, str]]:
        """(what, package, old version, new version), the last first."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return
        yield from reversed(_LOG.findall(text))

    def versions(self, name: str) -> tuple[str, str]:
        for what, package, old, new in self._logged():
            if package == name:
                return _version(old), "" if what in ("remove", "purge") else _version(new)
        return "", ""

    def last_name(self) -> str:
        return next((package for _, package, _, _ in self._logged()), "")


def _version(text: str) -> str:
    return "" if text in ("<none>", "<unknown>") else text


def _fields(stanza: str) -> dict[str, str]:
    out: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith((" ", "\t")):
            out[name] = f"{out.get(name, '')}\n{line.strip()}"
        else:
            name, _, value = line.partition(":")
            out[name] = value.strip()
    return out


def _conffiles(text: str) -> Iterator[PackageFile]:
    for line in text.splitlines():
        parts = line.rsplit(" obsolete", 1)[0].rsplit(" ", 1)
        if len(parts) == 2 and re.fullmatch(r"[0-9a-f]{32}", parts[1]):
            yield PackageFile(os.fsencode(parts[0]), "md5", bytes.fromhex(parts[1]), True)
