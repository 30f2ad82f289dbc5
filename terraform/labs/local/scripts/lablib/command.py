# SPDX-License-Identifier: Apache-2.0
"""Run other programs so that none of them outlives us, and say how long each stage took."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from . import guard
from .errors import LabError

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "grub-mkrescue": "grub-common grub-pc-bin",
    "xorriso": "xorriso",
    "xz": "xz-utils",
    "fakeroot": "fakeroot",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-system-aarch64": "qemu-system-arm",
    "ssh-keygen": "openssh-client",
}


def find(program: str) -> str:
    """Absolute path of `program`; /sbin is searched too, because users' PATH often lacks it."""
    path = shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin")
    if path is None:
        raise LabError(f"{program} is not installed", f"apt-get install {PACKAGES.get(program, program)}")
    return path


def die_with_parent() -> None:
    """In a forked child: ask the kernel for SIGTERM when the parent dies, however it dies (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def spawn(words: Sequence[str], cwd: Path | None, output: IO[bytes] | None, **rest: Any) -> subprocess.Popen[bytes]:
    """Start a program that ends with us; without `output` its messages go where ours go."""
    return subprocess.Popen(
        words,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - the lab's scripts have one thread
        **rest,
    )


def run(args: Sequence[str | Path], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    """Run to the end, output straight through; raise LabError when it fails. Ends all of its children with us."""
    words = [str(arg) for arg in args]
    process = spawn(words, cwd, None, env=env, start_new_session=True)

    def end() -> None:
        with contextlib.suppress(ProcessLookupError):  # the group is gone
            os.killpg(process.pid, signal.SIGTERM)
            for _ in range(100):
                process.poll()
                os.killpg(process.pid, 0)
                time.sleep(0.1)
            os.killpg(process.pid, signal.SIGKILL)

    with guard.guarded(end):
        code = process.wait()
    if code != 0:
        raise LabError(f"{words[0]} failed with exit status {code}", "its own messages stand above")


def private_namespaces() -> list[str]:
    """Words to put before a program that mounts and forks, so that its mounts and children cannot outlive it.

    Only root can (and where even root may not, in some containers, nothing can be mounted either): otherwise [].
    """
    words = [find("unshare"), "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0 or subprocess.run([*words, "true"], check=False, capture_output=True).returncode != 0:
        return []
    return words


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Print the name of a stage, and its time when it is done."""
    print(f"==> {name}", flush=True)
    begin = time.monotonic()
    yield
    print(f"    {name}: done in {time.monotonic() - begin:.1f} s", flush=True)
