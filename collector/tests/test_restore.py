# SPDX-License-Identifier: Apache-2.0
"""The command `restore`: raw lines out of events."""

from __future__ import annotations

import io
import json
from typing import Any, Callable

import pytest
from collector_support import corpus, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditpack_collector.errors import InputError
from auditpack_collector.implementation import Pipeline
from auditpack_collector.options import Options
from auditpack_collector.pipeline import Pipeline as PythonPipeline
from auditpack_collector.restore import restore

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


@pytest.mark.parametrize("translate", ["none", "universal", "all"])
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("source", ["enriched", "raw"])
def test_corpus_without_raw_lines_becomes_the_same_events(
    pipeline: Callable[..., Pipeline], source: str, format_: str, translate: str
) -> None:
    """Lines of interleaved events come out grouped, so events may end in another order."""
    options = {"format": format_, "translate": translate, "clock": "event"}
    events = all_of(pipeline(**options), corpus(f"debian13-{source}.log"))
    again = all_of(pipeline(**options), restored(events))
    assert sorted(canonical(events)) == sorted(canonical(again))


def canonical(events: bytes) -> list[str]:
    return [json.dumps(event, sort_keys=True) for event in parse(events)]


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


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"\xff",
        b'{"ID": "1.0:1", "ORIGINAL": [1]}',
        b'{"ID": "1.0:1", "X": 1}',
        b'{"ID": "1.0:1", "X": [{"tty": "a\\nb"}]}',
        b'{"event": {"kind": "event"}}',
        b"{}",
    ],
)
def test_what_is_no_event_is_named(line: bytes) -> None:
    with pytest.raises(InputError, match=r"^events:2: "):
        restored(b'{"LOSS": {}}\n' + line + b"\n")


VALUES = st.one_of(
    st.sampled_from(
        ["", '""', "(null)", "?", "0", "-13", "59", "c000003e", "0100644", '"a b"', "010000", "6100620163"]
    ),
    st.sampled_from(["0200003500", "0100002F61", "020000500A0000010000000000000000", "%41", "100%", '"\u00e9"', "yes"]),
    st.binary(min_size=1, max_size=6).map(lambda data: data.hex().upper()),
)
NAMES = """argc arch syscall success exit items pid uid auid mode name comm exe cwd text saddr proctitle key res id
    acct unit tty cap_fp"""
FIELDS = st.dictionaries(st.sampled_from(NAMES.split()), VALUES, max_size=6)
TYPES = st.sampled_from(
    ["SYSCALL", "CWD", "PATH", "PROCTITLE", "SOCKADDR", "USER_LOGIN", "ADD_USER", "AVC", "LOGIN", "X"]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(TYPES, FIELDS, FIELDS, st.integers(1, 3)), max_size=5), st.sampled_from(["none", "universal"])
)
@pytest.mark.parametrize("format_", FORMATS)
def test_rebuilt_lines_become_the_same_event(format_: str, lines: list[Any], translate: str) -> None:
    data = "".join(
        f"type={type_} msg=audit(1.000:{serial}): {run(outer)}" + (f" msg='{run(inner)}'\n" if inner else "\n")
        for type_, outer, inner, serial in lines
    ).encode()
    options = Options(format=format_, translate=translate)
    events = all_of(PythonPipeline(options), data)
    again = all_of(PythonPipeline(options), restored(events))
    assert sorted(canonical(events)) == sorted(canonical(again))


def run(fields: dict[str, str]) -> str:
    return " ".join(f"{name}={token}" for name, token in fields.items())


ODD = [
    b'{"ID":"1.000:1","X":[{"ORIGINAL":["a","b"]}]}\n',
    b'{"ID":"1.000:1","SYSCALL":{"a":1},"ORIGINAL":["type=X msg=audit(1.000:1): a=%22\\"%2","%zz%41\\u0007\\t\\/"]}\n',
    b'{"ID":"1.000:1","ORIGINAL":["\xc3\xa9 \xf0\x9f\x98\x80"]}',
    b'{"ID":"1.000:1","ORIGINAL":["%\\u0034\\u0031"]}\n',
    b'{"ID":"1.000:1","ORIGINAL":["%0a"]}\n',
    b'{"ID":"1.000:1","ORIGINAL":["a\\nb"]}\n',
    b'{"ID":"1.000:1","ORIGINAL":["\xff"]}\n',
    b'{"ID":"1.000:1","ORIGINAL":["a",]}\n',
    b'{"ID":"1.000:1","event":{"x":"y"},"ORIGINAL":["type=event msg=audit(1.000:1):"]}\n',
    b'{"ID":"1.000:1","X":{"a":",\\"ORIGINAL\\":["},"ORIGINAL":["l"]}\n',
    b'{"@timestamp":"x","ecs":{"version":"8.17.0"},"event":{"id":"1","original":"one\\ntwo %25%34"},"z":1}\n',
    b'{"@timestamp":"x","ecs":{"version":"8.17.0"},"event":{"id":"1","kind":"metric"},"a":{"original":"no"}}\n',
    b'{"@timestamp":"x","ecs":{"version":"8.17.0"},"event":{"id":"1","action":"}","original":""}}\n',
    b'{"MALFORMED":{"reason":"no-header","raw":"x"}}\n',
    b"\n",
    b"{\n",
]


def outcome(events: bytes) -> tuple[str, bytes]:
    """What restore prints before it ends, and how it ends."""
    sink = io.BytesIO()
    try:
        restore(io.BytesIO(events), sink, "events")
    except InputError as error:
        return str(error), sink.getvalue()
    return "", sink.getvalue()


def same_in_both(monkeypatch: pytest.MonkeyPatch, events: bytes) -> tuple[str, bytes]:
    monkeypatch.setenv("AUDITPACK_COLLECTOR_IMPLEMENTATION", "python")
    slow = outcome(events)
    monkeypatch.delenv("AUDITPACK_COLLECTOR_IMPLEMENTATION")
    assert outcome(events) == slow
    return slow


@pytest.mark.parametrize("line", ODD)
def test_native_restores_what_python_restores(monkeypatch: pytest.MonkeyPatch, line: bytes) -> None:
    whole = b'{"ID":"1.000:1","ORIGINAL":["whole"]}\n'
    same_in_both(monkeypatch, line)
    same_in_both(monkeypatch, whole * 3 + line + (b"" if line.endswith(b"\n") else b"\n") + whole)


def test_record_type_named_event_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    line = b'{"ID":"1.000:1","event":{"x":"y"},"ORIGINAL":["type=event msg=audit(1.000:1): x=y"]}\n'
    assert same_in_both(monkeypatch, line) == ("", b"type=event msg=audit(1.000:1): x=y\n")


@given(st.data())
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_native_restores_changed_events_as_python_does(monkeypatch: pytest.MonkeyPatch, data: st.DataObject) -> None:
    """Bytes of events overwritten, cut out or put in. What is no JSON outside the raw lines the C does not see."""
    line = data.draw(st.sampled_from(ODD[:13]))
    start = max(line.rfind(b'"ORIGINAL":['), line.rfind(b'"original":')) + 11
    close = line.find(b'"}', start)  # of `ecs`; behind the list of `records` the C sees all
    at = data.draw(st.integers(start, len(line) if b'"ORIGINAL":[' in line or close < 0 else close))
    new = data.draw(
        st.binary(max_size=3) | st.sampled_from([b'"', b"\\", b"%", b"%4", b"]}", b"\\u00", b'","', b"\xc3"])
    )
    same_in_both(monkeypatch, line[:at] + new + line[at + data.draw(st.integers(0, 2)) :])
