# SPDX-License-Identifier: Apache-2.0
"""The one error of the lab's scripts: what went wrong and what the user can do about it."""

from __future__ import annotations


class LabError(Exception):
    """Printed as ``message`` and, on a line of its own, ``remedy``."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message
