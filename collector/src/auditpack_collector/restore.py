# SPDX-License-Identifier: Apache-2.0
"""`restore`: events → the audit lines that they came from.

An event written with `original` gives its lines back byte for byte: `event.original` (ecs, joined by newlines) or
`ORIGINAL` (records, a list), in the quoting of quote.py; so does a line that was no record. Promised order: the lines
of an event together, in order of arrival; events in the order in which they stand. Not given back, as no event carries
them: EOE, blank lines, what was cut off a line longer than scan.MAX_LINE. Reports of our own never were lines.
An event without raw lines becomes lines of the same meaning: rebuild.py.
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from .errors import InputError
from .quote import unquote
from .rebuild import lines_of_ecs, lines_of_records

Json = dict[str, Any]


def restore(source: BinaryIO, sink: BinaryIO, name: str) -> None:
    """`name` of the source is for messages. Raises InputError at the first line that is no event."""
    for number, line in enumerate(source, 1):
        try:
            lines = lines_of(json.loads(line))
            if any(b"\n" in each for each in lines):
                raise ValueError("a newline in a record")
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError) as error:
            kind = type(error).__name__
            raise InputError(f"{name}:{number}: not an event of the collector ({kind}: {error})") from error
        sink.write(b"".join([each + b"\n" for each in lines]))
    sink.flush()


def lines_of(event: Json) -> list[bytes]:
    """The lines of one event, none for a report of ours. Other JSON values raise any of what restore() catches."""
    if "event" in event:
        about = event["event"]
        if "original" in about:
            return unquote(about["original"]).split(b"\n")
        return [] if about["kind"] == "metric" else lines_of_ecs(event)
    if "ID" in event:
        lines = event.get("ORIGINAL")
        return lines_of_records(event) if lines is None else [unquote(each) for each in lines]
    return [] if {"LOSS", "HELD", "REPEAT"} & event.keys() else [unquote(event["MALFORMED"]["raw"])]
