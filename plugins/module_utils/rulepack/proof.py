# SPDX-License-Identifier: Apache-2.0
"""What proof.json says of a rule.

A row: {pack, rule, case, benchmark, host, distro, kernel, audit, arch, verdict, reason, event, …}; `benchmark` is the
one whose rules the host had, empty for packs that have none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import PackError
from .model import Benchmark, Rule

MADE = (("build/proof", "**/proof.json"), ("docs/proof", "**/*.json"))
"""Where proofs lie: those of the last runs on this machine (a fault's in a folder of its own), and those kept."""
PROOF_HELP = "a proof.json, may be repeated (default: all below build/proof and docs/proof)"
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
    """`rows` by rule id; `file` names where they are from, and is empty when there is no proof."""

    file: str = ""
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def of(self, rule: Rule, benchmark: Benchmark | None = None) -> list[Row]:
        """The rows of a rule that say something of it under the benchmark.

        When the proof has hosts of the benchmark, they alone count. Else other hosts speak for it, where the rule is
        the same there: RHEL's rule, loaded by another distribution's kernel.
        """
        mine = list(self.rows.get(rule.id, ()))
        if benchmark is None:
            return mine
        if any(_own(row, benchmark) for rows in self.rows.values() for row in rows):
            return [row for row in mine if _own(row, benchmark)]
        return [row for row in mine if _alike(row, rule, benchmark)]

    def status(self, rule: Rule, benchmark: Benchmark | None = None) -> str:
        """One of the four words: a failed case outweighs a proven one, and a rule without a row is not proven."""
        return worst(_word(row, rule, benchmark) for row in self.of(rule, benchmark))

    def by_host(self, rule: Rule, benchmark: Benchmark | None = None) -> dict[str, str]:
        """Host (distro, kernel, audit version and machine) → one of the four words."""
        hosts: dict[str, list[Row]] = {}
        for row in self.rows.get(rule.id, ()):
            if benchmark is None or _alike(row, rule, benchmark):
                hosts.setdefault("{distro}, kernel {kernel}, audit {audit}, {arch}".format(**row), []).append(row)
        return {host: worst(_word(row, rule, benchmark) for row in rows) for host, rows in hosts.items()}


def _own(row: Row, benchmark: Benchmark) -> bool:
    """Whether the row is of a host of the benchmark, with its rules."""
    return benchmark.fits(*row["distro"].partition(" ")[::2]) and row.get("benchmark", "") in ("", benchmark.id)


def _alike(row: Row, rule: Rule, benchmark: Benchmark) -> bool:
    """Whether the rule that the row is about is, match and key, what it is under the benchmark."""
    there = row.get("benchmark", "")
    if row["reason"].startswith("not in benchmark ") and row["reason"].split()[3] != benchmark.id:
        return False
    return there in ("", benchmark.id) or match_of(rule.under(there)) == match_of(rule.under(benchmark.id))


def match_of(rule: Rule) -> tuple[object, ...]:
    """What the kernel is asked for by a rule."""
    return rule.key, rule.syscalls, rule.path, rule.dir, rule.each, rule.perm, rule.filters, rule.compares, rule.abis


def _word(row: Row, rule: Rule, benchmark: Benchmark | None) -> str:
    """What one case says of the rule; empty when it says nothing: a negative case passes where the rule is dead too."""
    if row["verdict"] == "proven":
        return PROVEN if _own_event(row["event"], (rule.under(benchmark.id) if benchmark else rule).key) else ""
    if row["verdict"] != "not-applicable":
        return "failed" if row["verdict"] == "failed" else NOT_PROVEN
    if row["reason"].startswith("sandbox") or row["reason"].endswith("is not set"):
        return NOT_PROVEN
    absent = any(text in row["reason"] for text in _NOT_THERE)
    return NOT_APPLICABLE if absent and (benchmark is None or _own(row, benchmark)) else NOT_PROVABLE


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


def load(files: Sequence[Path] = ()) -> Proof:
    """All rows of these proofs together; none given: of all that were made here. PackError when one is no proof."""
    chosen = list(files) or made()
    grouped: dict[str, list[Row]] = {}
    for file in chosen:
        for row in _rows(file):
            grouped.setdefault(row["rule"], []).append({**row, "reason": row["reason"] or ""})
    return Proof(", ".join(str(file) for file in chosen), grouped)


def made() -> list[Path]:
    """The proofs below the current folder, as `make prove`, the faults and the other scenarios leave them."""
    return [file for folder, pattern in MADE for file in sorted(Path(folder).glob(pattern))]


def _rows(file: Path) -> list[dict[str, Any]]:
    remedy = "make one with `make prove`"
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PackError(str(file), 0, "there is no such proof", remedy) from None
    except (OSError, ValueError) as failure:
        raise PackError(str(file), 0, f"this is no proof: {failure}", remedy) from None
    if not isinstance(rows, list):
        raise PackError(str(file), 0, "this is no proof: it is no list", remedy)
    for number, row in enumerate(rows, 1):
        lacking = [name for name in _NEEDED if not isinstance(row, dict) or name not in row]
        if lacking:
            raise PackError(str(file), 0, f"row {number} lacks {', '.join(lacking)}", remedy)
    return rows
