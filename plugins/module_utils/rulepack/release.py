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
from .source import parse
from .versions import parts

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
        for file in sorted(FILES):
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
    before = [one for one in releases if one.name == pack.name and parts(one.version) < parts(pack.version)]
    if not before:
        return
    last = max(before, key=lambda one: parts(one.version))
    least = least_bump(changes(read_pack(registry / last.file), pack))
    if not raised_enough(last.version, pack.version, least):
        message = f"version {pack.version} after {last.version} is less than the {least} bump that its changes ask for"
        raise PackError(pack.place.file, pack.place.line, message, f"`auditpack bump --from {last.file}` tells why")


def read_index(registry: Path) -> list[Release]:
    """The releases of a folder; none when it has no index. PackError when the index is malformed."""
    file = registry / INDEX
    if not file.exists():
        return []
    errors: list[PackError] = []
    document = parse(file.read_text(encoding="utf-8"), str(file), errors)
    if errors or document is None:
        raise errors[0]
    entries = document.data.get("releases") if isinstance(document.data, dict) else None
    if not isinstance(entries, list):
        raise PackError(str(file), 1, "there is no list `releases`", "let `auditpack release` write the index")
    return [_entry(entry, str(file), document.line(("releases", number))) for number, entry in enumerate(entries)]


def _entry(entry: Any, file: str, line: int) -> Release:
    known = set(Release._fields)
    texts = isinstance(entry, dict) and all(isinstance(value, str) for value in entry.values())
    if not texts or not {"name", "version", "file", "sha256"} <= set(entry) <= known:
        raise PackError(file, line, "the entry is malformed", f"it has {', '.join(Release._fields)}, each a text")
    release = Release(**entry)
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


def verify(registry: Path, release: Release) -> None:
    """PackError when the archive is missing, has another digest, or holds another pack than the index says."""
    file = registry / release.file
    if not file.is_file():
        raise PackError(str(file), 0, "the index names it, but it is not here", "fetch it, or release the pack again")
    found = digest(file.read_bytes())
    if found != release.sha256:
        message = f"its SHA-256 is {found}, the index says {release.sha256}"
        raise PackError(str(file), 0, message, "do not use it: it is not what was released")
    pack = read_pack(file)
    if (pack.name, pack.version) != (release.name, release.version):
        raise PackError(str(file), 0, f"it holds {pack.name} {pack.version}", "release the pack again")
