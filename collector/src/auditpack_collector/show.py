# SPDX-License-Identifier: Apache-2.0
"""`status`: status.json as a table for a person."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

Report = dict[str, Any]
Row = tuple[str, object]
STALE_INTERVALS = 3


def show(folder: Path) -> int:
    """Print status.json as a table; 0 when alive and well, 1 when dead, stale, failing or without status."""
    path = folder / "status.json"
    try:
        report: Report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        print(f"auditpack-collector: {path}: {error.strerror} — has the collector run?", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"auditpack-collector: {path}: {error}", file=sys.stderr)
        return 1
    state = _state(report)
    _print([*_head(report, state), *_flow(report), *_ends(report)])
    _types(report)
    return 0 if state == "running" else 1


def _state(report: Report) -> str:
    if report["state"] != "running":
        return str(report["state"])
    if not Path(f"/proc/{report['pid']}").exists():
        return "dead"
    if time.time() - report["updated"] > STALE_INTERVALS * report["interval"]:
        return "stale"
    return "failing" if any(output["failing"] for output in report["outputs"]) else "running"


def _head(report: Report, state: str) -> list[Row]:
    age = time.time() - report["updated"]
    cpu = report["cpu_seconds"]
    memory = report["memory"]
    return [
        ("state", f"{state} (pid {report['pid']}, user {report['user']}, updated {age:.0f} s ago)"),
        ("implementation", f"{report['implementation']} {report['implementation_reason']}".strip()),
        ("version", report["version"]),
        ("format", report["format"]),
        ("since", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(report["since"]))),
        ("CPU", f"{cpu['user']:.2f} s user, {cpu['system']:.2f} s system"),
        ("memory", f"{_bytes(memory['resident_bytes'])}, most {_bytes(memory['highest_bytes'])}"),
        ("lag", f"{report['lag_seconds']:.1f} s"),
    ]


def _flow(report: Report) -> list[Row]:
    rows: list[Row] = [(name.replace("_", " "), value) for name, value in report["counters"].items()]
    rows += [(f"dropped, {reason.replace('_', ' ')}", count) for reason, count in report["dropped"].items()]
    rows += [
        (f"filter {name}", f"{counts['matched']} events matched, {counts['held']} held back")
        for name, counts in report["filters"].items()
    ]
    return rows


def _ends(report: Report) -> list[Row]:
    rows: list[Row] = []
    for each in report["inputs"]:
        state = "" if each["connected"] or each["kind"] == "file" else ", not connected"
        error = f", {each['errors']} errors, last {each['last_error']}" if each["errors"] else ""
        rows.append((f"input {each['kind']}", f"{each['path']} {each['bytes']} bytes{state}{error}".strip()))
    for each in report["outputs"]:
        queue = each["queue"]
        extra = f", {each['rotations']} rotations" if each.get("rotations") else ""
        rows.append((f"output {each['name']}", f"{each['path'] or each['kind']}: {each['events']} events{extra}"))
        held = f"{_bytes(queue['bytes'])} of {_bytes(queue['max_bytes'])}, most {_bytes(queue['high_bytes'])}"
        if queue["disk_max_bytes"]:
            held += f"; disk {_bytes(queue['disk_bytes'])} of {_bytes(queue['disk_max_bytes'])}"
            held += f", most {_bytes(queue['disk_high_bytes'])}"
        rows.append(("  queue", f"{held}; when full: {queue['policy']}"))
        for error in (
            each["last_error"] and f"{each['errors']} errors, last {each['last_error']}",
            queue["last_error"],
        ):
            if error:
                rows.append(("  failing" if each["failing"] else "  had", error))
    rows += [("status", report[name]) for name in ("status_error", "state_error") if report[name]]
    return rows


def _types(report: Report) -> None:
    if report["types"]:
        print("\nrecords                in          out")
        for name, counts in sorted(report["types"].items(), key=lambda item: -item[1]["in"]):
            print(f"{name:<18} {counts['in']:>8} {counts['out']:>12}")


def _print(rows: list[Row]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")


def _bytes(number: int) -> str:
    size = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
