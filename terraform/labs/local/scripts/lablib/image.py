# SPDX-License-Identifier: Apache-2.0
"""Disk images of stock Debian, built from its archive and cached by a digest of what goes into them.

An image is a folder ``<cache>/<distro>-<arch>-<digest>/`` with ``root.img`` (an ext4 file system, sparse),
``boot.iso`` (GRUB, which reads the host's own /boot/grub/grub.cfg) and, written last, ``manifest.json``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import build, command, lock, sources
from .errors import LabError

BUILDER = Path(build.__file__)
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def digest(distro: str, arch: str, source_lines: Sequence[str]) -> str:
    """16 hex digits over everything that decides what an image holds: the recipe, how it is built, and whence."""
    state = hashlib.sha256(json.dumps([distro, arch, list(source_lines)]).encode())
    for path in [BUILDER, *sorted(p for p in build.RECIPE.rglob("*") if p.is_file())]:
        name = path.name if path == BUILDER else str(path.relative_to(build.RECIPE))
        content = path.read_bytes()
        state.update(f"\0{name}\0{path.stat().st_mode & 0o111:o}\0{len(content)}\0".encode())
        state.update(content)
    return state.hexdigest()[:16]


def ensure(distro: str, arch: str, cache: Path, mirror: str) -> Path:
    """The folder of a complete image; built if the cache lacks it."""
    source_lines = sources.debian_sources(distro, mirror, [] if mirror else sources.machine_archives())
    folder = cache / f"{distro}-{arch}-{digest(distro, arch, source_lines)}"
    with lock.locked(folder):
        if (folder / "manifest.json").exists():
            print(f"    {folder.name}: in the cache", flush=True)
            return folder
        with command.stage(f"build image {folder.name}"):
            _build(folder, distro, arch, source_lines)
    return folder


def _build(folder: Path, distro: str, arch: str, source_lines: Sequence[str]) -> None:
    if MACHINES.get(platform.machine()) != arch:
        print(f"    {arch} is foreign here: mmdebstrap needs qemu-user-static and binfmt-support", flush=True)
    with _scratch(folder) as work:
        build.build(work, distro, arch, source_lines)
        for name in ("root.img", "boot.iso"):
            (work / name).replace(folder / name)
        manifest = {"build": str(uuid.uuid4()), "distro": distro, "arch": arch, "sources": list(source_lines)}
        (work / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        (work / "manifest.json").replace(folder / "manifest.json")


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A fresh folder inside the image's; what an earlier, killed build left there goes first."""
    for old in folder.glob("work-*"):
        shutil.rmtree(old)
    work = Path(tempfile.mkdtemp(prefix="work-", dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work)


def read_manifest(folder: Path) -> dict[str, str]:
    """The manifest of a complete image."""
    path = folder / "manifest.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise LabError(f"{path} is missing: the image is not complete", "terraform apply builds it") from error
    return {key: str(data[key]) for key in ("build", "distro", "arch")}
