# SPDX-License-Identifier: Apache-2.0
"""`auditpack release` and `auditpack verify`."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from typing import Any

from .errors import PackError
from .packfile import FILES, read_pack
from .release import INDEX, Release, archive, check_bump, check_changelog, digest, index_text, read_index, verify


def register(commands: Any) -> None:
    release = commands.add_parser(
        "release", help="write <pack>-<version>.tar.gz and its SHA-256 into a registry folder"
    )
    release.add_argument("pack", type=Path, metavar="PACK", help="pack folder")
    release.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of releases and their index.yml"
    )
    release.add_argument("--proof", type=Path, help="proof.json whose digest goes into the index")
    release.set_defaults(run=_release)
    verifying = commands.add_parser("verify", help="check releases against the index beside them")
    verifying.add_argument("path", type=Path, metavar="DIR|ARCHIVE")
    verifying.set_defaults(run=_verify)


def _release(options: argparse.Namespace) -> int:
    folder, registry = options.pack, options.out
    if not folder.is_dir():
        raise PackError(
            str(folder), 0, "this is no pack folder", "name one; a release is made from the files themselves"
        )
    pack = read_pack(folder)
    check_changelog(folder, pack.version)
    releases = read_index(registry)
    check_bump(pack, registry, releases)
    data = archive(folder, pack.name)
    file = f"{pack.name}-{pack.version}.tar.gz"
    same = [one for one in releases if (one.name, one.version) == (pack.name, pack.version)]
    if same and same[0].sha256 != digest(data):
        message = f"{pack.name} {pack.version} is released already with other content"
        raise PackError(pack.place.file, pack.place.line, message, "raise `version`, a release never changes")
    if not same:
        proof = _proof(options.proof) if options.proof else ""
        releases.append(Release(pack.name, pack.version, file, digest(data), _commit(folder), proof))
    registry.mkdir(parents=True, exist_ok=True)
    _replace(registry / file, data)
    _replace(registry / INDEX, index_text(releases).encode())
    print(f"{digest(data)}  {registry / file}")
    return 0


def _proof(file: Path) -> str:
    try:
        return digest(file.read_bytes())
    except OSError as failure:
        raise PackError(str(file), 0, f"cannot be read: {failure}", "make a proof with `make prove`") from None


def _commit(folder: Path) -> str:
    """The commit that has just these files, or an empty text: not in git, or changed since."""

    def git(*words: str) -> str | None:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    changed = git("status", "--porcelain", "--ignored", "--", *FILES)
    commit = git("rev-parse", "HEAD") if changed == "" else None
    return commit or ""


def _replace(file: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(data)
    part.replace(file)


def _verify(options: argparse.Namespace) -> int:
    registry = options.path if options.path.is_dir() else options.path.parent
    releases = read_index(registry)
    wanted = [one for one in releases if options.path.is_dir() or one.file == options.path.name]
    if not wanted:
        message = (
            f"the index {registry / INDEX} has no such release" if releases else f"there is no {INDEX} with releases"
        )
        raise PackError(str(options.path), 0, message, "name a folder of releases, or an archive in one")
    if options.path.is_dir():
        strangers = sorted({file.name for file in registry.glob("*.tar.gz")} - {one.file for one in releases})
        if strangers:
            raise PackError(str(registry / strangers[0]), 0, "the index does not have it", "release the pack again")
    for one in wanted:
        verify(registry, one)
        print(f"{one.file}: SHA-256 as released{f', commit {one.commit}' if one.commit else ''}")
    return 0
