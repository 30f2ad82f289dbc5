# SPDX-License-Identifier: Apache-2.0
"""Several outputs of one pipeline, each with its own format."""

from __future__ import annotations

import itertools
from typing import Callable

import pytest
from collector_support import corpus

from auditpack_collector.implementation import Pipeline
from auditpack_collector.options import MAX_STREAMS, Stream

KINDS = [
    Stream(format_, translate, original)
    for format_, translate, original in itertools.product(
        ("ecs", "records"), ("none", "universal", "all"), (False, True)
    )
]


def alone(pipeline: Callable[..., Pipeline], stream: Stream, data: bytes) -> bytes:
    made = pipeline(
        format=stream.format, translate=stream.translate, original=stream.original, clock="event", hostname="h"
    )
    out = made.feed(data, 0.0)
    assert made.others() == ()
    return out + made.flush(0.0, all=True)


def test_each_stream_is_what_it_would_be_alone(pipeline: Callable[..., Pipeline]) -> None:
    data = corpus("debian13-enriched.log")[:200_000] + b"\nrubbish\n"
    streams = (*KINDS, KINDS[0], KINDS[6])
    made = pipeline(streams=streams, clock="event", hostname="h")
    first = made.feed(data, 0.0)
    out = [[each] for each in (first, *made.others())]
    last = made.flush(0.0, all=True)
    for place, each in enumerate((last, *made.others())):
        out[place].append(each)
    assert len(out) == len(streams)
    for stream, pieces in zip(streams, out):
        assert b"".join(pieces) == alone(pipeline, stream, data), stream


def test_what_was_made_belongs_to_one_call(pipeline: Callable[..., Pipeline]) -> None:
    made = pipeline(streams=(Stream(), Stream(format="records")))
    line = b"type=USER msg=audit(1.000:%d): pid=1\n"
    assert made.feed(line % 1, 0.0).count(b"\n") == made.others()[0].count(b"\n") == 1
    assert (made.feed(b"", 0.0), made.others()) == (b"", (b"",))


def test_a_stream_that_receives_what_is_sent_gets_nothing_else(pipeline: Callable[..., Pipeline]) -> None:
    made = pipeline(streams=(Stream(), Stream(receives_all=False)))
    assert made.feed(b"type=USER msg=audit(1.000:1): pid=1\nrubbish\n", 0.0).count(b"\n") == 2
    assert made.others() == (b"",)


def test_too_many_streams_are_refused(pipeline: Callable[..., Pipeline]) -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_STREAMS}"):
        pipeline(streams=(Stream(),) * (MAX_STREAMS + 1))
