# SPDX-License-Identifier: Apache-2.0
"""What a pipeline is asked to do; the same for the Python and the C."""

from __future__ import annotations

from dataclasses import dataclass

FORMATS = ("ecs", "records")
TRANSLATIONS = ("none", "universal", "all")
ENRICHMENTS = ("none",)  # `default` and `all` are refused until they do something


MAX_STREAMS = 16


@dataclass(frozen=True)
class Stream:
    """One of several outputs. `receives_all`: False for one that gets only what a filter sends to it."""

    format: str = "ecs"
    translate: str = "none"
    original: bool = False
    receives_all: bool = True


@dataclass(frozen=True)
class Options:
    """`translate` concerns `records` alone: `ecs` always names what it can (user names only with `all`).

    `hostname` is written to ECS events whose line has no node. `clock`: "wall" ages open events by the `now` given to
    feed(), "event" by the newest time stamp seen, which makes reading a file independent of how long that takes.
    `original`: events carry their raw lines (restore.py reads them back).
    `streams`: more than one output, at most MAX_STREAMS; empty is one stream of `format`, `translate` and `original`.
    `last_serial`: what the collector before this one wrote last (0: unknown); the first serial is held against it.
    """

    format: str = "ecs"
    translate: str = "none"
    enrich: str = "none"
    timeout: float = 2.0
    hostname: str = ""
    clock: str = "wall"
    original: bool = False
    last_serial: int = 0
    streams: tuple[Stream, ...] = ()

    def all_streams(self) -> tuple[Stream, ...]:
        """The streams, also where only one is asked for. Raises ValueError for more than MAX_STREAMS."""
        if len(self.streams) > MAX_STREAMS:
            raise ValueError(f"options.streams: {len(self.streams)} streams, at most {MAX_STREAMS}")
        return self.streams or (Stream(self.format, self.translate, self.original),)
