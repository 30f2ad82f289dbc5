# SPDX-License-Identifier: Apache-2.0
"""What a user is told instead of a traceback."""

from __future__ import annotations


class CollectorError(Exception):
    """Ends a command: cli.main() prints each of `messages` and exits with `status`."""

    status = 1

    def __init__(self, *messages: str) -> None:
        super().__init__("\n".join(messages))
        self.messages = messages


class InputError(CollectorError):
    """Input that cannot be used; the message names file and line, and says why."""
