# SPDX-License-Identifier: Apache-2.0
"""The queue of an output: memory, disk, loss by policy."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from auditpack_collector import spool as spool_module
from auditpack_collector.queue import Queue
from auditpack_collector.spool import Spool


def taken(queue: Queue) -> list[bytes]:
    """All that is left, in order; closes the queue."""
    queue.close()
    out = []
    while (chunk := queue.get()) is not None:
        out.append(chunk)
        queue.done(len(chunk))
    queue.finish()
    return out


@pytest.mark.parametrize(("policy", "kept"), [("oldest", [b"1\n", b"4\n"]), ("newest", [b"1\n", b"2\n"])])
def test_drops_by_policy_and_counts(policy: str, kept: list[bytes]) -> None:
    """The chunk in front may be half written, so it stays."""
    queue = Queue(4, policy)
    for chunk in (b"1\n", b"2\n", b"3\n", b"4\n"):
        queue.put(chunk)
    queue.put(b"loss\n", force=True)
    assert taken(queue) == [*kept, b"loss\n"]
    assert queue.dropped["queue_full"] == 2
    assert queue.bytes == 0


def test_blocks_if_told_so() -> None:
    queue = Queue(4, "block")
    queue.put(b"123\n")
    waiting = threading.Thread(target=queue.put, args=(b"5\n",))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    assert queue.get() == b"123\n"
    queue.done(4)
    waiting.join(5)
    assert taken(queue) == [b"5\n"]
    assert not any(queue.dropped.values())


def test_what_is_half_done_stays_in_front() -> None:
    queue = Queue(100, "oldest")
    queue.put(b"1\n2\n")
    assert queue.get() == b"1\n2\n"
    queue.done(2)
    assert queue.get() == b"2\n"
    queue.finish()
    assert queue.dropped["write_failed"] == 1


def lines(first: int, last: int) -> bytes:
    return b"".join(b"%08d\n" % number for number in range(first, last))


def test_disk_takes_what_memory_cannot_and_gives_it_back_in_order(tmp_path: Path) -> None:
    queue = Queue(4 << 10, "block", Spool(tmp_path / "q", 1 << 20))
    for number in range(0, 10_000, 10):
        queue.put(lines(number, number + 10))
    assert queue.high <= 4 << 10
    assert b"".join(taken(queue)) == lines(0, 10_000)
    assert not any(queue.dropped.values())
    assert list((tmp_path / "q").glob("*.jsonl")) == []


def test_disk_queue_outlives_the_process_and_a_torn_line(tmp_path: Path) -> None:
    queue = Queue(4 << 10, "block", Spool(tmp_path / "q", 1 << 20))
    for number in range(0, 1000, 10):
        queue.put(lines(number, number + 10))
    chunk = queue.get()
    assert chunk is not None
    queue.done(9 * 3)
    queue.finish()
    last = sorted((tmp_path / "q").glob("*.jsonl"))[-1]
    with last.open("ab") as file:
        file.write(b"torn")
    again = Spool(tmp_path / "q", 1 << 20)
    assert again.torn == 1
    assert b"".join(taken(Queue(4 << 10, "block", again))) == lines(3, 1000)


def test_a_full_disk_queue_costs_the_oldest_segment_and_counts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "SEGMENT_BYTES", 900)
    queue = Queue(4 << 10, "oldest", Spool(tmp_path / "q", 10_000))
    for number in range(0, 10_000, 10):
        queue.put(lines(number, number + 10))
        time.sleep(0)
    out = b"".join(taken(queue))
    lost = queue.dropped["queue_full"] + queue.dropped["disk_queue_full"]
    assert lost > 0
    assert len(out) // 9 + lost == 10_000
    assert out.splitlines() == sorted(set(out.splitlines()))


def test_a_disk_queue_that_cannot_be_written_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditpack_collector.queue.RETRY", 0.05)
    spool = Spool(tmp_path / "q", 1 << 20)
    append, failing = spool.append, threading.Event()
    failing.set()

    def broken(chunk: bytes) -> bool:
        if failing.is_set():
            raise OSError(28, "No space left on device", "q")
        return append(chunk)

    monkeypatch.setattr(spool, "append", broken)
    queue = Queue(2000, "newest", spool)
    for number in range(0, 1000, 10):
        queue.put(lines(number, number + 10))
    deadline = time.monotonic() + 10
    while not queue.last_error and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "No space" in queue.last_error
    lost = queue.dropped["queue_full"]
    assert lost > 700
    failing.clear()
    assert len(b"".join(taken(queue))) // 9 + lost == 1000
