# SPDX-License-Identifier: Apache-2.0
"""QEMU: its command line, and the choice between KVM and emulation."""

from __future__ import annotations

import json
import os
import platform
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from . import command, disk, image, lock, process, seed
from .errors import LabError
from .spec import HostSpec

PROBE_SECONDS = 40.0
FIRMWARE = {"amd64": [], "arm64": ["/usr/share/qemu-efi-aarch64/QEMU_EFI.fd", "/usr/share/AAVMF/AAVMF_CODE.fd"]}
PROGRAMS = {"amd64": "qemu-system-x86_64", "arm64": "qemu-system-aarch64"}
MACHINES = {"amd64": "q35", "arm64": "virt"}
ACCEL_WORDS = {
    "kvm": ["-accel", "kvm", "-cpu", "host"],
    "tcg": ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max"],
}


def arguments(spec: HostSpec, accel: str, disks: Sequence[str], forward: bool = True) -> list[str]:
    """The command line, to be run in the host's folder. `disks` are -drive properties, the first one boots."""
    arch = spec["arch"]
    words = [
        command.find(PROGRAMS[arch]), "-nodefaults", "-no-user-config", "-display", "none",
        "-name", spec["name"], "-machine", MACHINES[arch], "-m", str(spec["memory"]), "-smp", str(spec["cpus"]),
        *ACCEL_WORDS[accel],
        "-device", "virtio-rng-pci", "-serial", "file:serial.log",
    ]  # fmt: skip
    if FIRMWARE[arch]:
        firmware = next((path for path in FIRMWARE[arch] if Path(path).exists()), None)
        if firmware is None:
            raise LabError(f"no UEFI firmware for {arch} on this machine", "apt-get install qemu-efi-aarch64")
        words += ["-bios", firmware]
    for index, properties in enumerate(disks):
        boot = ",bootindex=0" if index == 0 else ""
        serial = ",serial=seed" if properties.startswith("file=seed.img") else ""
        words += [
            "-drive",
            f"if=none,id=disk{index},{properties}",
            "-device",
            f"virtio-blk-pci,drive=disk{index}{serial}{boot}",
        ]
    network = f",hostfwd=tcp:{spec['address']}:{spec['port']}-:22" if forward else ""
    return [*words, "-netdev", f"user,id=net{network}", "-device", "virtio-net-pci,netdev=net"]


def disks(spec: HostSpec, root: str = "file=disk.qcow2,format=qcow2,cache=unsafe") -> list[str]:
    """The drives of a host. cache=unsafe: what the guest wrote survives QEMU's death, not the machine's power cut."""
    seed_disk = "file=seed.img,format=raw,readonly=on"
    if spec["image"]:
        return [root, seed_disk]
    return [f"file={_escape(disk.image_folder(spec) / 'boot.iso')},format=raw,readonly=on", root, seed_disk]


def choose_accel(spec: HostSpec) -> str:
    """`kvm` or `tcg`. `auto` tries the image under KVM, once per boot of this machine."""
    wish = spec["accel"]
    if wish != "auto":
        return wish
    if image.MACHINES.get(platform.machine()) != spec["arch"]:
        return "tcg"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    kernel = spec["image"] or disk.image_folder(spec).name
    key = [process.BOOT_ID.read_text(encoding="ascii").strip(), kernel]
    with lock.locked(Path(spec["cache_dir"]) / "accel"):
        verdict = Path(spec["cache_dir"]) / "accel" / "verdict.json"
        known = json.loads(verdict.read_text(encoding="utf-8")) if verdict.exists() else {}
        name = " ".join(key)
        if name not in known:
            known = {name: _probe(spec), **{k: v for k, v in known.items() if k.startswith(key[0])}}
            verdict.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        return str(known[name])


def _probe(spec: HostSpec) -> str:
    """Boot the image under KVM on a throw-away overlay; a login prompt in time is the proof that KVM works."""
    print(
        f"==> try KVM with {spec['distro']} (at most {PROBE_SECONDS:.0f} s, once per boot of this machine)", flush=True
    )
    with tempfile.TemporaryDirectory(prefix="kvm-") as name:
        work = Path(name)
        host = disk.folder(spec)
        base = spec["image"] or str(disk.image_folder(spec) / "root.img")
        seed.write_tar(work / "seed.img", "probe", "", host / "ssh_host_ed25519_key", "probe")
        root = f"file={_escape(Path(base))},snapshot=on" + ("" if spec["image"] else ",format=raw")
        words = arguments(spec, "kvm", disks(spec, root), forward=False)
        with (work / "qemu.log").open("wb") as log:
            qemu = command.spawn(words, work, log)
            try:
                begin = time.monotonic()
                while time.monotonic() - begin < PROBE_SECONDS and qemu.poll() is None:
                    serial = work / "serial.log"
                    if serial.exists() and b"login:" in serial.read_bytes():
                        print(f"    KVM works: login prompt after {time.monotonic() - begin:.1f} s", flush=True)
                        return "kvm"
                    time.sleep(0.5)
            finally:
                if qemu.poll() is None:
                    qemu.send_signal(signal.SIGKILL)
                qemu.wait()
        reason = (work / "qemu.log").read_text(encoding="utf-8", errors="replace").strip().partition("\n")[
            0
        ] or "no login prompt in time"
        print(f"    KVM does not work here ({reason}): the hosts are emulated (TCG), which is slower", flush=True)
        return "tcg"


def _escape(path: Path) -> str:
    return str(path).replace(",", ",,")  # qemu(1): a comma inside a property is doubled
