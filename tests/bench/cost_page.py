# SPDX-License-Identifier: Apache-2.0
"""Figures of `tests.bench.cost` → the table docs/packs/cost.md and the picture docs/images/cost.svg."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

WORKS = {"idle": "idle", "apt": "apt-get install", "build": "build", "web": "web server"}
_COLOURS = {"no rules": "#9ca3af", "never,task": "#9ca3af", "broad set": "#dc2626"}


def write_page(figures: Mapping[str, Any], file: Path) -> None:
    """The table, with what it was measured on and how to measure again."""
    sets = figures["sets"]
    plain = sets["no rules"]["work"]["build"]["seconds"]
    rows = []
    for name, one in sets.items():
        work = one["work"]
        cells = [name, str(one["rules"]), f"{one['call_us']:.1f}" if "call_us" in one else "-"]
        cells += [f"{_per_hour(work['idle'], figures['idle'], 'events'):,.0f}",
                  f"{_per_hour(work['idle'], figures['idle'], 'bytes') / 1000:,.0f}"]  # fmt: skip
        for kind in ("apt", "build", "web"):
            cells.append(f"{work[kind]['events']:,} ({work[kind]['bytes'] / 1000:,.0f} kB)")
        seconds = work["build"]["seconds"]
        cells += [f"{seconds:.1f} s ({(seconds / plain - 1) * 100:+.0f} %)", hottest(work["build"], figures["owners"])]
        cells.append(str(sum(part["lost"] for part in work.values())))
        rows.append(f"| {' | '.join(cells)} |")
    head = ["rules", "loaded", "µs per call", "events/h idle", "kB/h idle", "apt-get install", "build", "web server",
            "time of the build", "hottest key of the build", "lost"]  # fmt: skip
    units, times = figures["work"], figures["repeat"]
    command = f"python -m tests.bench.cost -i INVENTORY --host HOST --work {units} --idle {figures['idle']}"
    text = f"""<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by `python -m tests.bench.cost`. -->
# What packs cost

Measured by `{command} --repeat {times}` on a lab host: {figures["distro"]},
kernel {figures["kernel"]}, audit {figures["audit"]}, {figures["machine"]}. A lab host may run without hardware
virtualisation and beside others: times are to be compared with each other, not with those of a real host. Events and
bytes are what the collector writes as `ecs`. {figures.get("note", "")}

- µs per call: the cheapest system call of a person, getppid; no rule asks for it, and still the kernel looks.
- idle: {figures["idle"]} s of nothing, told per hour.
- apt-get install: a package of 200 files by an administrator, built, installed and purged.
- build: {units:,} programs started and {3 * units:,} files opened by a person; the quickest of {times}.
- web server: {units:,} requests to a server of www-data.
- broad set: watches without arch and system calls of everybody, as the most copied set of rules has them.

![Time of the build by set of rules](../images/cost.svg)

| {" | ".join(head)} |
|{"---|" * len(head)}
{chr(10).join(rows)}
"""
    file.write_text(text, encoding="utf-8")


def _per_hour(work: Mapping[str, Any], seconds: float, what: str) -> float:
    return float(work[what]) * 3600 / seconds


def hottest(work: Mapping[str, Any], owners: Mapping[str, str]) -> str:
    """The key with most events, its pack and its share."""
    keys = {key: number for key, number in work["keys"].items() if key != "-"}
    if not keys:
        return "-"
    key = max(keys, key=lambda one: keys[one])
    owner = f" ({owners[key]})" if key in owners else ""
    return f"`{key}`{owner} {keys[key] * 100 / max(1, work['events']):.0f} %"


def picture(figures: Mapping[str, Any]) -> str:
    """Bars of the build's seconds, and beside them its events."""
    sets = figures["sets"]
    most = max(one["work"]["build"]["seconds"] for one in sets.values())
    left, wide, high = 190, 420, 26
    rows = []
    for number, (name, one) in enumerate(sets.items()):
        build = one["work"]["build"]
        top, length = 44 + number * high, build["seconds"] / most * wide
        colour = _COLOURS.get(name, "#2563eb")
        rows.append(
            f'<text x="{left - 8}" y="{top + 13}" text-anchor="end">{escape(name)} ({one["rules"]})</text>'
            f'<rect x="{left}" y="{top}" width="{length:.1f}" height="18" fill="{colour}"/>'
            f'<text x="{left + length + 6:.1f}" y="{top + 13}">'
            f"{build['seconds']:.1f} s, {build['events']:,} events</text>"
        )
    tall = 56 + len(sets) * high
    title = f"{figures['work']:,} programs and {3 * figures['work']:,} opens on {figures['distro']} (rules loaded)"
    return (
        "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
        f'<svg xmlns="http://www.w3.org/2000/svg" width="820" height="{tall}" viewBox="0 0 820 {tall}" '
        'font-family="sans-serif" font-size="12" role="img">\n'
        f'<rect width="820" height="{tall}" fill="#ffffff"/>\n'
        f'<text x="16" y="24" font-size="14">{escape(title)}</text>\n' + "\n".join(rows) + "\n</svg>\n"
    )
