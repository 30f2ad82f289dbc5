# SPDX-License-Identifier: Apache-2.0
"""Regular expressions for the C, so that both implementations share one engine: Python's `re`, on bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .redact import Redactor

if TYPE_CHECKING:
    from .config import Redact
    from .filter_rules import Rule


class Callbacks:
    """Lines are those of one event, raw, without newline."""

    def __init__(self, rules: tuple[Rule, ...], redact: Redact | None) -> None:
        self._raw = [re.compile(rule.raw).search if rule.raw else None for rule in rules]
        self._redactor = None if redact is None else Redactor(redact)

    def raw(self, rule: int, lines: list[bytes]) -> bool:
        """Whether the rule's expression is found in one of the lines."""
        search = self._raw[rule]
        return search is not None and any(search(line) for line in lines)

    def redact(self, lines: list[bytes]) -> tuple[int, list[bytes]]:
        """(values taken out, the lines)"""
        return (0, lines) if self._redactor is None else self._redactor.lines(lines)
