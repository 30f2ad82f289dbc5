# SPDX-License-Identifier: Apache-2.0
"""The collector under violence: auditd brings it back, and what was lost is counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import EVENTS, STATUS, Target

PID = "pgrep --oldest --uid auditpack"


def test_killed_collector_comes_back(target: Target) -> None:
    target.mark("fault before the kill")
    killed = target.shell(PID)
    # The records written after the kill and before the restart are the ones at risk.
    target.shell(f'kill -9 {killed.strip()}; for i in 1 2 3 4 5; do auditctl -m "fault right after $i"; done')
    target.until(f"{PID} | grep -v -x -e {killed.strip()}")
    target.mark("fault after the kill")
    written = target.shell(f"grep -o 'fault right after [0-9]' {EVENTS} | sort -u | wc -l")
    lost = 5 - int(written)
    target.until(f"grep -q '\"pid\": {target.shell(PID).strip()},' {STATUS}")
    counted = target.status()["counters"]["serial_gaps"]
    assert counted >= lost, f"{lost} records are gone, {counted} are counted"


@pytest.fixture
def small_disk(target: Target) -> Iterator[None]:
    """The event log on a file system of 4 MiB that is full."""
    folder = EVENTS.rsplit("/", 1)[0]
    target.shell(
        f"mode=$(stat -c %a {folder}); owner=$(stat -c %U:%G {folder})"
        f"; mount -t tmpfs -o size=4m tmpfs {folder}; chmod $mode {folder}; chown $owner {folder}"
        f"; kill $({PID}); sleep 1; auditctl -m 'fault on a small disk'"
    )
    target.until(f"grep -q 'fault on a small disk' {EVENTS}")
    target.host.run(f"dd if=/dev/zero of={folder}/filler bs=1k")  # ends with `No space left`, as it is meant to
    yield
    target.shell(f"umount -l {folder}; kill $({PID}); sleep 1; auditctl -m 'fault over'")
    target.until(f"grep -q 'fault over' {EVENTS}")


@pytest.mark.usefixtures("small_disk")
def test_full_disk_loses_nothing_uncounted_and_stalls_nobody(target: Target) -> None:
    before = target.status()
    lost = target.shell("auditctl -s | grep lost")
    target.shell(
        'for i in $(seq 200); do auditctl -m "fault on a full disk $i"; done',
    )
    target.until(f"grep -q 'No space left' {STATUS}")
    assert target.shell("auditctl -s | grep lost") == lost, "the kernel's queue stood still"
    target.shell(f"rm {EVENTS.rsplit('/', 1)[0]}/filler")
    target.mark("fault with room again")
    written = int(target.shell(f"grep -o 'fault on a full disk [0-9]*' {EVENTS} | sort -u | wc -l"))
    after = target.status()
    counted = sum(after["dropped"].values()) - sum(before["dropped"].values())
    assert written + counted >= 200, f"{written} written, {counted} counted as dropped, 200 sent"
