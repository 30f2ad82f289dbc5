# SPDX-License-Identifier: Apache-2.0
"""limit: token buckets and repeat aggregation by group; limit.c does the same. Memory is bounded by MAX_GROUPS."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

MAX_GROUPS: Final = 4096
"""Of one rule. Beyond them the group used least recently (limit) or begun first (aggregate) is forgotten."""

Stamp = tuple[int, int]
"""(second, millisecond) of an event."""


class Repeat(NamedTuple):
    """An aggregate that ended: the rule's place, its group, the stamps of its first and its last event, how many"""

    rule: int
    group: bytes
    first: Stamp
    last: Stamp
    events: int


class Limit:
    """`rate` events a second, `burst` at once, for each group. A clock that went back gives nothing."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._groups: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def passes(self, group: bytes, now: float) -> bool:
        tokens, then = self._groups.pop(group, (self._burst, now))
        if now > then:
            tokens = min(self._burst, tokens + (now - then) * self._rate)
        passes = tokens >= 1.0
        self._groups[group] = (tokens - 1.0 if passes else tokens, now)
        if len(self._groups) > MAX_GROUPS:
            self._groups.popitem(last=False)
        return passes


class _Group:
    __slots__ = ("count", "first", "last", "started")

    def __init__(self, started: float, stamp: Stamp) -> None:
        self.started = started
        self.first = self.last = stamp
        self.count = 1


class Aggregate:
    """The first event of a group passes; those within `window` seconds of it are held and counted."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._groups: OrderedDict[bytes, _Group] = OrderedDict()

    def passes(self, group: bytes, now: float, stamp: Stamp, rule: int, ended: list[Repeat]) -> bool:
        self.expire(now, False, rule, ended)
        known = self._groups.get(group)
        if known is not None:
            known.count += 1
            known.last = stamp
            return False
        self._groups[group] = _Group(now, stamp)
        if len(self._groups) > MAX_GROUPS:
            self._end(rule, ended)
        return True

    def expire(self, now: float, everything: bool, rule: int, ended: list[Repeat]) -> None:
        while self._groups:
            oldest = next(iter(self._groups.values()))
            oldest.started = min(oldest.started, now)
            if not everything and now - oldest.started < self._window:
                return
            self._end(rule, ended)

    def _end(self, rule: int, ended: list[Repeat]) -> None:
        group, oldest = self._groups.popitem(last=False)
        if oldest.count > 1:
            ended.append(Repeat(rule, group, oldest.first, oldest.last, oldest.count))
