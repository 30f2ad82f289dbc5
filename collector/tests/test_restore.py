# SPDX-License-Identifier: Apache-2.0
"""The command `restore`: raw lines out of events."""

from __future__ import annotations

import io
from typing import Callable

import pytest
from collector_support import corpus
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditpack_collector.implementation import Pipeline
from auditpack_collector.options import Options
from auditpack_collector.pipeline import Pipeline as PythonPipeline
from auditpack_collector.restore import RestoreError, restore

FORMATS = ["ecs", "records"]


def restored(events: bytes) -> bytes:
    sink = io.BytesIO()
    restore(io.BytesIO(events), sink, "events")
    return sink.getvalue()


def all_of(pipeline: Pipeline, data: bytes) -> bytes:
    return pipeline.feed(data, 0.0) + pipeline.flush(0.0, all=True)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("source", ["enriched", "raw"])
def test_corpus_comes_back_byte_for_byte(pipeline: Callable[..., Pipeline], source: str, format_: str) -> None:
    data = corpus(f"debian13-{source}.log")
    back = restored(all_of(pipeline(format=format_, original=True, clock="event"), data))
    assert by_event(back) == by_event(data)


def by_event(data: bytes) -> dict[bytes, list[bytes]]:
    """Lines in order under what names their event; all that names none under b""."""
    lines: dict[bytes, list[bytes]] = {}
    for line in data.split(b"\n")[:-1]:
        start = line.find(b"msg=audit(")
        lines.setdefault(line[start : line.find(b"):")] if start >= 0 else b"", []).append(line)
    return lines


@pytest.mark.parametrize("format_", FORMATS)
def test_order(pipeline: Callable[..., Pipeline], format_: str) -> None:
    """Of interleaved events each comes back whole where it ended; a late record behind it; rubbish at once."""
    lines = [
        b"type=SYSCALL msg=audit(1.000:1): items=0 a=\xff%41%",
        b"type=SYSCALL msg=audit(1.000:2): items=0",
        b"rub\tbish %25 \xc3",
        b"",
        b"type=PROCTITLE msg=audit(1.000:2): proctitle=61\x1dX=\"\xe2\x82\xac\"\r",
        b"type=PROCTITLE msg=audit(1.000:1): proctitle=\"b\"",
        b"type=PATH msg=audit(1.000:2): item=0",
        b"type=ORIGINAL msg=audit(1.000:3): x=1",
        b"type=EOE msg=audit(1.000:2):",
    ]  # fmt: skip
    events = all_of(pipeline(format=format_, original=True), b"\n".join(lines))
    assert restored(events).split(b"\n") == [lines[at] for at in (2, 1, 4, 0, 5, 6, 7)] + [b""]


HEAD = st.builds(
    lambda type_, serial: b"type=%s msg=audit(1.000:%d):" % (type_, serial),
    st.sampled_from([b"SYSCALL", b"PATH", b"EXECVE", b"PROCTITLE", b"USER_CMD", b"X"]),
    st.integers(1, 3),
)
LINE = st.tuples(st.one_of(HEAD, HEAD, st.just(b"")), st.binary(max_size=20)).map(
    lambda parts: b"".join(parts).replace(b"\n", b"%0a")
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LINE, max_size=8))
@pytest.mark.parametrize("format_", FORMATS)
def test_any_bytes_come_back(format_: str, lines: list[bytes]) -> None:
    """The C prints the same events: test_differential.py."""
    data = b"".join(line + b"\n" for line in lines if line.strip(b" \t\r"))
    events = all_of(PythonPipeline(Options(format=format_, original=True)), data)
    assert sorted(restored(events).split(b"\n")) == sorted(data.split(b"\n"))


@pytest.mark.parametrize("line", [b'{"LOSS": {"new": {}}}', b'{"event": {"kind": "metric"}, "auditd": {"loss": {}}}'])
def test_a_loss_report_was_no_line(line: bytes) -> None:
    assert restored(line + b"\n") == b""


@pytest.mark.parametrize("line", [b"{", b"[]", b"\xff", b'{"ID": "1.0:1", "ORIGINAL": [1]}'])
def test_what_is_no_event_is_named(line: bytes) -> None:
    with pytest.raises(RestoreError, match=r"^events:2: "):
        restored(b'{"LOSS": {}}\n' + line + b"\n")
