# SPDX-License-Identifier: Apache-2.0
"""Where Debian packages come from: a given mirror, else the machine's own apt sources, else mmdebstrap's default."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from .errors import LabError

CODENAMES = {"debian11": "bullseye", "debian12": "bookworm", "debian13": "trixie"}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ASK_APT = "$(ORIGIN)|$(COMPONENT)|$(REPO_URI)|$(RELEASE)"


def codename(distro: str) -> str:
    """`debian12` → `bookworm`."""
    if distro not in CODENAMES:
        raise LabError(
            f"no image can be built for {distro!r}",
            f"one of {', '.join(CODENAMES)}, or give a cloud image (-var image=…)",
        )
    return CODENAMES[distro]


def machine_archives() -> list[str]:
    """What apt on this machine knows: lines `origin|component|uri|suite`; empty where there is no apt."""
    apt = shutil.which("apt-get")
    if apt is None:
        return []
    ask = [apt, "indextargets", "--format", ASK_APT, "Created-By: Packages"]
    return subprocess.run(ask, check=True, capture_output=True, text=True).stdout.splitlines()


def debian_sources(distro: str, mirror: str, archives: Iterable[str]) -> list[str]:
    """One-line apt sources for `distro`; [] leaves the choice to mmdebstrap.

    `archives` is the answer of machine_archives(); only those of Debian itself count, whatever their suite: the mirror
    of one Debian release holds the others too. Updates and security are used where the machine uses them.
    """
    suite = codename(distro)
    option = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    if mirror:
        return [f"deb {option}{mirror} {suite} main", f"deb {option}{mirror} {suite}-updates main"]
    uris: dict[str, str] = {}
    for line in archives:
        origin, component, uri, release = line.split("|")
        if origin != "Debian" or component != "main":
            continue
        for suffix in ("-security", "-updates", "-backports"):
            if release.endswith(suffix):
                uris.setdefault(suffix, uri)
                break
        else:
            uris.setdefault("", uri)
    if "" not in uris:
        return []
    return [
        f"deb {option}{uris[suffix]} {suite}{suffix} main" for suffix in ("", "-updates", "-security") if suffix in uris
    ]
