# SPDX-License-Identifier: Apache-2.0
"""One input with the pipeline that it feeds and the outputs that its streams go to."""

from __future__ import annotations

import time
from typing import Callable

from .implementation import choose
from .limit import Repeat
from .options import Options
from .source import Source
from .writer import Writer

Counts = dict[str, int]
_GAUGES = ("open_events", "last_serial")
REORDERED = 32
"""Serials that CPUs may hand over out of order: so small a gap is told when it still stands at the next status."""


class Channel:
    """Counters go on over a reload, which starts a new pipeline at a line's start, so that no line is cut."""

    def __init__(
        self, source: Source, options: Options, writers: list[Writer], lost: Callable[[], None] = lambda: None
    ) -> None:
        """`lost` is called when serials are missing since the collector before this one, or many at once, before the
        events behind the gap go out: so whoever finds these events in an output finds the report of the gap before
        them, whatever kills the collector in between."""
        self.source = source
        self._lost = lost
        self._gaps = 0
        self._started = False  # the pipeline has taken a record
        self._whole = True  # no line is cut at the moment
        self.writers = writers
        self.rules: dict[str, list[int]] = {}
        self.repeats: list[tuple[str, Repeat]] = []
        self._options = options
        self._pipeline, self.reason = choose(options)
        self._next: tuple[Options, list[Writer]] | None = None
        self._earlier: Counts = {}
        self._earlier_types: dict[str, tuple[int, int]] = {}
        self._earlier_rules: dict[str, list[int]] = {}

    @property
    def implementation(self) -> str:
        return self._pipeline.implementation

    def feed(self, data: bytes) -> None:
        now = time.monotonic()
        if self._next is not None and self._whole:
            self._change()
        if self._next is not None:
            head, newline, data = data.partition(b"\n")
            self._send(self._pipeline.feed(head + newline, now))
            if not newline:
                return
            self._change()
            self._whole = True
        self._send(self._pipeline.feed(data, now))
        self._whole = data.endswith(b"\n") or (self._whole and not data)

    def flush(self, everything: bool = False) -> None:
        self._send(self._pipeline.flush(time.monotonic(), all=everything))
        names = [rule.name for rule in self._options.rules]
        self.repeats += [(names[repeat[0]], Repeat(*repeat)) for repeat in self._pipeline.repeats()]

    def replace(self, options: Options, writers: list[Writer]) -> None:
        """Reload: from the next line on. Nothing changes for a pipeline whose options and outputs stay the same."""
        if (options, writers) == (self._options, self.writers):
            self._next = None
        else:
            self._next = (options, writers)

    def all_writers(self) -> list[Writer]:
        return [*self.writers, *(self._next[1] if self._next else ())]

    def counters(self) -> Counts:
        current = self._pipeline.counters()
        return {name: value + (0 if name in _GAUGES else self._earlier.get(name, 0)) for name, value in current.items()}

    def types(self) -> dict[str, tuple[int, int]]:
        total = dict(self._earlier_types)
        for name, (came, went) in self._pipeline.types().items():
            before = total.get(name, (0, 0))
            total[name] = (before[0] + came, before[1] + went)
        return total

    def rule_counts(self) -> dict[str, list[int]]:
        """Name → events matched and held, also of rules that a reload removed."""
        total = {name: list(counts) for name, counts in self._earlier_rules.items()}
        for rule, counts in zip(self._options.rules, self._pipeline.rules()):
            known = total.setdefault(rule.name, [0, 0])
            known[0] += counts[0]
            known[1] += counts[1]
        return total

    def _change(self) -> None:
        assert self._next is not None
        self.flush(everything=True)
        self._earlier, self._earlier_types = self.counters(), self.types()
        self._earlier_rules = self.rule_counts()
        self._options, self.writers = self._next
        self._next = None
        self._pipeline, self.reason = choose(self._options)
        self._gaps = 0
        self._started = False

    def _send(self, first: bytes) -> None:
        counters = self._pipeline.counters()
        gaps = counters["serial_gaps"]
        if gaps > self._gaps + (REORDERED if self._started else 0):
            self._lost()
        self._gaps = gaps
        self._started = counters["records_in"] > 0
        if first:
            self.writers[0].queue.put(first)
        if len(self.writers) > 1:
            for writer, lines in zip(self.writers[1:], self._pipeline.others()):
                if lines:
                    writer.queue.put(lines)
