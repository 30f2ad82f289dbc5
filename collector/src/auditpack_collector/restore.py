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
import os
from typing import TYPE_CHECKING, Any, BinaryIO, Callable

from .errors import InputError
from .implementation import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
Quick = Callable[[bytes, int], tuple[bytes, int, int]]

CHUNK = 1 << 18


def restore(source: BinaryIO, sink: BinaryIO, name: str) -> None:
    """`name` of the source is for messages. Raises InputError at the first line that is no event.

    The C takes the events that look as this collector writes them; the first that does not, and each without raw
    lines, comes here.
    """
    quick = _quick()
    number = 0
    for block in _blocks(source):
        at = 0
        while at < len(block):
            lines, at, taken = quick(block, at)
            sink.write(lines)
            number += taken
            if at < len(block):
                end = block.find(b"\n", at) + 1 or len(block)
                number += 1
                sink.write(_restored(block[at:end], name, number))
                at = end
    sink.flush()


def _quick() -> Quick:
    """restore_lines() of the C; what takes nothing where there is no C."""
    if os.environ.get(VARIABLE) != "python":
        try:
            from ._native import restore as native  # noqa: PLC0415 - optional
        except ImportError:
            pass
        else:
            return native
    return lambda _block, at: (b"", at, 0)


def _blocks(source: BinaryIO) -> Iterator[bytes]:
    """Whole lines, many at once, as they come; the last may lack its newline."""
    read = getattr(source, "read1", source.read)
    parts: list[bytes] = []
    while data := read(CHUNK):
        head, newline, rest = data.rpartition(b"\n")
        if newline:
            yield b"".join((*parts, head, newline))
            parts = [rest]
        else:
            parts.append(data)
    if any(parts):
        yield b"".join(parts)


def _restored(line: bytes, name: str, number: int) -> bytes:
    try:
        lines = lines_of(json.loads(line))
        if any(b"\n" in each for each in lines):
            raise ValueError("a newline in a record")
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError) as error:
        kind = type(error).__name__
        raise InputError(f"{name}:{number}: not an event of the collector ({kind}: {error})") from error
    return b"".join([each + b"\n" for each in lines])


def lines_of(event: Json) -> list[bytes]:
    """The lines of one event, none for a report of ours. Other JSON values raise any of what restore() catches."""
    from .quote import unquote  # noqa: PLC0415 - these load tables that the C does without
    from .rebuild import lines_of_ecs, lines_of_records  # noqa: PLC0415

    if "ID" in event:  # first: a record type may be named `event`
        lines = event.get("ORIGINAL")
        return lines_of_records(event) if lines is None else [unquote(each) for each in lines]
    if "event" in event:
        about = event["event"]
        if "original" in about:
            return unquote(about["original"]).split(b"\n")
        return [] if about["kind"] == "metric" else lines_of_ecs(event)
    return [] if {"LOSS", "HELD", "REPEAT"} & event.keys() else [unquote(event["MALFORMED"]["raw"])]
