# SPDX-License-Identifier: Apache-2.0
"""`restore`: events → the audit lines that they came from.

An event written with `original` gives its lines back byte for byte: `event.original` (ecs, joined by newlines) or
`ORIGINAL` (records, a list), in the quoting of quote.py; so does a line that was no record. Promised order: the lines
of an event together, in order of arrival; events in the order in which they stand. Not given back, as no event carries
them: EOE, blank lines, what was cut off a line longer than scan.MAX_LINE. Loss reports never were lines.
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from .quote import unquote

Json = dict[str, Any]


class RestoreError(Exception):
    """A line of input that is no event, or one that carries no raw lines."""


def restore(source: BinaryIO, sink: BinaryIO, name: str) -> None:
    """`name` of the source is for messages. Raises RestoreError at the first line that cannot be restored."""
    for number, line in enumerate(source, 1):
        try:
            event = json.loads(line)
        except ValueError as error:
            raise RestoreError(f"{name}:{number}: {error} — not an event of the collector") from error
        lines = lines_of(event) if isinstance(event, dict) else None
        if lines is None:
            raise RestoreError(f"{name}:{number}: no raw lines — write events with `original = true` or --original")
        sink.write(b"".join([unquote(each) + b"\n" for each in lines]))
    sink.flush()


def lines_of(event: Json) -> list[str] | None:
    """The raw lines, still quoted; [] for a loss report, None for an event that carries none."""
    about = event.get("event")
    if isinstance(about, dict):
        original = about.get("original")
        if isinstance(original, str):
            return original.split("\n")
        return [] if about.get("kind") == "metric" else None
    if "ID" not in event:
        malformed = event.get("MALFORMED")
        if isinstance(malformed, dict) and isinstance(malformed.get("raw"), str):
            return [malformed["raw"]]
        return [] if "LOSS" in event else None
    lines = event.get("ORIGINAL")
    return lines if isinstance(lines, list) and all(isinstance(each, str) for each in lines) else None
