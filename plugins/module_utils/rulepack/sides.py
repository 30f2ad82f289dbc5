# SPDX-License-Identifier: Apache-2.0
"""What `auditpack diff` compares: packs of a folder, an archive or a registry; rules of a file or of a running host."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Optional
from urllib.parse import urlsplit

from .changes_text import parse_text, read_lines
from .errors import PackError
from .inventory import ask
from .line import Line
from .model import Pack
from .packfile import is_archive, read_archive, read_pack
from .registry import Registry, newest
from .schema import NAME, load_packs
from .versions import SEMVER

_VERSION = re.compile(rf"({NAME})@({SEMVER})")
_SSH_TIMEOUT = 60


class Side(NamedTuple):
    """Either packs by name, or the rules of auditctl text."""

    packs: Optional[dict[str, Pack]]  # noqa: UP045 - evaluated at run time, Python 3.9
    lines: Sequence[Line] = ()


def read_side(text: str, registries: Sequence[Registry] = (), inventory: str = "") -> Side:
    """`text`: a path, `NAME@VERSION` of a registry, `ssh://[user@]host[:port]`, or `host:NAME` of an inventory."""
    path = Path(text)
    if path.is_dir() and not (path / "pack.yml").is_file():
        return Side({pack.name: pack for pack in load_packs([path / one.parent.name for one in _inside(path)])})
    if path.is_dir() or (path.exists() and is_archive(path)):
        pack = read_pack(path)
        return Side({pack.name: pack})
    if path.exists():
        return Side(None, read_lines(path))
    if text.startswith("ssh://"):
        return Side(None, parse_text(_over_ssh(text), text))
    if text.startswith("host:"):
        return Side(None, parse_text(_of_inventory(text[5:], inventory), text))
    version = _VERSION.fullmatch(text)
    if version:
        return Side({version.group(1): _released(version.group(1), text.partition("@")[2], registries)})
    remedy = "name a pack folder, an archive, a text of auditctl, NAME@VERSION, ssh://host or host:NAME"
    raise PackError(text, 0, "there is no such thing to compare", remedy)


def _inside(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*/pack.yml"))
    if not found:
        raise PackError(str(folder), 0, "no pack is here", "name a folder with a pack.yml, or of such folders")
    return found


def _released(name: str, version: str, registries: Sequence[Registry]) -> Pack:
    if not registries:
        raise PackError(f"{name}@{version}", 0, "a version is looked for in a registry", "give --registry DIR|URL")
    for registry in registries:
        release = newest(registry.releases(), name, f"={version}")
        if release:
            return read_archive(registry.archive(release), registry.place(release.file))
    places = ", ".join(registry.location for registry in registries)
    raise PackError(
        places, 0, f"there is no release of {name} {version}", "`auditpack list --registry` shows the newest"
    )


def _over_ssh(url: str) -> str:
    """`auditctl -l` of a host, as root or by sudo without a password."""
    parts = urlsplit(url)
    if not parts.hostname or parts.path not in ("", "/"):
        raise PackError(url, 0, "this names no host", "write ssh://[user@]host[:port]")
    target = f"{parts.username}@{parts.hostname}" if parts.username else parts.hostname
    port = ["-p", str(parts.port)] if parts.port else []
    command = 'if [ "$(id -u)" = 0 ]; then auditctl -l; else sudo -n auditctl -l; fi'
    words = ["ssh", "-o", "BatchMode=yes", *port, "--", target, command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_SSH_TIMEOUT)
    except (FileNotFoundError, subprocess.TimeoutExpired) as failure:
        raise PackError(url, 0, f"cannot be asked: {failure}", "see that ssh reaches the host") from None
    if done.returncode or "Error receiving" in done.stderr:
        reason = " ".join(done.stderr.split()) or f"status {done.returncode}"
        raise PackError(
            url, 0, f"cannot be asked: {reason}", "see that ssh reaches it, and sudo auditctl -l works there"
        )
    return done.stdout


def _of_inventory(host: str, inventory: str) -> str:
    if not inventory:
        raise PackError(f"host:{host}", 0, "a host is looked for in an inventory", "give -i INVENTORY, or ssh://host")
    answer = ask(inventory, host).get(host)
    if answer is None or "loaded" not in answer:
        reason = (answer or {}).get("msg", f"{inventory} has no such host")
        raise PackError(f"host:{host}", 0, f"cannot be asked: {reason}", "see that Ansible reaches it")
    return "\n".join(answer["loaded"]) + "\n"
