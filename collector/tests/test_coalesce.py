# SPDX-License-Identifier: Apache-2.0
"""Which records make an event, and when it ends. Over both implementations, by what comes out."""

from __future__ import annotations

from typing import Any, Callable

from collector_support import Run, corpus, parse

from auditpack_collector.coalesce import MAX_EVENT_RECORDS, MAX_OPEN_EVENTS
from auditpack_collector.implementation import Pipeline

Make = Callable[..., Pipeline]


def line(type_: str, serial: int = 1, body: str = "", node: str = "", second: int = 100) -> bytes:
    prefix = f"node={node} " if node else ""
    return f"{prefix}type={type_} msg=audit({second}.000:{serial}): {body}\n".encode()


SYSCALL = "arch=c000003e syscall=257 success=yes exit=3 a0=1 a1=2 a2=0 a3=0 items=1 pid=7 uid=0"
PATH = 'item=0 name="/etc/passwd" nametype=NORMAL'


def types(event: dict[str, Any]) -> list[str]:
    return [record["type"] for record in event["auditd"]["records"]]


def test_interleaved_events(run: Run) -> None:
    events = run(
        line("SYSCALL", 1, SYSCALL) + line("SYSCALL", 2, SYSCALL) + line("PATH", 2, PATH) + line("PATH", 1, PATH)
        + line("PROCTITLE", 2, 'proctitle="b"') + line("PROCTITLE", 1, 'proctitle="a"')
    )  # fmt: skip
    assert [event["event"]["sequence"] for event in events] == [2, 1]
    assert types(events[0]) == types(events[1]) == ["SYSCALL", "PATH", "PROCTITLE"]


def test_same_serial_of_two_nodes_or_two_seconds_are_two_events(run: Run) -> None:
    events = run(
        line("SYSCALL", 1, SYSCALL, "a") + line("SYSCALL", 1, SYSCALL, "b") + line("SYSCALL", 1, SYSCALL, second=101)
    )
    assert sorted(event.get("host", {}).get("hostname", "") for event in events) == ["", "a", "b"]


def test_title_ends_at_once_without_eoe(pipeline: Make) -> None:
    made = pipeline()
    assert made.feed(line("SYSCALL", 1, SYSCALL) + line("PATH", 1, PATH), 0.0) == b""
    assert len(parse(made.feed(line("PROCTITLE", 1, 'proctitle="a"'), 0.0))) == 1
    assert made.counters()["open_events"] == 0
    # its EOE, late by nature, is no late record
    assert made.feed(line("EOE", 1), 0.0) == b""
    assert made.counters()["late"] == 0


def test_once_eoe_was_seen_the_title_does_not_end(pipeline: Make) -> None:
    made = pipeline()
    made.feed(line("SYSCALL", 1, SYSCALL) + line("PATH", 1, PATH) + line("EOE", 1), 0.0)
    assert made.feed(line("SYSCALL", 2, SYSCALL) + line("PATH", 2, PATH) + line("PROCTITLE", 2), 0.0) == b""
    events = parse(made.feed(line("CWD", 2, 'cwd="/"') + line("EOE", 2), 0.0))
    assert [types(event) for event in events] == [["SYSCALL", "PATH", "PROCTITLE", "CWD"]]


def test_eoe_before_promised_records_waits_for_them(pipeline: Make) -> None:
    made = pipeline()
    assert made.feed(line("EOE", 1) + line("PATH", 1, PATH), 0.0) == b""
    events = parse(made.feed(line("SYSCALL", 1, SYSCALL), 0.0))
    assert [types(event) for event in events] == [["PATH", "SYSCALL"]]
    assert made.counters()["incomplete"] == 0


def test_user_space_record_is_whole_at_once(pipeline: Make) -> None:
    made = pipeline()
    for number, type_ in enumerate(("USER_LOGIN", "USER", "DAEMON_START", "ANOM_LOGIN_FAILURES", "UNKNOWN[2200]")):
        assert len(parse(made.feed(line(type_, number, "pid=1"), 0.0))) == 1
    assert made.feed(line("ANOM_ABEND", 50, "pid=1"), 0.0) == b""  # the kernel's: may come with SYSCALL


def test_wall_clock_ends_an_event_without_another_line(pipeline: Make) -> None:
    made = pipeline(timeout=2.0)
    made.feed(line("ANOM_ABEND", 1, "pid=1"), 10.0)
    assert made.flush(11.9) == b""
    assert len(parse(made.flush(12.0))) == 1
    assert made.counters()["incomplete"] == 0


def test_missing_path_is_incomplete(pipeline: Make) -> None:
    made = pipeline()
    made.feed(line("SYSCALL", 1, SYSCALL) + line("PROCTITLE", 1, 'proctitle="a"'), 0.0)
    (event,) = parse(made.flush(2.0))
    assert event["auditd"]["incomplete"] is True
    assert made.counters()["incomplete"] == 1


def test_late_record_is_an_event_of_its_own(pipeline: Make) -> None:
    made = pipeline()
    made.feed(line("SYSCALL", 1, SYSCALL) + line("PATH", 1, PATH) + line("PROCTITLE", 1), 0.0)
    (event,) = parse(made.feed(line("CWD", 1, 'cwd="/"'), 0.0))
    assert event["auditd"]["late"] is True
    assert made.counters()["late"] == 1


def test_serial_gap(pipeline: Make) -> None:
    made = pipeline()
    made.feed(b"".join(line("USER", serial) for serial in (10, 11, 15, 13)), 0.0)
    assert made.counters()["serial_gaps"] == 2


def test_open_events_are_bounded(pipeline: Make) -> None:
    made = pipeline()
    count = MAX_OPEN_EVENTS + 100
    out = b"".join(made.feed(line("CWD", serial, 'cwd="/"'), 0.0) for serial in range(count))
    assert len(parse(out)) == 100
    assert made.counters()["forced"] == 100
    assert len(parse(made.flush(0.0, all=True))) == MAX_OPEN_EVENTS
    assert made.counters()["records_in"] == made.counters()["records_out"] == count


def test_one_event_is_bounded(pipeline: Make) -> None:
    made = pipeline()
    count = MAX_EVENT_RECORDS + 10
    out = b"".join(made.feed(line("PATH", 1, PATH), 0.0) for _ in range(count)) + made.flush(0.0, all=True)
    assert sum(len(event["auditd"]["records"]) for event in parse(out)) == count
    assert made.counters()["records_out"] == count


def test_an_endless_line_is_cut_and_said(pipeline: Make) -> None:
    made = pipeline()
    out = b"".join(made.feed(b"x" * 100_000, 0.0) for _ in range(20))
    out += made.feed(b"\n" + line("USER", 1), 0.0)
    malformed, event = parse(out)
    assert malformed["error"]["code"] == "too-long"
    assert event["event"]["sequence"] == 1
    assert made.counters()["malformed"] == 1


def test_any_cut_of_the_stream_gives_the_same(pipeline: Make) -> None:
    data = corpus("debian13-raw.log")[:60_000]
    whole = pipeline(clock="event")
    expected = whole.feed(data, 0.0) + whole.flush(0.0, all=True)
    for size in (1, 7, 4096):
        made = pipeline(clock="event")
        out = b"".join(made.feed(data[at : at + size], 0.0) for at in range(0, len(data), size))
        assert out + made.flush(0.0, all=True) == expected
