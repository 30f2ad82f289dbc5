# SPDX-License-Identifier: Apache-2.0
"""Start a host and wait until it can be logged in to; stop it again."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

from . import disk, guard, process, qemu
from .errors import LabError
from .spec import HostSpec

BOOT_SECONDS = {"kvm": 120.0, "tcg": 600.0}


def record_file(home: Path) -> Path:
    """Where the record of the host's QEMU lies; Terraform reads it at plan time."""
    return home / "process.json"


def start(spec: HostSpec) -> None:
    """Boot the host's disk; return when sshd answers. On failure nothing runs any more and LabError says why."""
    home = disk.folder(spec)
    process.stop(record_file(home))
    _check_port(spec)
    accel = qemu.choose_accel(spec)
    words = qemu.arguments(spec, accel, qemu.disks(spec))
    (home / "serial.log").unlink(missing_ok=True)
    size = f"{spec['arch']}, {spec['memory']} MiB, {spec['cpus']} cpus"
    print(f"==> boot {spec['name']} ({spec['distro']}, {size}, {accel})", flush=True)
    (home / "nonce").unlink(missing_ok=True)
    with guard.guarded(lambda: _rescue(home)):
        _launch(home, words)
        seconds = _wait(spec, home, BOOT_SECONDS[accel])
        (home / "nonce").write_text(spec["nonce"], encoding="utf-8")
    print(f"    {spec['name']}: up after {seconds:.0f} s", flush=True)


def stop(home: Path) -> None:
    """End the host's QEMU, if it is ours and runs."""
    running = process.stop(record_file(home))
    (home / "nonce").unlink(missing_ok=True)
    print(f"    {home.name}: {'stopped' if running else 'was not running'}", flush=True)


def _rescue(home: Path) -> None:
    process.stop(record_file(home))


def _launch(home: Path, words: list[str]) -> None:
    if os.fork() != 0:
        return
    try:
        os.chdir(home)
        guard.detach(os.open("qemu.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        process.write(record_file(home), process.own_record())  # pid and start time stay the same across exec
        os.execv(words[0], words)  # noqa: S606 - no shell wanted
    except OSError as error:
        os.write(2, f"{words[0]}: {error}\n".encode())
    finally:
        os._exit(127)


def _check_port(spec: HostSpec) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((spec["address"], spec["port"]))
        except OSError as error:
            raise LabError(
                f"{spec['name']}: {spec['address']}:{spec['port']} cannot be used ({error.strerror})",
                "another lab or program has the port: choose others with -var port_base=…",
            ) from error


def _wait(spec: HostSpec, home: Path, limit: float) -> float:
    """Seconds until sshd sent its banner; plain TCP, gently, since Debian 13's sshd penalises eager clients."""
    begin = time.monotonic()
    said = 0
    while True:
        time.sleep(1.0)
        elapsed = time.monotonic() - begin
        record = process.read(record_file(home))
        if elapsed > 2 and not process.is_alive(record):
            raise LabError(
                f"{spec['name']}: QEMU ended: {_tail(home / 'qemu.log')}", f"see {home}/qemu.log and serial.log"
            )
        if _banner(spec) and (not spec["image"] or _takes_the_key(spec, home)):
            return elapsed
        if elapsed > limit:
            raise LabError(
                f"{spec['name']}: no SSH banner after {limit:.0f} s; its console:\n{_tail(home / 'serial.log')}",
                f"all of it: {home}/serial.log",
            )
        if elapsed // 10 > said:
            said = int(elapsed // 10)
            print(f"    {spec['name']}: booting, {elapsed:.0f} s", flush=True)


def _banner(spec: HostSpec) -> bool:
    try:
        with socket.create_connection((spec["address"], spec["port"]), timeout=5) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _takes_the_key(spec: HostSpec, home: Path) -> bool:
    """Whether root may log in: cloud-init starts sshd before it puts the lab's key there. Asked every five seconds."""
    key = Path(spec["state_dir"]) / "ssh_key"
    line = ["ssh", "-n", "-T", "-i", str(key), "-p", str(spec["port"]), "-o", f"UserKnownHostsFile={home}/known_hosts"]
    line += ["-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"]
    line += ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", f"root@{spec['address']}", "true"]
    if subprocess.run(line, check=False, capture_output=True, timeout=60).returncode == 0:
        return True
    time.sleep(4.0)
    return False


def _tail(path: Path, lines: int = 15) -> str:
    if not path.exists():
        return "(nothing was written)"
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
