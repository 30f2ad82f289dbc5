# SPDX-License-Identifier: Apache-2.0
"""`replay`: audit records of a file or stdin → JSON lines on stdout."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

from .implementation import make_pipeline
from .options import Options

CHUNK = 1 << 16


def replay(source: BinaryIO, sink: BinaryIO, options: Options) -> dict[str, int]:
    """Stream `source` through a pipeline into `sink`; events age by their own time. Returns the counters."""
    pipeline = make_pipeline(options)
    descriptor = source.fileno()
    while True:
        data = os.read(descriptor, CHUNK)
        if not data:
            break
        sink.write(pipeline.feed(data, 0.0))
        if len(data) < CHUNK:
            sink.flush()  # a pipe that is slow to speak wants its events now
    sink.write(pipeline.flush(0.0, all=True))
    sink.flush()
    return pipeline.counters()


def report(counters: dict[str, int]) -> None:
    """Say on stderr what was not whole; nothing when all was."""
    amiss = [
        f"{counters[name]} {name.replace('_', ' ')}"
        for name in ("malformed", "late", "incomplete", "forced")
        if counters[name]
    ]
    if amiss:
        print(f"auditpack-collector: {counters['records_in']} records: " + ", ".join(amiss), file=sys.stderr)
