# SPDX-License-Identifier: Apache-2.0
"""What the collector's tests share besides fixtures."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any, Callable

from auditpack_collector.options import Options
from auditpack_collector.pipeline import Pipeline

CORPUS = Path(__file__).resolve().parent / "corpus"
Run = Callable[..., list[dict[str, Any]]]


def parse(output: bytes) -> list[dict[str, Any]]:
    """JSON lines, strictly: each ends in a newline, none names a key twice."""
    assert not output or output.endswith(b"\n")
    return [json.loads(line, object_pairs_hook=_unique) for line in output.decode("utf-8").split("\n")[:-1]]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs), f"a name twice in {pairs}"
    return dict(pairs)


def corpus(name: str) -> bytes:
    return lzma.decompress((CORPUS / f"{name}.xz").read_bytes())


def events_of(data: bytes, **options: str) -> list[dict[str, Any]]:
    """All events of the bytes by the Python pipeline, for properties that need no fixture."""
    pipeline = Pipeline(Options(clock="event", **options))  # type: ignore[arg-type]
    return parse(pipeline.feed(data, 0.0) + pipeline.flush(0.0, all=True))
