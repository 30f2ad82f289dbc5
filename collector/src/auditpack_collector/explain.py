# SPDX-License-Identifier: Apache-2.0
"""`explain`: an event in words for a person: who did what to what, how, with which result. From either format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .errors import InputError
from .options import Options
from .pipeline import Pipeline
from .rebuild import lines_of_records

Json = dict[str, Any]

is_id = re.compile(r"[0-9]+\.[0-9]+:[0-9]+").fullmatch
_OUTCOMES = {"success": "It succeeded.", "failure": "It failed"}


def find(id_: str, path: Path) -> Iterator[Json]:
    """Every event with this id (a late record makes a second one) in `path` and its rotated generations."""
    files = [path, *sorted(path.parent.glob(path.name + ".[0-9]*"))]
    found = False
    for file in files:
        with file.open("rb") as source:
            for event in events(source, str(file), id_.encode()):
                if event.get("ID", event.get("event", {}).get("id")) == id_:
                    found = True
                    yield event
    if not found:
        raise InputError(f"no event {id_} in {', '.join(map(str, files))}")


def events(source: BinaryIO, name: str, containing: bytes = b"") -> Iterator[Json]:
    for number, line in enumerate(source, 1):
        if containing not in line:
            continue
        try:
            event = json.loads(line)
        except ValueError as error:
            raise InputError(f"{name}:{number}: {error} — not an event of the collector") from error
        if not isinstance(event, dict):
            raise InputError(f"{name}:{number}: not an event of the collector")
        yield event


def explain(event: Json) -> str:
    """Some lines of text; what a terminal would obey is escaped. Raises InputError."""
    try:
        return "\n  ".join(_printable(line) for line in _lines(event))
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"not an event of the collector ({type(error).__name__}: {error})") from error


def _lines(event: Json) -> list[str]:
    if "LOSS" in event:
        return ["Events were lost: " + _pairs(event["LOSS"]["new"])]
    if "MALFORMED" in event:
        malformed = event["MALFORMED"]
        return [f"A line that is no audit record ({malformed['reason']}): {malformed['raw']}"]
    if "ID" in event:
        event = _as_ecs(event)
    about = event["event"]
    if about["kind"] == "metric":
        return ["Events were lost: " + _pairs(event["auditd"]["loss"]["new"])]
    if about["kind"] == "pipeline_error":
        return [f"A line that is no audit record ({event['error']['code']}): {about['original']}"]
    lines = [f"{about['id']} at {event['@timestamp']}{_words(' on ', event.get('host', {}).get('hostname'))}"]
    lines.append(f"{_who(event)} {_what(event)}{_how(event)}.")
    lines.append(_result(event))
    lines += [f"{name}: {value}" for name, value in _details(event) if value]
    return lines


def _as_ecs(event: Json) -> Json:
    pipeline = Pipeline(Options(format="ecs"))
    data = b"".join(line + b"\n" for line in lines_of_records(event))
    ecs: Json = json.loads((pipeline.feed(data, 0.0) + pipeline.flush(0.0, all=True)).splitlines()[0])
    return ecs


def _who(event: Json) -> str:
    actor = event["auditd"]["summary"]["actor"]
    login, acting = actor.get("primary"), actor.get("secondary")
    if login in (None, "unset"):
        return "The system" if acting is None else f"User {acting}, without a login,"
    return f"User {login}" + (f" as {acting}" if acting not in (None, login) else "")


def _what(event: Json) -> str:
    target = event["auditd"]["summary"]["object"]
    primary, secondary = target.get("primary"), target.get("secondary")
    action = str(event["event"]["action"]).replace("-", " ")
    if primary in (None, "(none)"):
        for preposition in (" of", " to", " from"):
            action = action.removesuffix(preposition)
        return action
    between = " on terminal " if target.get("type") == "user-session" else " "
    return f"{action}{between}{primary}" + _words(" – ", secondary)


def _how(event: Json) -> str:
    summary = event["auditd"]["summary"]
    how, process = summary.get("how"), event.get("process", {}).get("pid")
    if how == summary["object"].get("primary"):
        how = None
    return _words(" with ", how) + (f" (process {process})" if process is not None else "")


def _result(event: Json) -> str:
    outcome = _OUTCOMES.get(event["event"].get("outcome", ""), "Its result is not known.")
    if not outcome.endswith("."):
        errors = [record["exit_name"] for record in event["auditd"]["records"] if "exit_name" in record]
        outcome += f": {errors[0]}." if errors else "."
    if event["auditd"].get("incomplete"):
        outcome += " The event is incomplete: records of it are missing."
    return outcome + (" This record came late, after the event was written." if event["auditd"].get("late") else "")


def _details(event: Json) -> list[tuple[str, str]]:
    process = event.get("process", {})
    source, destination = (event.get(end, {}).get("address", "") for end in ("source", "destination"))
    return [
        ("Command", " ".join("?" if each is None else str(each) for each in process.get("args") or ())),
        ("Directory", process.get("working_directory", "")),
        ("From", source),
        ("To", destination),
        ("Session", event["auditd"].get("session", "")),
        ("Keys", ", ".join(event.get("tags", ()))),
        ("Message", event.get("message", "")),
    ]


def _words(before: str, value: Any) -> str:
    return "" if value is None else f"{before}{value}"


def _pairs(counts: Json) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
