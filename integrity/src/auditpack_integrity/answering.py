# SPDX-License-Identifier: Apache-2.0
"""The service's end of control.py: requests come by a socket, the askers are told of progress and of the end."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import Final

from .config import Config
from .holding import control_path

REQUESTS: Final = ("scan", "scan full")
_MOST: Final = 16
_EACH: Final = 0.5


class Answering:
    """Has a `fileno`, so that a wait ends when somebody asks."""

    def __init__(self, config: Config) -> None:
        self._path = control_path(config)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(self._path)
        os.chmod(self._path, 0o660)
        self._server.listen(4)
        self._server.setblocking(False)
        self._waiting: list[socket.socket] = []
        self._askers: list[socket.socket] = []
        self._told = 0.0

    def fileno(self) -> int:
        return self._server.fileno()

    def requests(self) -> list[str]:
        """What was newly asked."""
        out: list[str] = []
        while True:
            try:
                asker, _ = self._server.accept()
            except BlockingIOError:
                return out
            asker.settimeout(0.5)
            try:
                request = asker.recv(256).decode("utf-8", "replace").strip()
                if request not in REQUESTS or len(self._waiting) >= _MOST:
                    asker.sendall(f"refused: {request!r}; known are {', '.join(REQUESTS)}\n".encode())
                    asker.close()
                    continue
            except OSError:
                asker.close()
                continue
            self._waiting.append(asker)
            out.append(request)

    def begin(self) -> None:
        """What is begun now answers all who have asked so far; who asks later gets the next."""
        self._askers += self._waiting
        self._waiting.clear()

    def answer(self, line: str, last: bool = False) -> None:
        """Tell all who asked; lines in between at most twice a second."""
        now = time.monotonic()
        if not self._askers or (not last and now - self._told < _EACH):
            return
        self._told = now
        for asker in list(self._askers):
            try:
                asker.sendall(line.encode("utf-8", "replace") + b"\n")
            except OSError:
                self._askers.remove(asker)
                asker.close()
        if last:
            for asker in self._askers:
                asker.close()
            self._askers.clear()

    def close(self) -> None:
        for asker in (*self._askers, *self._waiting):
            asker.close()
        self._server.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
