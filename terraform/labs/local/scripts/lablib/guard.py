# SPDX-License-Identifier: Apache-2.0
"""Clean up after ourselves even when we are killed: Terraform ends an interrupted provisioner with SIGKILL.

A guard process holds the reading end of a pipe whose writing end only we have. When the pipe closes without the word
that all is well, we are dead or have failed, and the guard does the rescue.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

WELL = b"."


def detach(output: int | None = None) -> None:
    """In a forked child: a session of its own, and none of the caller's stdin, stdout and stderr."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor, target in ((null, 0), (output or null, 1), (output or null, 2)):
        os.dup2(descriptor, target)


@contextlib.contextmanager
def guarded(rescue: Callable[[], None]) -> Iterator[None]:
    """Run the body; if it does not come to a good end, by exception or by our death, the guard calls `rescue`."""
    reading, writing = os.pipe()  # neither end is inherited across exec
    child = os.fork()
    if child == 0:
        try:
            os.close(writing)
            detach()
            if os.read(reading, 1) != WELL:
                rescue()
        finally:
            os._exit(0)
    os.close(reading)
    try:
        yield
        os.write(writing, WELL)
    finally:
        os.close(writing)
        os.waitpid(child, 0)
