# SPDX-License-Identifier: Apache-2.0
"""`auditpack release` and `auditpack verify`."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from typing import Any

from .errors import PackError
from .packfile import FILES, read_pack
from .registry import Registry
from .release import INDEX, Release, archive, check_bump, check_changelog, digest, index_text, read_index
from .signing import SUFFIX, sign


def register(commands: Any) -> None:
    release = commands.add_parser(
        "release", help="write <pack>-<version>.tar.gz and its SHA-256 into a registry folder"
    )
    release.add_argument("pack", type=Path, metavar="PACK", help="pack folder")
    release.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of releases and their index.yml"
    )
    release.add_argument("--proof", type=Path, help="proof.json whose digest goes into the index")
    release.add_argument("--sign", type=Path, metavar="KEY", help="SSH key that signs the archive and the index")
    release.set_defaults(run=_release)
    verifying = commands.add_parser("verify", help="check releases against the index beside them")
    verifying.add_argument("path", metavar="DIR|URL|ARCHIVE")
    verifying.add_argument("--signers", type=Path, help="allowed-signers file: then everything must be signed")
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
    if (registry / f"{INDEX}{SUFFIX}").exists() and not options.sign:
        raise PackError(str(registry / INDEX), 0, "the index is signed, and a new one would not be", "give --sign KEY")
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
    index = index_text(releases).encode()
    files = {file: data, INDEX: index}
    if options.sign:
        files = {file + SUFFIX: sign(data, options.sign), INDEX + SUFFIX: sign(index, options.sign), **files}
    registry.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        replace_file(registry / name, content)
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


def replace_file(file: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_bytes(data)
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _verify(options: argparse.Namespace) -> int:
    remote = Registry(options.path).remote
    path = Path(options.path)
    alone = not remote and not path.is_dir()
    registry = Registry(str(path.parent) if alone else options.path, options.signers)
    if not remote and not (Path(registry.location) / INDEX).exists():
        raise PackError(
            options.path, 0, f"there is no {INDEX} with releases", "name a folder of releases, or an archive in one"
        )
    releases = registry.releases()
    wanted = [one for one in releases if not alone or one.file == path.name]
    if not wanted:
        where = f"the index {registry.place(INDEX)} has no such release" if releases else f"{INDEX} has no releases"
        raise PackError(options.path, 0, where, "name a folder of releases, or an archive in one")
    if path.is_dir():
        strangers = sorted({file.name for file in path.glob("*.tar.gz")} - {one.file for one in releases})
        if strangers:
            raise PackError(str(path / strangers[0]), 0, "the index does not have it", "release the pack again")
    for one in wanted:
        registry.archive(one)
        signed = ", signed" if options.signers else ""
        print(f"{one.file}: SHA-256 as released{signed}{f', commit {one.commit}' if one.commit else ''}")
    return 0
