# SPDX-License-Identifier: Apache-2.0
"""How an image is made. The image's digest covers this file and the folder image/, and nothing else of the scripts."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

from . import command, sources
from .errors import LabError

RECIPE = Path(__file__).resolve().parents[2] / "image"
KERNELS = {"amd64": "linux-image-cloud-amd64", "arm64": "linux-image-cloud-arm64"}
DISK_BYTES = 6 << 30
# Named one by one: newer e2fsprogs switch on features that an older GRUB cannot read.
FEATURES = (
    "none,has_journal,ext_attr,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,"
    "extra_isize,metadata_csum"
)
GRUB_CFG = "set timeout=0\nsearch --no-floppy --label root --set=root\nconfigfile /boot/grub/grub.cfg\n"
GRUB = {
    "amd64": (Path("/usr/lib/grub/i386-pc"), "grub-pc-bin"),
    "arm64": (Path("/usr/lib/grub/arm64-efi"), "grub-efi-arm64-bin mtools"),
}
CONSOLES = {"amd64": "ttyS0", "arm64": "ttyAMA0"}


def words(path: Path) -> list[str]:
    """The words of a recipe file; `#` starts a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [word for line in lines for word in line.partition("#")[0].split()]


def build(work: Path, distro: str, arch: str, source_lines: Sequence[str]) -> None:
    """Leave root.img and boot.iso in `work`."""
    for program in ("mmdebstrap", "mke2fs", "grub-mkrescue", "xorriso", "xz"):
        command.find(program)
    grub, package = GRUB[arch]
    if not grub.is_dir():
        raise LabError(f"GRUB for {arch} is not installed ({grub})", f"apt-get install {package}")
    with command.stage(f"{distro}: packages (mmdebstrap)"):
        _bootstrap(work, distro, arch, source_lines)
    with command.stage(f"{distro}: file system"):
        _file_system(work)
    with command.stage(f"{distro}: boot disk"):
        _boot_disk(work, arch)


def _overlay(target: Path) -> None:
    """Pack the recipe's files as root's, whoever owns the checkout and whatever their umask was."""

    def normal(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with tarfile.open(target, "w") as archive:
        for path in sorted((RECIPE / "root").iterdir()):
            archive.add(path, path.name, filter=normal)


def _bootstrap(work: Path, distro: str, arch: str, source_lines: Sequence[str]) -> None:
    _overlay(work / "overlay.tar")
    packages = [KERNELS[arch], *words(RECIPE / "packages")]
    # The script's text, not its path: in unshare mode the hook runs as another user, who may not reach this checkout.
    parameters = ["$1", CONSOLES[arch], *words(RECIPE / "archive")]
    hook = (
        "set -- "
        + " ".join(f'"{word}"' for word in parameters)
        + "\n"
        + (RECIPE / "customize").read_text(encoding="utf-8")
    )
    hooks = Path("/usr/share/mmdebstrap/hooks/maybe-merged-usr")
    args: list[str | Path] = [
        command.find("mmdebstrap"), "--variant=minbase", f"--architectures={arch}", f"--include={','.join(packages)}",
        "--aptopt=Acquire::Retries 3", "--aptopt=Acquire::Languages none", "--dpkgopt=force-unsafe-io",
        "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        *([f"--hook-dir={hooks}"] if hooks.is_dir() else []),
        f"--essential-hook=tar-in {work}/overlay.tar /",
        f"--customize-hook={hook}",
        # mmdebstrap's own clean-up would empty the lists that say what the local archive holds.
        "--skip=cleanup/apt/lists",
        sources.codename(distro), work / "root.tar", *source_lines,
    ]  # fmt: skip
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    private = command.private_namespaces()
    if private:
        # Its tree goes with ours, and what it mounts there is not to be seen from here, so that removing is safe.
        environment["TMPDIR"] = str(work)
    command.run([*private, *args], env=environment)


def _file_system(work: Path) -> None:
    tree, image = work / "tree", work / "root.img"
    tree.mkdir(mode=0o755)
    # $1 archive, $2 folder, $3 image, $4 mke2fs
    script = f"""
        tar --extract --file "$1" --directory "$2" --numeric-owner --exclude './dev/*'
        "$4" -q -t ext4 -L root -O {FEATURES} -I 256 -E lazy_itable_init=0,lazy_journal_init=0 \\
            -d "$2" "$3" {DISK_BYTES >> 10}k
    """
    # Owners and modes must reach mke2fs: as root they are real, else fakeroot remembers them. File capabilities do not
    # come along: fakeroot loses the type of a file that gets one, and an image must be the same whoever builds it.
    prefix = [] if os.geteuid() == 0 else [command.find("fakeroot")]
    command.run([*prefix, "sh", "-euc", script, "sh", work / "root.tar", tree, image, command.find("mke2fs")])


def _boot_disk(work: Path, arch: str) -> None:
    tree = work / "iso"
    (tree / "boot" / "grub").mkdir(parents=True)
    (tree / "boot" / "grub" / "grub.cfg").write_text(GRUB_CFG, encoding="ascii")
    slim = ["--compress=xz", "--fonts=", "--locales=", "--themes="]
    command.run(
        ["grub-mkrescue", "--quiet", f"--directory={GRUB[arch][0]}", f"--output={work / 'boot.iso'}", *slim, tree]
    )
