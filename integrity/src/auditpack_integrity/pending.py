# SPDX-License-Identifier: Apache-2.0
"""Names that events have touched and that are still to be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from .change import Touch

MOST_HELD: Final = 4.0
"""A name is looked at after this many times the settling time, however often it is touched meanwhile."""

_MOST_TOUCHES: Final = 64


@dataclass
class Pending:
    """`first`, `last`: monotonic times of touches. `position`: where in the feed the first stood.

    `made`: it came to be meanwhile. `renamed_from`: the name under which it was made. `hold`: not before this time.
    `uncounted`: touches that are in no counter yet. `suspected`: a scan found it changed, no event has said so yet;
    `why_unknown`: what to say if none does.
    """

    first: float
    last: float
    position: Any = None
    touches: list[Touch] = field(default_factory=list)
    uncounted: int = 0
    made: bool = False
    renamed_from: bytes | None = None
    linked_to: bytes | None = None
    moved_to: bytes | None = None
    hold: float = 0.0
    suspected: bool = False
    why_unknown: str = ""

    def due(self, settle: float) -> float:
        """When it is to be looked at."""
        return max(self.hold, min(self.last + settle, self.first + settle * MOST_HELD))


class Waiting:
    """Path → Pending, the longest waiting first."""

    def __init__(self, settle: float) -> None:
        self._settle = settle
        self._names: dict[bytes, Pending] = {}

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, path: bytes) -> bool:
        return path in self._names

    def touch(self, path: bytes, touch: Touch | None, now: float, position: Any) -> Pending:
        """A name's Pending, made when there is none, with one more touch."""
        pending = self._names.get(path)
        if pending is None:
            pending = self._names[path] = Pending(now, now, position)
        pending.last = now
        if touch is not None:
            if pending.suspected:
                pending.suspected, pending.hold = False, 0.0
            if len(pending.touches) >= _MOST_TOUCHES:
                del pending.touches[1]
            pending.touches.append(touch)
            pending.uncounted += 1
        return pending

    def take(self, path: bytes) -> Pending | None:
        return self._names.pop(path, None)

    def put(self, path: bytes, pending: Pending) -> None:
        """Wait for a path anew, joined with what waits for it already."""
        there = self._names.get(path)
        if there is not None:
            pending.touches = [*there.touches, *(each for each in pending.touches if each not in there.touches)]
            pending.first = min(pending.first, there.first)
            pending.uncounted += there.uncounted
        self._names[path] = pending

    def moved(self, old: bytes, new: bytes) -> None:
        """A directory was renamed: what waits below it, waits there."""
        below = [path for path in self._names if path.startswith(old + b"/")]
        for path in below:
            self.put(new + path[len(old) :], self._names.pop(path))

    def due(self, now: float, most: int) -> list[bytes]:
        """Paths whose time has come."""
        out = []
        for path, pending in self._names.items():
            if pending.due(self._settle) <= now:
                out.append(path)
                if len(out) >= most:
                    break
        return out

    def next_due(self) -> float | None:
        """When the next is due; None when nothing waits."""
        return min((pending.due(self._settle) for pending in self._names.values()), default=None)

    def positions(self) -> Iterator[Any]:
        """Feed positions that are not done with."""
        return (pending.position for pending in self._names.values() if pending.position is not None)
