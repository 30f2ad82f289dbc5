# SPDX-License-Identifier: Apache-2.0
"""A pack → `<pack>-<version>.tar.gz`, the same bytes on any day and path, and the index of a folder of releases."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from .changes import changes, least_bump, raised_enough
from .errors import PackError
from .model import Pack
from .packfile import FILES, read_pack
from .schema import NAME
from .source import parse
from .versions import SEMVER, parts

INDEX = "index.yml"


class Release(NamedTuple):
    """An entry of the index. `commit` and `proof` (SHA-256 of proof.json) are empty when they are not known."""

    name: str
    version: str
    file: str
    sha256: str
    commit: str = ""
    proof: str = ""


def archive(folder: Path, name: str) -> bytes:
    """The files of the pack as .tar.gz: sorted, owned by root, mode 0644, all times 0."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for file in sorted(name for name in FILES if (folder / name).is_file()):  # only a release must have them all
            data = (folder / file).read_bytes()
            member = tarfile.TarInfo(f"{name}/{file}")
            member.size, member.mode, member.mtime = len(data), 0o644, 0
            member.uname = member.gname = "root"
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(inner.getvalue(), compresslevel=9, mtime=0)


def check_changelog(folder: Path, version: str) -> None:
    """PackError when CHANGELOG.md says nothing of the version."""
    file = folder / "CHANGELOG.md"
    remedy = f"add `## {version}` and what changed"
    if not file.is_file():
        raise PackError(str(file), 0, "the file is missing", remedy)
    text = file.read_text(encoding="utf-8")
    entry = re.search(rf"^## \[?{re.escape(version)}\b[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not entry or not entry.group(1).strip():
        raise PackError(str(file), 0, f"there is no entry for version {version}", remedy)


def check_bump(pack: Pack, registry: Path, releases: Iterable[Release]) -> None:
    """PackError when the version is raised by less than the changes since the last release below it ask for."""
    last = last_before(pack, releases)
    if last:
        refuse_less(pack, last, read_pack(registry / last.file))


def last_before(pack: Pack, releases: Iterable[Release]) -> Release | None:
    """The newest release of the pack with a lower version, or None."""
    before = [one for one in releases if one.name == pack.name and parts(one.version) < parts(pack.version)]
    return max(before, key=lambda one: parts(one.version), default=None)


def refuse_less(pack: Pack, last: Release, former: Pack) -> None:
    """PackError when the version is raised by less than the changes since the release `last`, `former`, ask for."""
    least = least_bump(changes(former, pack))
    if not raised_enough(last.version, pack.version, least):
        message = f"version {pack.version} after {last.version} is less than the {least} bump that its changes ask for"
        raise PackError(pack.place.file, pack.place.line, message, f"`auditpack bump --from {last.file}` tells why")


def read_index(registry: Path) -> list[Release]:
    """The releases of a folder; none when it has no index. PackError when the index is malformed."""
    file = registry / INDEX
    return parse_index(file.read_bytes(), str(file)) if file.exists() else []


def parse_index(data: bytes, place: str) -> list[Release]:
    """The releases of an index; `place` names it in messages. PackError when it is malformed."""
    errors: list[PackError] = []
    try:
        document = parse(data.decode(), place, errors)
    except UnicodeDecodeError as failure:
        raise PackError(place, 0, f"this is no text: {failure}", "let `auditpack release` write the index") from None
    if errors or document is None:
        raise errors[0]
    entries = document.data.get("releases") if isinstance(document.data, dict) else None
    if not isinstance(entries, list):
        raise PackError(place, 1, "there is no list `releases`", "let `auditpack release` write the index")
    found = [_entry(entry, place, document.line(("releases", number))) for number, entry in enumerate(entries)]
    names = [one.file for one in found]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise PackError(place, document.line(("releases", number)), f"`{name}` stands twice", "keep one of the two")
    return found


def _entry(entry: Any, file: str, line: int) -> Release:
    known = set(Release._fields)
    texts = isinstance(entry, dict) and all(isinstance(value, str) for value in entry.values())
    if not texts or not {"name", "version", "file", "sha256"} <= set(entry) <= known:
        raise PackError(file, line, "the entry is malformed", f"it has {', '.join(Release._fields)}, each a text")
    release = Release(**entry)
    if not re.fullmatch(NAME, release.name) or not re.fullmatch(SEMVER, release.version):
        raise PackError(file, line, f"`{release.name}` `{release.version}` is no pack and version", "mend the entry")
    if not re.fullmatch(r"[0-9a-f]{64}", release.sha256):
        raise PackError(file, line, f"`sha256: {release.sha256}` is no digest", "let `auditpack release` write it")
    if release.file != f"{release.name}-{release.version}.tar.gz" or "/" in release.file:
        raise PackError(
            file, line, f"`file: {release.file}` is not <name>-<version>.tar.gz", "mend name, version or file"
        )
    return release


def index_text(releases: Iterable[Release]) -> str:
    """The index, by name and version."""
    ordered = sorted(releases, key=lambda one: (one.name, parts(one.version)))
    rows = [
        "  - {" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in one._asdict().items() if value) + "}"
        for one in ordered
    ]
    return (
        "# SPDX-License-Identifier: Apache-2.0\n# Written by `auditpack release`.\nreleases:\n" + "\n".join(rows) + "\n"
    )


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
