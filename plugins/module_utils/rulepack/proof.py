# SPDX-License-Identifier: Apache-2.0
"""What proof.json says of a rule. A row: {pack, rule, case, host, distro, kernel, audit, arch, verdict, reason, …}."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import PackError
from .model import Rule

DEFAULT = Path("build/proof/proof.json")
PROVEN, NOT_PROVEN = "proven", "not proven"
NOT_PROVABLE, NOT_APPLICABLE = "not provable here", "not applicable"

_NEEDED = ("rule", "case", "host", "distro", "kernel", "audit", "arch", "verdict", "reason", "event")
_NOT_THERE = (  # why a rule was not rendered on a host: render._inactive, _rule_lines and _present
    "not in benchmark",
    "is not on this host",
    "is empty on this host",
    "this host has no",
    "needs audit",
    "needs kernel",
    " only, this is ",
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Proof:
    """`rows` by rule id; `file` is empty when there is no proof."""

    file: str = ""
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def of(self, rule: Rule, distro: str = "") -> list[Row]:
        """The rows of a rule; those of hosts of `distro` (`debian 12`) alone when the proof has such hosts."""
        mine = list(self.rows.get(rule.id, ()))
        here = distro and any(row["distro"] == distro for rows in self.rows.values() for row in rows)
        return [row for row in mine if row["distro"] == distro] if here else mine

    def status(self, rule: Rule, distro: str = "") -> str:
        """One of the four words: a failed case outweighs a proven one, and a rule without a row is not proven."""
        return worst(_word(row, rule) for row in self.of(rule, distro))

    def by_host(self, rule: Rule) -> dict[str, str]:
        """Host (distro, kernel, audit version and machine) → one of the four words."""
        hosts: dict[str, list[Row]] = {}
        for row in self.of(rule):
            hosts.setdefault("{distro}, kernel {kernel}, audit {audit}, {arch}".format(**row), []).append(row)
        return {host: worst(_word(row, rule) for row in rows) for host, rows in hosts.items()}


def _word(row: Row, rule: Rule) -> str:
    """What one case says of the rule; empty when it says nothing: a negative case passes where the rule is dead too."""
    if row["verdict"] == "proven":
        return PROVEN if _own_event(row["event"], rule.key) else ""
    if row["verdict"] != "not-applicable":
        return "failed" if row["verdict"] == "failed" else NOT_PROVEN
    if row["reason"].startswith("sandbox") or row["reason"].endswith("is not set"):
        return NOT_PROVEN
    return NOT_APPLICABLE if any(text in row["reason"] for text in _NOT_THERE) else NOT_PROVABLE


def _own_event(event: Any, key: str) -> bool:
    """Whether the rule's key is one of the event's; a rule without one is proven by state or by silence."""
    return not key or (isinstance(event, dict) and key in _keys(event))


def _keys(event: Mapping[str, Any]) -> list[str]:
    """The keys of an event in either format of the collector: `tags`, or the SYSCALL record's as LAUREL prints it."""
    if "tags" in event:
        return list(event["tags"])
    found = (event.get("SYSCALL") or {}).get("key") or ""
    return found.split("\x01") if isinstance(found, str) else list(found)


def worst(words: Iterable[str]) -> str:
    """One word for many cases of one rule."""
    found = set(words)
    if "failed" in found:
        return NOT_PROVEN
    return next((word for word in (PROVEN, NOT_PROVEN, NOT_PROVABLE, NOT_APPLICABLE) if word in found), NOT_PROVEN)


def load(file: Path | None) -> Proof:
    """The proof in `file`; None: that of the last `make prove`, or an empty one. PackError when it is no proof."""
    chosen = file or DEFAULT
    remedy = "make one with `make prove`"
    try:
        rows = json.loads(chosen.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if file is None:
            return Proof()
        raise PackError(str(chosen), 0, "there is no such proof", remedy) from None
    except (OSError, ValueError) as failure:
        raise PackError(str(chosen), 0, f"this is no proof: {failure}", remedy) from None
    if not isinstance(rows, list):
        raise PackError(str(chosen), 0, "this is no proof: it is no list", remedy)
    grouped: dict[str, list[Row]] = {}
    for number, row in enumerate(rows, 1):
        lacking = [name for name in _NEEDED if not isinstance(row, dict) or name not in row]
        if lacking:
            raise PackError(str(chosen), 0, f"row {number} lacks {', '.join(lacking)}", remedy)
        grouped.setdefault(row["rule"], []).append({**row, "reason": row["reason"] or ""})
    return Proof(str(chosen), grouped)
