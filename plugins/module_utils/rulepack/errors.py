# SPDX-License-Identifier: Apache-2.0
"""What a user is told when a pack, a selection or a host does not fit."""

from __future__ import annotations

from collections.abc import Iterable


class PackError(Exception):
    """One thing that is wrong: where, what, and how to put it right.

    `level` is `error` or `warning`; a warning is collected like an error and never raised.
    """

    def __init__(self, file: str, line: int, message: str, remedy: str, level: str = "error") -> None:
        super().__init__(file, line, message, remedy, level)
        self.file = file
        self.line = line
        self.message = message
        self.remedy = remedy
        self.level = level

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        kind = "warning: " if self.level == "warning" else ""
        return f"{place}{kind}{self.message} — {self.remedy}"


class PackErrors(Exception):
    """All that is wrong, to be put right at once; prints one `file:line: message — remedy` per line."""

    def __init__(self, errors: Iterable[PackError]) -> None:
        self.errors = [error for error in errors if error.level == "error"]
        super().__init__(self.errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def raise_if_any(errors: Iterable[PackError]) -> None:
    """Raise PackErrors when at least one of them is an error."""
    found = [error for error in errors if error.level == "error"]
    if found:
        raise PackErrors(found)
