# SPDX-License-Identifier: Apache-2.0
"""The files of one host under ``<state>/hosts/<name>/``: its disk (an overlay over the image), seed and host key."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from . import command, image, keys, seed
from .errors import LabError
from .spec import HostSpec


def folder(spec: HostSpec) -> Path:
    """Where the host's files lie."""
    return Path(spec["state_dir"]) / "hosts" / spec["name"]


def image_folder(spec: HostSpec) -> Path:
    """The built image this lab uses for the host's distro and architecture."""
    pointer = Path(spec["state_dir"]) / "images" / f"{spec['distro']}-{spec['arch']}.json"
    try:
        return Path(json.loads(pointer.read_text(encoding="utf-8"))["folder"])
    except FileNotFoundError as error:
        raise LabError(f"{pointer} is missing", "terraform apply builds the image and writes it") from error


def create(spec: HostSpec) -> None:
    """Make whatever the host lacks; a disk over the same image is kept with all that is on it."""
    home = folder(spec)
    home.mkdir(parents=True, exist_ok=True)
    authorized = keys.ensure(Path(spec["state_dir"]) / "ssh_key", "lab")
    host_key = home / "ssh_host_ed25519_key"
    public = keys.ensure(host_key, f"root@{spec['name']}")
    keys.write_known_hosts(home / "known_hosts", spec["address"], spec["port"], public)

    if spec["image"]:
        base, kind, build = Path(spec["image"]), _format(Path(spec["image"])), spec["image"]
        seed.write_nocloud(home / "seed.img", spec["name"], spec["user_data"], host_key)
    else:
        base, kind = image_folder(spec) / "root.img", "raw"
        build = image.read_manifest(base.parent)["build"]
        seed.write_tar(home / "seed.img", spec["name"], authorized, host_key, spec["bob_password"])

    disk, origin = home / "disk.qcow2", home / "disk.origin"
    if disk.exists() and origin.exists() and origin.read_text(encoding="utf-8") == build:
        print(f"    {spec['name']}: its disk is kept", flush=True)
        return
    disk.unlink(missing_ok=True)
    command.run([command.find("qemu-img"), "create", "-q", "-f", "qcow2", "-b", base, "-F", kind, disk])
    origin.write_text(build, encoding="utf-8")
    print(f"    {spec['name']}: fresh disk over {base}", flush=True)


def remove(spec: HostSpec) -> None:
    """Delete the host's files."""
    if folder(spec).exists():
        shutil.rmtree(folder(spec))


def _format(path: Path) -> str:
    ask = [command.find("qemu-img"), "info", "--output=json", str(path)]
    answer = subprocess.run(ask, check=False, capture_output=True, text=True)
    if answer.returncode != 0:
        raise LabError(
            f"{path} is not a disk image: {answer.stderr.strip()}",
            "give a cloud image (qcow2 or raw) with -var image=…",
        )
    return str(json.loads(answer.stdout)["format"])
