# SPDX-License-Identifier: Apache-2.0
"""What changed as one self-contained page: timeline, tree, who; nothing is fetched, all text goes in as data."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from .baseline import Baseline
from .config import Config
from .filedoc import stamp
from .journal import Entry, Journal
from .quote import ecs_text as text

_TEMPLATE: Final = Path(__file__).with_name("report.html")
_UNITS: Final = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def seconds(words: str) -> float:
    """ "36h" or "7d" → seconds. ValueError for other words."""
    if not words or words[-1] not in _UNITS or not words[:-1].isdigit():
        raise ValueError(f"{words!r} is no length of time — write such as 90m, 36h, 7d or 4w")
    return float(words[:-1]) * _UNITS[words[-1]]


def page(config: Config, since: float) -> str:
    """The page of all changes after `since` (seconds since 1970; 0 for all)."""
    baseline = Baseline(config.database, read_only=True)
    journal = Journal(baseline)
    open_paths = {text(path) for path, *_ in journal.unaccepted()}
    wrong = journal.verify()
    head = journal.head()
    data = {
        "host": config.hostname or socket.gethostname(),
        "made": stamp(time.time()),
        "from": stamp(since) if since else "",
        "names": baseline.count(),
        "chain": f"BROKEN: {wrong}" if wrong else f"whole, {head[0]} rows, head {head[1].hex()[:16]}",
        "events": list(_events(journal.entries(after=since), open_paths)),
    }
    baseline.close()
    # In a script element only "</" and "<!--" could end or change what is read; "<" alone never appears.
    packed = json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return _TEMPLATE.read_text(encoding="utf-8").replace("@DATA@", packed)


def _events(entries: Iterable[Entry], open_paths: set[str]) -> Iterable[dict[str, Any]]:
    for entry in sorted((each for each in entries if each.kind == "change"), key=lambda each: -each.seq):
        body = entry.body
        own, file = body["file_integrity"], body["file"]
        yield {
            "time": body["@timestamp"],
            "path": file["path"],
            "actions": body["event"]["action"],
            "severity": own.get("severity", "medium"),
            "who": who(body),
            "how": body.get("process", {}).get("executable") or body.get("process", {}).get("name") or "",
            "package": body.get("package", {}).get("name"),
            "accepted": file["path"] not in open_paths,
            "changes": list(_changes(own.get("previous", {}), file)),
            "facts": list(_facts(body)),
            "diff": own.get("diff"),
        }


def who(body: dict[str, Any]) -> str:
    """The login, and as whom it acted; why nobody is named."""
    user = body.get("user")
    if not user:
        return f"unknown ({body.get('file_integrity', {}).get('why_unknown', 'no-audit')})"
    name = user.get("name") or user.get("id") or "?"
    login = user.get("audit", {}).get("name") or user.get("audit", {}).get("id")
    return f"{login} as {name}" if login and login != name else str(name)


def _changes(previous: dict[str, Any], file: dict[str, Any]) -> Iterable[tuple[str, Any, Any]]:
    for name, old in previous.items():
        if isinstance(old, dict):
            yield from _changes(
                {f"{name}.{key}": value for key, value in old.items()},
                {f"{name}.{key}": value for key, value in (file.get(name) or {}).items()},
            )
        else:
            yield name, old, file.get(name, "–")


def _facts(body: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    own, process = body["file_integrity"], body.get("process", {})
    if body["event"].get("reason"):
        yield "reason", body["event"]["reason"]
    for name in ("moved_from", "moved_to", "renamed_from", "linked_to", "source"):
        if name in own:
            yield name.replace("_", " "), own[name]
    if "package" in own:
        yield "package", ", ".join(f"{key} {value}" for key, value in own["package"].items())
    if process.get("args"):
        yield "command", " ".join(map(str, process["args"]))
    if process.get("parent"):
        yield "parent", process["parent"].get("executable") or process["parent"].get("pid")
    audit = body.get("auditd", {})
    if audit:
        yield "call", audit.get("syscall")
        yield "session", audit.get("session")
        yield "audit events", ", ".join(audit.get("event_ids", []))
    for name, value in (body["file"].get("hash") or {}).items():
        yield name, value
    yield "journal row", own["chain"]["sequence"]
