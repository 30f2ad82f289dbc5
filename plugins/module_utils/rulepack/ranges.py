# SPDX-License-Identifier: Apache-2.0
"""Sets of whole numbers as inclusive intervals: what a chain of comparisons on one field leaves possible."""

from __future__ import annotations

from typing import NamedTuple


class Ranges(NamedTuple):
    """`spans` is sorted and disjoint; no span = nothing is possible."""

    spans: tuple[tuple[int, int], ...]

    def __and__(self, other: Ranges) -> Ranges:
        spans = []
        for low, high in self.spans:
            for other_low, other_high in other.spans:
                start, end = max(low, other_low), min(high, other_high)
                if start <= end:
                    spans.append((start, end))
        return Ranges(tuple(sorted(spans)))

    def within(self, other: Ranges) -> bool:
        """Whether every number here is in `other` too."""
        return (self & other) == self

    def only(self) -> int | None:
        """The number, when there is exactly one."""
        if len(self.spans) == 1 and self.spans[0][0] == self.spans[0][1]:
            return self.spans[0][0]
        return None


def compared(op: str, value: int, domain: tuple[int, int]) -> Ranges:
    """The numbers x of `domain` for which `x op value` holds (op: = != < > <= >=)."""
    low, high = domain
    spans = {
        "=": [(value, value)],
        "!=": [(low, value - 1), (value + 1, high)],
        "<": [(low, value - 1)],
        "<=": [(low, value)],
        ">": [(value + 1, high)],
        ">=": [(value, high)],
    }[op]
    return Ranges(tuple((max(a, low), min(b, high)) for a, b in spans if max(a, low) <= min(b, high)))
