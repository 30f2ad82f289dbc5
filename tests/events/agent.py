# SPDX-License-Identifier: Apache-2.0
"""Executes triggers inside one user's own SSH session, so that auid and session are those of a real login.

Started by the controller as `python3 -m events.agent <socket>`; takes one JSON line per trigger from the driver and
answers with one. Ends when the driver closes the socket. Runs on hosts: standard library, Python >= 3.9.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

TAIL = 4000  # characters kept of stdout and of stderr


class Shell:
    """Runs `sh -c` commands; output goes to anonymous memory, so that no pipe blocks and no file is touched."""

    def __init__(self) -> None:
        self._out = os.memfd_create("stdout")
        self._err = os.memfd_create("stderr")

    def run(self, command: str, env: Mapping[str, str], cwd: str, timeout: float) -> dict[str, Any]:
        """`{"rc", "stdout", "stderr", "seconds", "group"}`; `rc` is None when the time ran out, -N for signal N.

        The command begins a process group of its own; whoever asked ends what is left of it.
        """
        for stream in (self._out, self._err):
            os.ftruncate(stream, 0)
            os.lseek(stream, 0, os.SEEK_SET)
        started = time.monotonic()
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            env={**os.environ, **env},
            cwd=cwd,
            start_new_session=True,
        )
        try:
            rc: int | None = process.wait(timeout)
        except subprocess.TimeoutExpired:
            rc = None
        return {
            "rc": rc,
            "stdout": _tail(self._out),
            "stderr": _tail(self._err),
            "seconds": round(time.monotonic() - started, 3),
            "group": process.pid,
        }


def _tail(stream: int) -> str:
    size = os.fstat(stream).st_size
    return os.pread(stream, TAIL, max(0, size - TAIL)).decode(errors="replace")


def main(path: str) -> None:
    """Serve the driver that listens at `path`."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.connect(path)
    shell = Shell()
    # When the driver breaks off, it is the one to say why.
    with contextlib.suppress(ConnectionResetError, BrokenPipeError), link.makefile("rwb") as stream:
        for line in stream:
            request = json.loads(line)
            answer = shell.run(request["command"], request["env"], request["cwd"], request["timeout"])
            stream.write(json.dumps(answer).encode() + b"\n")
            stream.flush()


if __name__ == "__main__":
    main(sys.argv[1])
