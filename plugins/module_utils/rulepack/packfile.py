# SPDX-License-Identifier: Apache-2.0
"""A pack from its folder or from a release archive `<pack>-<version>.tar.gz`."""

from __future__ import annotations

import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath

from .errors import PackError, PackErrors, raise_if_any
from .model import Pack
from .schema import load_pack

FILES = ("pack.yml", "rules.yml", "cases.yml", "CHANGELOG.md")
LARGEST = 8 * 2**20
"""Bytes of all files of an archive; more is refused before anything is unpacked."""


def is_archive(path: Path) -> bool:
    return path.name.endswith((".tar.gz", ".tgz"))


def read_pack(path: Path) -> Pack:
    """The pack in a folder or archive. PackErrors with all that is wrong in it."""
    if path.is_dir():
        return _load(path)
    if not path.is_file():
        raise PackError(str(path), 0, "there is no such pack", "name a pack folder or a release archive")
    with tempfile.TemporaryDirectory(prefix="auditpack-") as scratch:
        folder = _unpack(path, Path(scratch))
        try:
            return _load(folder)
        except PackErrors as failure:
            inside = [
                PackError(f"{path}!{Path(one.file).name}", one.line, one.message, one.remedy) for one in failure.errors
            ]
            raise PackErrors(inside) from None


def _load(folder: Path) -> Pack:
    problems: list[PackError] = []
    pack = load_pack(folder, problems)
    raise_if_any(problems)
    if pack is None:
        raise PackError(str(folder), 0, "no pack is here", "name a folder with a pack.yml")
    return pack


def _unpack(path: Path, scratch: Path) -> Path:
    """Write the files of the one pack into `scratch/<pack>`. PackError on whatever a release never has."""
    remedy = "take an archive that `auditpack release` made"
    try:
        with tarfile.open(path, "r:gz") as archive:
            found: dict[str, bytes] = {}
            folders, left = set(), LARGEST
            for member in archive:
                name = PurePosixPath(member.name)
                if member.isdir() and len(name.parts) == 1 and name.parts[0] != "..":
                    continue
                if not member.isfile() or len(name.parts) != 2 or ".." in name.parts or name.is_absolute():
                    raise PackError(str(path), 0, f"`{member.name}` does not belong into a release", remedy)
                if name.name not in FILES or name.name in found:
                    raise PackError(str(path), 0, f"`{member.name}` is no file of a pack, or stands twice", remedy)
                left -= member.size
                if left < 0:
                    raise PackError(str(path), 0, f"its files are larger than {LARGEST} bytes", remedy)
                content = archive.extractfile(member)
                found[name.name] = content.read() if content else b""
                folders.add(name.parts[0])
    except (tarfile.TarError, EOFError, OSError, zlib.error) as failure:
        raise PackError(str(path), 0, f"this is no whole .tar.gz archive: {failure}", remedy) from None
    if len(folders) != 1:
        raise PackError(str(path), 0, "it must hold the folder of one pack", remedy)
    folder = scratch / folders.pop()
    folder.mkdir()
    for file, data in found.items():
        (folder / file).write_bytes(data)
    return folder
