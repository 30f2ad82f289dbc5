# SPDX-License-Identifier: Apache-2.0
"""A pack from its folder or from a release archive `<pack>-<version>.tar.gz`."""

from __future__ import annotations

import io
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath

from .errors import PackError, PackErrors, raise_if_any
from .model import Pack
from .schema import load_pack

FILES = ("pack.yml", "rules.yml", "cases.yml", "CHANGELOG.md")
LARGEST = 8 * 2**20
"""Bytes of an archive, and of the files in it; more is refused before anything is unpacked."""
_REMEDY = "take an archive that `auditpack release` made"


def is_archive(path: Path) -> bool:
    return path.name.endswith((".tar.gz", ".tgz"))


def read_pack(path: Path) -> Pack:
    """The pack in a folder or archive. PackErrors with all that is wrong in it."""
    if path.is_dir():
        return _load(path)
    if not path.is_file():
        raise PackError(str(path), 0, "there is no such pack", "name a pack folder or a release archive")
    if path.stat().st_size > LARGEST:
        raise PackError(str(path), 0, f"it is larger than {LARGEST} bytes", _REMEDY)
    return read_archive(path.read_bytes(), str(path))


def read_archive(data: bytes, place: str) -> Pack:
    """The pack in the bytes of an archive; `place` names it in messages."""
    with tempfile.TemporaryDirectory(prefix="auditpack-") as scratch:
        folder = unpack(data, place, Path(scratch))
        try:
            return _load(folder)
        except PackErrors as failure:
            inside = [
                PackError(f"{place}!{Path(one.file).name}", one.line, one.message, one.remedy) for one in failure.errors
            ]
            raise PackErrors(inside) from None


def _load(folder: Path) -> Pack:
    problems: list[PackError] = []
    pack = load_pack(folder, problems)
    raise_if_any(problems)
    if pack is None:
        raise PackError(str(folder), 0, "no pack is here", "name a folder with a pack.yml")
    return pack


def unpack(data: bytes, place: str, into: Path) -> Path:
    """Write the files of the one pack into `into/<pack>`. PackError on whatever a release never has."""
    try:
        name, files = _members(_inflated(data, place), place)
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError) as failure:
        raise PackError(place, 0, f"this is no whole .tar.gz archive: {failure}", _REMEDY) from None
    folder = into / name
    folder.mkdir()
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return folder


def _inflated(data: bytes, place: str) -> bytes:
    """The .tar in the .gz; a small file can hold a large one, so no more than a release can have is unpacked."""
    engine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    inner = engine.decompress(data, LARGEST + 1)
    if len(inner) > LARGEST:
        raise PackError(place, 0, f"its files are larger than {LARGEST} bytes", _REMEDY)
    if not engine.eof or engine.unused_data:
        raise EOFError("it is cut short, or something follows it")
    return inner


def _members(inner: bytes, place: str) -> tuple[str, dict[str, bytes]]:
    """The name of the one folder, and its files."""
    found: dict[str, bytes] = {}
    folders = set()
    with tarfile.open(fileobj=io.BytesIO(inner), mode="r:") as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            if member.isdir() and len(name.parts) == 1 and name.parts[0] != "..":
                continue
            if not member.isfile() or len(name.parts) != 2 or ".." in name.parts or name.is_absolute():
                raise PackError(place, 0, f"`{member.name}` does not belong into a release", _REMEDY)
            if name.name not in FILES or name.name in found:
                raise PackError(place, 0, f"`{member.name}` is no file of a pack, or stands twice", _REMEDY)
            content = archive.extractfile(member)
            found[name.name] = content.read() if content else b""
            folders.add(name.parts[0])
    if len(folders) != 1:
        raise PackError(place, 0, "it must hold the folder of one pack", _REMEDY)
    return folders.pop(), found
