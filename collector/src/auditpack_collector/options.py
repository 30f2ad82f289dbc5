# SPDX-License-Identifier: Apache-2.0
"""What a pipeline is asked to do; the same for the Python and the C."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .callbacks import Callbacks
    from .config import Redact
    from .enrich_options import EnrichOptions
    from .enrich_source import Source
    from .filter_rules import Rule

FORMATS = ("ecs", "records")
TRANSLATIONS = ("none", "universal", "all")
ENRICHMENTS = ("none", "default", "all")


MAX_STREAMS = 16


class Stream(NamedTuple):
    """One of several outputs. `receives_all`: False for one that gets only what a filter sends to it."""

    format: str = "ecs"
    translate: str = "none"
    original: bool = False
    receives_all: bool = True


class Options(NamedTuple):
    """`translate` concerns `records` alone: `ecs` always names what it can (user names only with `all`).

    `hostname` is written to ECS events whose line has no node. `clock`: "wall" ages open events by the `now` given to
    feed(), "event" by the newest time stamp seen, which makes reading a file independent of how long that takes.
    `original`: events carry their raw lines (restore.py reads them back).
    `streams`: more than one output, at most MAX_STREAMS; empty is one stream of `format`, `translate` and `original`.
    `rules`: filters, in order, for `streams` by their place. `redact`: what to take out of raw lines; None is nothing.
    `last_serial`: what the collector before this one wrote last (0: unknown); the first serial is held against it.
    """

    format: str = "ecs"
    translate: str = "none"
    enrich: str | EnrichOptions = "none"
    timeout: float = 2.0
    hostname: str = ""
    clock: str = "wall"
    original: bool = False
    last_serial: int = 0
    streams: tuple[Stream, ...] = ()
    rules: tuple[Rule, ...] = ()
    redact: Redact | None = None

    def all_streams(self) -> tuple[Stream, ...]:
        """The streams, also where only one is asked for. Raises ValueError for more than MAX_STREAMS."""
        if len(self.streams) > MAX_STREAMS:
            raise ValueError(f"options.streams: {len(self.streams)} streams, at most {MAX_STREAMS}")
        return self.streams or (Stream(self.format, self.translate, self.original),)

    def enrichment(self) -> EnrichOptions | None:
        """None when there is nothing to add. Raises ValueError for too many labels."""
        if self.enrich == "none":
            return None
        from .enrich_options import NAMED, EnrichOptions  # noqa: PLC0415 - only where there is enrichment

        wanted = self.enrich if isinstance(self.enrich, EnrichOptions) else NAMED[self.enrich]
        return wanted if wanted.active else None

    def enrich_program(self) -> bytes:
        """The enrichment as the C reads it; empty for none."""
        wanted = self.enrichment()
        return wanted.encode() if wanted is not None else b""

    def enrich_source(self) -> Source | None:
        """What is asked for /proc and files of this machine; None when that is nothing."""
        wanted = self.enrichment()
        if wanted is None or not wanted.asks:
            return None
        from .enrich_source import Source  # noqa: PLC0415

        return Source(wanted)

    def program(self) -> bytes:
        """The rules as the C reads them; empty for none."""
        if not self.rules:
            return b""
        from .filter_rules import encode  # noqa: PLC0415 - only where there are filters

        return encode(self.rules)

    def callbacks(self) -> Callbacks | None:
        """What the C asks Python for; None when that is nothing."""
        if self.redact is None and not any(rule.raw for rule in self.rules):
            return None
        from .callbacks import Callbacks  # noqa: PLC0415

        return Callbacks(self.rules, self.redact)
