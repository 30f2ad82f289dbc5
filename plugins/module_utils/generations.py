# SPDX-License-Identifier: Apache-2.0
"""The set of rules in force on a host and the one before it, kept there whole: the way back needs no packs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import rulefiles
from .files import STATE_DIR, read_json
from .host import HostError
from .ruleload import Loaded, gap

CURRENT = f"{STATE_DIR}/current.json"
FORMER = f"{STATE_DIR}/former.json"
INSTALLED = f"{STATE_DIR}/installed.json"
VOLATILE = ("when", "by")
"""What a record says beside what is installed."""


def text(job: Mapping[str, Any], wanted: list[str]) -> str:
    """A generation: what the controller rendered, and the lines that were to be in the kernel with it."""
    return json.dumps({"job": job, "wanted": wanted}, sort_keys=True) + "\n"


def plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record without when and by whom, and without how it came to be."""
    return {key: value for key, value in record.items() if key not in (*VOLATILE, "rolled_back")}


def same_set(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records are of the same packs and the same rules."""
    return all(one.get(key) == other.get(key) for key in ("packs", "digest"))


def roll_back() -> dict[str, Any]:
    """The job to load: that of the former set, or, when the host was rolled back already, the present one again."""
    record = read_json(INSTALLED)
    if record is None:
        raise HostError("no packs are installed on this host, so there is nothing to go back to")
    stored = read_json(CURRENT if record.get("rolled_back") else FORMER)
    if stored is None:
        raise HostError(
            "this host knows no former set of packs: nothing was replaced here yet; "
            "pin the older version in audit_rules_packs instead"
        )
    job: dict[str, Any] = stored["job"]
    return {**job, "record": {**job["record"], "rolled_back": True}}


def report() -> dict[str, Any]:
    """What is installed, and in what the kernel and rules.d differ from it; see the module audit_installed."""
    record, stored = read_json(INSTALLED), read_json(CURRENT)
    loaded = Loaded.now()
    answer: dict[str, Any] = {"installed": record, "loaded": list(loaded.rules), "status": loaded.status, "drift": None}
    if record is None or stored is None:
        return answer
    found = gap(stored["wanted"], loaded)
    now = {name: content for name, content in rulefiles.read_dir().items() if rulefiles.is_ours(name)}
    wanted = stored["job"]["files"]
    drift = {
        "missing": [{"text": entry.rule, "rule": _rule(stored["job"], entry.rule)} for entry in found.rules.missing],
        "extra": [entry.text for entry in found.rules.extra],
        "moved": [entry.text for entry in found.rules.moved],
        "numbers": list(found.numbers),
        "files": sorted(name for name in {*now, *wanted} if now.get(name) != wanted.get(name)),
    }
    differs = any(drift.values())
    return {
        **answer,
        "drift": drift if differs else {},
        "waits_for_reboot": bool(differs and loaded.immutable and not drift["files"]),
    }


def _rule(job: Mapping[str, Any], line: str) -> str:
    return next((str(one["rule"]) for one in job["lines"] if one["text"] == line), "")
