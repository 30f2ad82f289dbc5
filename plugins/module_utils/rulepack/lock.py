# SPDX-License-Identifier: Apache-2.0
"""The lock file: which release of each pack was taken, by its digest, so that nobody gets another one by surprise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .errors import PackError
from .release import Release
from .source import parse
from .versions import parts


class Locked(NamedTuple):
    name: str
    version: str
    sha256: str
    registry: str


def read_lock(file: Path) -> dict[str, Locked]:
    """The locked releases by name; none when there is no file. PackError when it is malformed."""
    if not file.exists():
        return {}
    errors: list[PackError] = []
    document = parse(file.read_text(encoding="utf-8"), str(file), errors)
    if errors or document is None:
        raise errors[0]
    rows = document.data.get("packs") if isinstance(document.data, dict) else None
    found: dict[str, Locked] = {}
    for number, row in enumerate(rows if isinstance(rows, list) else [None]):
        texts = isinstance(row, dict) and all(isinstance(value, str) for value in row.values())
        if not texts or set(row) != set(Locked._fields) or row["name"] in found:
            line = document.line(("packs", number))
            remedy = f"an entry has {', '.join(Locked._fields)}; `auditpack fetch` writes them"
            raise PackError(str(file), line, "the lock is malformed", remedy)
        found[row["name"]] = Locked(**row)
    return found


def lock_text(locked: Mapping[str, Locked]) -> str:
    """The file, by name."""
    rows = "".join(
        "  - {" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in one._asdict().items()) + "}\n"
        for _, one in sorted(locked.items())
    )
    body = f"packs:\n{rows}" if rows else "packs: []\n"
    return (
        f"# SPDX-License-Identifier: Apache-2.0\n# Written by `auditpack fetch`: keep it under version control.\n{body}"
    )


def check(release: Release, locked: Locked | None, file: Path, *, downgrade: bool) -> None:
    """PackError when the release is not the one that was locked, or an older one."""
    if locked is None:
        return
    if release.version == locked.version and release.sha256 != locked.sha256:
        message = f"{release.name} {release.version} was locked with SHA-256 {locked.sha256}, the registry has "
        message += f"{release.sha256}: a release never changes"
        raise PackError(str(file), 0, message, "do not use it; ask who keeps the registry")
    if parts(release.version) < parts(locked.version) and not downgrade:
        message = f"{release.name} {release.version} is older than the locked {locked.version}"
        raise PackError(str(file), 0, message, "give --allow-downgrade when you mean it")
