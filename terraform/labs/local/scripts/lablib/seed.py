# SPDX-License-Identifier: Apache-2.0
"""The seed disk: what makes a host of an image, read on its first boot.

Our own image unpacks a bare tar archive (image/root/usr/lib/lab/seed). A cloud image reads a NoCloud volume, that is
an ISO 9660 file system labelled CIDATA (cloud-init documentation, datasource NoCloud).
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import tempfile
from pathlib import Path

from . import command


def write_tar(target: Path, hostname: str, authorized: str, host_key: Path, bob_password: str) -> None:
    """The archive for an image of ours."""
    files = {
        "etc/hostname": (f"{hostname}\n", 0o644),
        "etc/hosts": (f"127.0.0.1 localhost\n127.0.1.1 {hostname}\n::1 localhost ip6-localhost ip6-loopback\n", 0o644),
        "etc/ssh/ssh_host_ed25519_key": (host_key.read_text(encoding="ascii"), 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": (host_key.with_suffix(".pub").read_text(encoding="ascii"), 0o644),
        "var/lib/lab/chpasswd": (f"bob:{bob_password}\n", 0o600),
    }
    for home in ("root", "home/alice", "home/bob"):
        files[f"{home}/.ssh/authorized_keys"] = (f"{authorized}\n", 0o600)
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, (text, mode) in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))


def write_nocloud(target: Path, hostname: str, user_data: str, host_key: Path) -> None:
    """The volume for a cloud image; the host's private key travels as vendor data, apart from the user data."""
    private = host_key.read_text(encoding="ascii")
    public = host_key.with_suffix(".pub").read_text(encoding="ascii")
    vendor = {"ssh_deletekeys": True, "ssh_keys": {"ed25519_private": private, "ed25519_public": public}}
    folder = Path(tempfile.mkdtemp(prefix="seed-", dir=target.parent))
    try:
        (folder / "meta-data").write_text(
            json.dumps({"instance-id": hostname, "local-hostname": hostname}) + "\n", encoding="utf-8"
        )
        (folder / "user-data").write_text(user_data, encoding="utf-8")
        (folder / "vendor-data").write_text("#cloud-config\n" + json.dumps(vendor) + "\n", encoding="utf-8")
        iso: list[str | Path] = [
            "-as",
            "mkisofs",
            "-quiet",
            "-volid",
            "CIDATA",
            "-joliet",
            "-rock",
            "-output",
            target,
            folder,
        ]
        command.run([command.find("xorriso"), *iso])
    finally:
        shutil.rmtree(folder)
