# SPDX-License-Identifier: Apache-2.0
"""Version comparison: SemVer of packs, and the dotted numbers of audit and the kernel (`6.1.0-40-amd64` is 6.1.0)."""

from __future__ import annotations

import re

SEMVER = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
_TERM = re.compile(r"(>=|<=|==|!=|>|<|=)?\s*(\d+(?:\.\d+)*)")


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
    """What is wrong with a range such as `>=1.0.0,<2`, or None."""
    if all(_TERM.fullmatch(term.strip()) for term in text.split(",")):
        return None
    return f"`{text}` is no version range — write terms such as >=1.0 parted by commas"


def satisfies(version: str, wanted: str) -> bool:
    """Whether `version` is within the range; an empty range takes all."""
    if not wanted:
        return True
    have = parts(version)
    for term in wanted.split(","):
        match = _TERM.fullmatch(term.strip())
        if not match:
            raise ValueError(f"`{wanted}` is no version range")
        op, bound = match.group(1) or "==", parts(match.group(2))
        holds = {
            ">=": have >= bound,
            "<=": have <= bound,
            ">": have > bound,
            "<": have < bound,
            "!=": have != bound,
            "==": have == bound,
            "=": have == bound,
        }[op]
        if not holds:
            return False
    return True
