# SPDX-License-Identifier: Apache-2.0
"""Labels of processes: rules that give and take them, and the globs that the rules are made of."""

from __future__ import annotations

from typing import Final, Optional

from .enrich_options import CONDITIONS, EnrichOptions, LabelRule

Subjects = dict[str, Optional[list[bytes]]]
"""Condition → the values that it is held against; None when unknown."""

MAX_ARGUMENTS: Final = 32
MAX_ARGUMENT_BYTES: Final = 4096
"""How much of the argument vector (joined by blanks) a rule sees."""


def fits(pattern: bytes, value: bytes) -> bool:
    """Whether a glob of `*` and `?` fits the whole value. Linear but for the last `*`'s retries; no recursion."""
    at = place = 0
    star = mark = -1
    while place < len(value):
        if at < len(pattern) and pattern[at] == 0x2A:
            star, mark = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in (0x3F, value[place]):
            at += 1
            place += 1
        elif star >= 0:
            mark += 1
            at, place = star + 1, mark
        else:
            return False
    while at < len(pattern) and pattern[at] == 0x2A:
        at += 1
    return at == len(pattern)


class Labeller:
    """Rules over the label bits of a process."""

    def __init__(self, options: EnrichOptions) -> None:
        self.names = [name.encode("utf-8", "surrogateescape") for name in options.labels()]
        self._bits = {name: 1 << place for place, name in enumerate(options.labels())}
        self._keys = {key.encode("utf-8", "surrogateescape"): self._bits[key] for key in options.keys}
        self.inherited = sum(self._bits[name] for name in options.inherit if name in self._bits)
        self._limit = options.limit
        self._rules = [(rule, self._bits[rule.name], _conditions(rule)) for rule in options.rules]
        asked = {condition for _, _, conditions in self._rules for condition, _ in conditions}
        self.wants_argv = "argv" in asked

    def of_keys(self, labels: int, keys: list[bytes]) -> int:
        for key in keys:
            labels = self._give(labels, self._keys.get(key, 0))
        return labels

    def of_rules(self, labels: int, subjects: Subjects, only_keys: bool) -> int:
        """The rules in their order. `only_keys`: only those that ask for a key: it alone changes between programs."""
        for rule, bit, conditions in self._rules:
            if only_keys and not rule.key:
                continue
            if all(_holds(patterns, subjects.get(condition)) for condition, patterns in conditions):
                labels = labels & ~bit if rule.remove else self._give(labels, bit)
        return labels

    def list(self, labels: int) -> list[bytes]:
        return [name for place, name in enumerate(self.names) if labels >> place & 1]

    def _give(self, labels: int, bit: int) -> int:
        return labels | bit if labels & bit or bin(labels).count("1") < self._limit else labels


def _conditions(rule: LabelRule) -> list[tuple[str, list[bytes]]]:
    """Of the rule; one without any holds always."""
    found = [(condition, getattr(rule, condition)) for condition in CONDITIONS]
    return [(name, [each.encode("utf-8", "surrogateescape") for each in texts]) for name, texts in found if texts]


def _holds(patterns: list[bytes], values: list[bytes] | None) -> bool:
    return values is not None and any(fits(pattern, value) for value in values for pattern in patterns)
