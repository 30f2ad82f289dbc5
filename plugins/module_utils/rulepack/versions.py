# SPDX-License-Identifier: Apache-2.0
"""Version comparison: SemVer of packs, and the dotted numbers of audit and the kernel (`6.1.0-40-amd64` is 6.1.0)."""

from __future__ import annotations

import re
from functools import lru_cache

SEMVER = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
_TERM = re.compile(r"(>=|<=|==|!=|>|<|=|\^|~)?\s*(\d+(?:\.\d+)*)")
_OPEN = (10**9,)


@lru_cache(maxsize=2**12)
def parts(version: str) -> tuple[int, ...]:
    """The leading dotted numbers, without trailing zeros. ValueError when there are none."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    if not match:
        raise ValueError(f"`{version}` is no version")
    numbers = [int(part) for part in match.group().split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def check_range(text: str) -> str | None:
    """What is wrong with a range such as `>=1.0.0,<2` or `^1.2`, or None."""
    if text.strip() and all(_TERM.fullmatch(term.strip()) for term in text.split(",")):
        return None
    return f"`{text}` is no version range — write terms such as ^1.2, ~1.2.3, >=1.0 or =1.0.0, parted by commas"


def satisfies(version: str, wanted: str) -> bool:
    """Whether `version` is within the range; an empty range takes all. ValueError when it is none.

    `^1.2` is >=1.2,<2 (and `^0.3` is >=0.3,<0.4: what comes first and is not 0 stays); `~1.2` is >=1.2,<1.3.
    """
    if not wanted:
        return True
    have = parts(version)
    return all(low <= have < high and have not in but for low, high, but in _bounds(wanted))


Bounds = tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, ...], ...]]


@lru_cache(maxsize=1024)
def _bounds(wanted: str) -> tuple[Bounds, ...]:
    """Each term as least version, first version above it, and versions between them that are left out."""
    found: list[Bounds] = []
    for term in wanted.split(","):
        match = _TERM.fullmatch(term.strip())
        if not match:
            raise ValueError(f"`{wanted}` is no version range")
        op, bound = match.group(1) or "==", parts(match.group(2))
        after = (*bound, 0)  # the next version there can be: numbers without trailing zeros sort like this
        found.append(
            {
                ">=": (bound, _OPEN, ()),
                ">": (after, _OPEN, ()),
                "<": ((), bound, ()),
                "<=": ((), after, ()),
                "=": (bound, after, ()),
                "==": (bound, after, ()),
                "!=": ((), _OPEN, (bound,)),
                "^": (bound, _next(match.group(2), caret=True), ()),
                "~": (bound, _next(match.group(2), caret=False), ()),
            }[op]
        )
    return tuple(found)


def _next(text: str, *, caret: bool) -> tuple[int, ...]:
    """The first version that `^text` or `~text` does not take."""
    numbers = [int(part) for part in text.split(".")]
    if caret:
        index = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        index = min(1, len(numbers) - 1)
    return (*numbers[:index], numbers[index] + 1)
