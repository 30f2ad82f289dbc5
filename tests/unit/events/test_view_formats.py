# SPDX-License-Identifier: Apache-2.0
"""Matchers see the same fields of an event in both formats of the collector, over its whole corpus."""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path

import pytest

from tests.events.view import View, is_event

COLLECTOR = Path(__file__).resolve().parents[3] / "collector"
sys.path.insert(0, str(COLLECTOR / "src"))

from auditpack_collector.implementation import make_pipeline  # noqa: E402
from auditpack_collector.options import Options  # noqa: E402


def views(name: str, format_: str) -> list[View]:
    data = lzma.decompress((COLLECTOR / "tests" / "corpus" / f"{name}.log.xz").read_bytes())
    pipeline = make_pipeline(Options(format=format_, translate="all", clock="event"))
    lines = (pipeline.feed(data, 0.0) + pipeline.flush(0.0, all=True)).splitlines()
    return [View(event) for event in map(json.loads, lines) if is_event(event)]


@pytest.mark.parametrize("name", ["debian13-raw", "debian13-enriched"])
def test_matchers_see_the_same_in_both_formats(name: str) -> None:
    ecs, records = views(name, "ecs"), views(name, "records")
    assert len(ecs) == len(records) > 1000
    for one, other in zip(ecs, records):
        assert one.id == other.id
        for field in ("keys", "abi", "syscall", "success", "exit"):
            assert getattr(one, field) == getattr(other, field), (one.id, field)
        for field in ("exe", "comm"):
            assert one.text(field) == other.text(field), (one.id, field)
        for field in ("auid", "uid", "euid"):
            assert one.user(field)[0] == other.user(field)[0], (one.id, field)
        assert [path[:3] for path in one.paths] == [path[:3] for path in other.paths], one.id
        named = [[each for each in view.sockets if each.addr or each.path] for view in (one, other)]
        assert named[0] == named[1], one.id
