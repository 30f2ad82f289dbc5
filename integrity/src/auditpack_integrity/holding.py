# SPDX-License-Identifier: Apache-2.0
"""One writer at a time: the service, or a scan by hand where no service runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from .config import Config
from .errors import IntegrityError


@contextlib.contextmanager
def held(config: Config) -> Iterator[bool]:
    """Whether this process holds the baseline for writing; False when another does. Death releases it."""
    path = Path(config.state) / "lock"
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except FileNotFoundError as error:
        raise IntegrityError(f"{config.state}: no such directory — create it, or set state") from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(fd)


def control_path(config: Config) -> str:
    """The service's socket for requests: it must be short enough for a socket address, which state need not be."""
    return f"{config.state}/control"
