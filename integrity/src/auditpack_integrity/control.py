# SPDX-License-Identifier: Apache-2.0
"""Requests to the running service, over a socket in its state directory: a line asks, lines answer until the end."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from .config import Config
from .errors import IntegrityError
from .holding import control_path


def ask(config: Config, request: str) -> Iterator[str]:
    """The service's lines: progress, then `done …`. IntegrityError when it refuses or goes away."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(control_path(config))
        except OSError as error:
            raise IntegrityError(f"the holder of the baseline does not answer: {error.strerror}") from error
        connection.sendall(request.encode() + b"\n")
        with connection.makefile(encoding="utf-8", errors="replace") as lines:
            for raw in lines:
                line = raw.rstrip("\n")
                yield line
                if line.startswith("done"):
                    return
                if line.startswith("refused"):
                    raise IntegrityError(f"the service: {line}")
    raise IntegrityError("the service went away before the end of what was asked; ask again")
