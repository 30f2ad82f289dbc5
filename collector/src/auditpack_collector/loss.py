# SPDX-License-Identifier: Apache-2.0
"""Events of our own: what was lost, what filters held back, what was repeated."""

from __future__ import annotations

import json
import time
from typing import Any

from .emit import ECS_VERSION, SCHEMA
from .limit import Repeat, Stamp
from .quote import ecs_text, records_text

Lines = dict[str, bytes]
"""One event in each format."""
_LOSS = ("lost-events", "LOSS", "loss")
_HELD = ("held-events", "HELD", "held")
_REPEAT = ("repeated-events", "REPEAT", "repeat")


class LossReporter:
    """Keeps what was reported: counters given to `losses` and `held` matter where they rise above what was said."""

    def __init__(self, hostname: str) -> None:
        self.hostname = hostname
        self._said: dict[str, int] = {}
        self._held: dict[str, int] = {}

    def losses(self, totals: dict[str, int], now: float) -> Lines | None:
        """One line if a total rose. `now`: seconds since the epoch."""
        news = _rise(self._said, totals)
        if not news:
            return None
        words = "lost: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in news.items())
        return self._event(_LOSS, words, {"new": news, "total": totals}, now)

    def held(self, totals: dict[str, int], now: float) -> Lines | None:
        """The same for what filters held back: events by the rule's name."""
        news = _rise(self._held, totals)
        if not news:
            return None
        words = "held back: " + ", ".join(f"{count} by {name}" for name, count in news.items())
        return self._event(_HELD, words, {"new": news, "total": totals}, now)

    def repeat(self, rule: str, repeat: Repeat, per: tuple[str, ...], now: float) -> Lines:
        """An aggregate that ended."""
        values = repeat.group.split(b"\0")
        said: dict[str, Any] = {"rule": rule, "count": repeat.events}
        said |= {"first": _time(repeat.first), "last": _time(repeat.last)}
        words = f"{repeat.events} events by {rule} from {said['first']} to {said['last']}"
        lines: Lines = {}
        for format_, text in (("ecs", ecs_text), ("records", records_text)):
            group = {name: text(value) for name, value in zip(per, values)}
            lines |= {format_: self._event(_REPEAT, words, {**said, "group": group}, now)[format_]}
        return lines

    def _event(self, names: tuple[str, str, str], words: str, said: dict[str, Any], now: float) -> Lines:
        action, record, field = names
        stamp = _time((int(now), int(now % 1 * 1000)))
        ecs = {
            "@timestamp": stamp,
            "ecs": {"version": ECS_VERSION},
            "event": {"kind": "metric", "module": "auditd", "action": action},
            "message": words,
            "host": {"hostname": self.hostname},
            "auditd": {"schema": SCHEMA, field: said},
        }
        return {"ecs": _line(ecs), "records": _line({record: {"time": stamp, **said}})}


def _rise(said: dict[str, int], totals: dict[str, int]) -> dict[str, int]:
    news = {name: total - said.get(name, 0) for name, total in totals.items() if total > said.get(name, 0)}
    said.update(totals)  # a gap that late records filled is no loss any more, and the next one counts again
    return news


def _line(event: dict[str, Any]) -> bytes:
    return (json.dumps(event, separators=(",", ":")) + "\n").encode("ascii")


def _time(stamp: Stamp) -> str:
    second = min(stamp[0], 253402300799)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)) + f".{stamp[1]:03d}Z"
