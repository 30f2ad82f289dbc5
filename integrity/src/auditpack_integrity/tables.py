# SPDX-License-Identifier: Apache-2.0
"""Plain tables for a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def shown(value: object) -> str:
    """Text that cannot move the cursor or turn the writing direction: such characters as \\xNN or \\uNNNN."""
    return _CONTROLS.sub(
        lambda match: f"\\x{ord(match[0]):02x}" if ord(match[0]) < 256 else f"\\u{ord(match[0]):04x}", str(value)
    )


def width(text: str) -> int:
    return sum(
        2 if unicodedata.east_asian_width(char) in "WF" else 0 if unicodedata.combining(char) else 1 for char in text
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns parted by two spaces; the last is not padded."""
    lines = [[shown(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(heads))]
    out = []
    for line in lines:
        cells = [cell + " " * (widths[at] - width(cell)) for at, cell in enumerate(line[:-1])]
        out.append("  ".join([*cells, line[-1]]).rstrip())
    return "\n".join(out)
