# SPDX-License-Identifier: Apache-2.0
"""User and group names by number, from the host's databases, remembered for a while."""

from __future__ import annotations

import grp
import pwd
from typing import Callable, Final

from .fields import UNSET_ID

MAX_AGE: Final = 1800.0
MAX_NAMES: Final = 4096


class Names:
    """`user(1000, now)` → "alice"; unknown numbers → "unknown(1000)", (uid_t)-1 → "unset" (auditd's own words)."""

    def __init__(self) -> None:
        self._users: dict[int, tuple[float, str]] = {}
        self._groups: dict[int, tuple[float, str]] = {}

    def user(self, uid: int, now: float) -> str:
        return _lookup(self._users, uid, now, lambda number: pwd.getpwuid(number).pw_name)

    def group(self, gid: int, now: float) -> str:
        return _lookup(self._groups, gid, now, lambda number: grp.getgrgid(number).gr_name)


def _lookup(cache: dict[int, tuple[float, str]], number: int, now: float, ask: Callable[[int], str]) -> str:
    if number == UNSET_ID:
        return "unset"
    known = cache.get(number)
    if known is not None and 0 <= now - known[0] < MAX_AGE:
        return known[1]
    try:
        name = ask(number)
    except (KeyError, OverflowError):
        name = f"unknown({number})"
    if len(cache) >= MAX_NAMES:
        cache.clear()
    cache[number] = (now, name)
    return name
