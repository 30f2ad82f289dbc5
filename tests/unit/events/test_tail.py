# SPDX-License-Identifier: Apache-2.0
"""The follower loses nothing: not by rotation, not by half-written lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.events.tail import Follower


def write(path: Path, *numbers: int) -> None:
    with path.open("a") as stream:
        stream.writelines(json.dumps({"n": number}) + "\n" for number in numbers)


def read(follower: Follower) -> list[int]:
    return [event["n"] for event in follower.read()]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    write(path, 1)
    return path


def test_starts_at_the_end(events: Path) -> None:
    follower = Follower(events)
    write(events, 2)
    assert read(follower) == [2]
    assert read(follower) == []


def test_no_file_means_no_collector(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Follower(tmp_path / "events.jsonl")


def test_half_a_line_waits_for_its_end(events: Path) -> None:
    follower = Follower(events)
    with events.open("a") as stream:
        stream.write('{"n": ')
        stream.flush()
        assert read(follower) == []
        stream.write("2}\n")
    assert read(follower) == [2]


def test_rotation_between_two_reads(events: Path) -> None:
    follower = Follower(events)
    write(events, 2)
    events.rename(events.with_suffix(".jsonl.1"))
    assert read(follower) == [2]
    write(events, 3)
    assert read(follower) == [3]


def test_events_on_both_sides_of_a_rotation(events: Path) -> None:
    follower = Follower(events)
    write(events, 2)
    assert read(follower) == [2]
    write(events, 3)
    events.rename(events.with_suffix(".jsonl.1"))
    write(events, 4, 5)
    assert read(follower) == [3, 4, 5]


def test_file_cut_in_place(events: Path) -> None:
    follower = Follower(events)
    write(events, 2, 3)
    assert read(follower) == [2, 3]
    events.write_text("")
    write(events, 4)
    assert read(follower) == [4]
