# SPDX-License-Identifier: Apache-2.0
"""How the command line writes problems and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .errors import PackError


def marked(problems: Iterable[PackError]) -> str:
    """`file:line: error: what — remedy` lines."""
    lines = []
    for problem in problems:
        place = f"{problem.file}:{problem.line}" if problem.line else problem.file
        lines.append(f"{place}: {problem.level}: {problem.message} — {problem.remedy}")
    return "\n".join(lines)


def table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Left-aligned columns under their names."""
    cells = [list(columns), *([str(row[column]) for column in columns] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells)
