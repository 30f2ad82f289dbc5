# SPDX-License-Identifier: Apache-2.0
"""An event of our own when something was lost."""

from __future__ import annotations

import json
import time

from .emit import ECS_VERSION, SCHEMA


class LossReporter:
    """Keeps what was reported. Counters given to `report` only matter where they rise above what was said before."""

    def __init__(self, format_: str, hostname: str) -> None:
        self._format = format_
        self._hostname = hostname
        self._said: dict[str, int] = {}

    def report(self, totals: dict[str, int], now: float) -> bytes:
        """One JSON line if a total rose, else b"". `now`: seconds since the epoch."""
        news = {
            name: total - self._said.get(name, 0) for name, total in totals.items() if total > self._said.get(name, 0)
        }
        if not news:
            return b""
        self._said.update({name: totals[name] for name in news})
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
        if self._format == "records":
            event: dict[str, object] = {"LOSS": {"time": stamp, "new": news, "total": totals}}
        else:
            event = {
                "@timestamp": stamp,
                "ecs": {"version": ECS_VERSION},
                "event": {"kind": "metric", "module": "auditd", "action": "lost-events"},
                "message": "lost: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in news.items()),
                "host": {"hostname": self._hostname},
                "auditd": {"schema": SCHEMA, "loss": {"new": news, "total": totals}},
            }
        return (json.dumps(event, separators=(",", ":")) + "\n").encode("ascii")
