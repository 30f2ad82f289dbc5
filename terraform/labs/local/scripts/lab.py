#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hands of the local lab; Terraform calls `lab.py <verb> '<json>'` (see main.tf), people call Terraform."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lablib import command, disk, host, image, keys, qemu
from lablib.errors import LabError


def make_key(spec: dict[str, Any]) -> None:
    """The lab's own SSH key."""
    state = Path(spec["state_dir"])
    keys.ensure(state / "ssh_key", "lab")
    (state / "ssh_key.nonce").write_text(spec["nonce"], encoding="utf-8")


def make_image(spec: dict[str, Any]) -> None:
    """Build the image if the cache lacks it, and note in the lab's state which one it is."""
    command.find(qemu.PROGRAMS[spec["arch"]])  # said before minutes are spent on an image nothing here can boot
    folder = image.ensure(spec["distro"], spec["arch"], Path(spec["cache_dir"]), spec["mirror"])
    pointer = Path(spec["state_dir"]) / "images" / f"{spec['distro']}-{spec['arch']}.json"
    pointer.parent.mkdir(parents=True, exist_ok=True)
    pointer.write_text(json.dumps({"folder": str(folder), "nonce": spec["nonce"]}) + "\n", encoding="utf-8")


def make_disk(spec: dict[str, Any]) -> None:
    """Disk, seed and keys of one host."""
    disk.create(spec)  # type: ignore[arg-type]
    (disk.folder(spec) / "disk.nonce").write_text(spec["nonce"], encoding="utf-8")  # type: ignore[arg-type]


def drop_disk(spec: dict[str, Any]) -> None:
    """Delete the files of one host, after making sure that nothing of it runs."""
    home = disk.folder(spec)  # type: ignore[arg-type]
    if home.exists():
        host.stop(home)
        shutil.rmtree(home)


def start(spec: dict[str, Any]) -> None:
    """Boot one host."""
    host.start(spec)  # type: ignore[arg-type]


def stop(spec: dict[str, Any]) -> None:
    """End one host's QEMU; its disk stays."""
    host.stop(disk.folder(spec))  # type: ignore[arg-type]


def destroy(spec: dict[str, Any]) -> None:
    """End and delete all of the lab, also what a half-failed apply left and Terraform does not know of."""
    state = Path(spec["state_dir"])
    for home in sorted(state.glob("hosts/*/")):
        host.stop(home)
    for name in ("hosts", "images"):
        if (state / name).exists():
            shutil.rmtree(state / name)
    for path in [*state.glob("ssh_key*"), *state.glob("inventory.json")]:
        path.unlink()


VERBS: dict[str, Callable[[dict[str, Any]], None]] = {
    "key": make_key,
    "image": make_image,
    "disk": make_disk,
    "drop-disk": drop_disk,
    "start": start,
    "stop": stop,
    "destroy": destroy,
}


def main(arguments: list[str]) -> int:
    """Exit status 0, or 1 with the error on stderr."""
    if len(arguments) != 2 or arguments[0] not in VERBS:
        print(f"usage: lab.py {'|'.join(VERBS)} JSON", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        VERBS[arguments[0]](json.loads(arguments[1]))
    except LabError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
