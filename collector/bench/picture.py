# SPDX-License-Identifier: Apache-2.0
"""The comparison as a bar chart in SVG: CPU milliseconds per megabyte of log, shorter is better."""

from __future__ import annotations

from html import escape

LABELS, BARS, VALUES, ROW, TOP = 190, 470, 90, 26, 56


def svg(title: str, rows: list[tuple[str, float]]) -> str:
    """`rows`: name and CPU ms per MB. The pure Python is so far off that its bar is cut, which its end shows."""
    longest = max((value for name, value in rows if not name.startswith("Python")), default=1.0)
    width, height = LABELS + BARS + VALUES, TOP + ROW * len(rows) + 12
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<!-- SPDX-License-Identifier: Apache-2.0 -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        '<text x="12" y="22" font-size="15" font-weight="600" fill="#1b1f24">CPU per megabyte of audit log (ms)</text>',
        f'<text x="12" y="40" font-size="11" fill="#59636e">{escape(title)}; least CPU of the rounds</text>',
    ]
    for index, (name, value) in enumerate(rows):
        y = TOP + index * ROW
        share = min(1.0, value / longest)
        colour = "#8b949e" if name.startswith("LAUREL") else "#c9a227" if name.startswith("Python") else "#1a7f5a"
        parts.append(f'<text x="{LABELS - 8}" y="{y + 15}" text-anchor="end" fill="#1b1f24">{escape(name)}</text>')
        parts.append(f'<rect x="{LABELS}" y="{y + 2}" width="{BARS * share:.1f}" height="{ROW - 8}" fill="{colour}"/>')
        cut = " »" if value > longest else ""
        x = LABELS + BARS * share + 6
        parts.append(f'<text x="{x:.1f}" y="{y + 15}" fill="#1b1f24">{value:.1f}{cut}</text>')
    return "\n".join([*parts, "</svg>", ""])
