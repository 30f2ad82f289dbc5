# SPDX-License-Identifier: Apache-2.0
"""filter: which outputs get an event. Rules are tried in order; filter.c does the same.

Of each output the first drop, move, copy or keep that matches decides; count and label decide nothing, limit and
aggregate only where they hold an event back. A rule whose outputs are all decided is not tried. What a field's values
are is said at the methods of Facts; text is matched whole, `*` is any bytes, `?` one byte.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from typing import Callable, Final, NamedTuple

from . import decode, sockaddr
from .coalesce import Event
from .filter_rules import Condition, Network, Numbers, Rule, Text
from .limit import Aggregate, Limit, Repeat
from .tables import ARCHES, SYSCALLS

MAX_GROUP: Final = 1024
"""Bytes of a group's name that count."""
MAX_EVENT_LABELS: Final = 16


class Facts:
    """Fields of one event as rules ask for them, found when first asked for."""

    def __init__(self, event: Event, labels: list[bytes], unit: bytes, container: bytes) -> None:
        self._event = event
        self.labels = labels
        self._unit = unit
        self._container = container
        self._known: dict[str, list[bytes]] = {}

    def texts(self, field: str) -> list[bytes]:
        if field == "label":
            return self.labels  # grows
        if field not in self._known:
            self._known[field] = getattr(self, f"find_{field}")()
        return self._known[field]

    def find_type(self) -> list[bytes]:
        return [record.type for record in self._event.records]

    def find_key(self) -> list[bytes]:
        """Of all records; an event without has the empty one."""
        found = [
            each
            for record in self._event.records
            for name, token in record.fields
            if name == b"key"
            for each in decode.keys(token)
        ]
        return found or [b""]

    def find_exe(self) -> list[bytes]:
        return self._first_text(b"exe")

    def find_comm(self) -> list[bytes]:
        return self._first_text(b"comm")

    def find_argv(self) -> list[bytes]:
        records = [record for record in self._event.records if record.type == b"EXECVE"]
        return [b" ".join(each or b"" for each in decode.arguments(records)[0])] if records else []

    def find_syscall(self) -> list[bytes]:
        """Its name where the tables have it, else its number; of a record that names its architecture."""
        token, arch = self._first(b"syscall"), ARCHES.get(self._first(b"arch") or b"")
        if token is None or arch is None:
            return []
        number = decode.decimal(token)
        name = None if number is None else SYSCALLS[arch].get(number)
        return [token if name is None else name.encode("ascii")]

    def find_path(self) -> list[bytes]:
        found = []
        for record in self._event.records:
            if record.type == b"PATH":
                value = decode.encoded(dict(reversed(record.fields)).get(b"name", b"(null)"))
                found += [] if value is None else [value]
        return found

    def find_unit(self) -> list[bytes]:
        return [self._unit] if self._unit else []

    def find_container(self) -> list[bytes]:
        return [self._container] if self._container else []

    def number(self, field: str) -> int | None:
        return decode.decimal(self._first(field.encode()) or b"")

    def addresses(self) -> list[tuple[bytes, int]]:
        """(packed address, port) of each SOCKADDR of family inet or inet6."""
        found = []
        for record in self._event.records:
            if record.type == b"SOCKADDR":
                _, parts, _ = sockaddr.parse(decode.encoded(dict(reversed(record.fields)).get(b"saddr", b"")) or b"")
                if "addr" in parts:
                    text = str(parts["addr"])
                    family = socket.AF_INET6 if ":" in text else socket.AF_INET
                    found.append((socket.inet_pton(family, text), int(parts["port"])))
        return found

    def lines(self) -> list[bytes]:
        return [record.raw for record in self._event.records]

    def group(self, per: tuple[str, ...]) -> bytes:
        """The values of the fields, NUL between them; several keys joined by 0x01."""
        parts = []
        for field in per:
            if field in ("auid", "uid"):
                parts.append(self._first(field.encode()) or b"")
            elif field == "key":
                parts.append(b"\x01".join(self.texts(field)))
            else:
                parts.append(b"".join(self.texts(field)[:1]))
        return b"\0".join(parts)[:MAX_GROUP]

    def _first_text(self, name: bytes) -> list[bytes]:
        token = self._first(name)
        value = None if token is None else decode.encoded(token)
        return [] if value is None else [value]

    def _first(self, name: bytes) -> bytes | None:
        """The token of the first field of that name: record by record, its fields before its msg='…'."""
        for record in self._event.records:
            for fields in (record.fields, record.message or ()):
                for known, token in fields:
                    if known == name:
                        return token
        return None


class Verdict(NamedTuple):
    """`to`: bits of the outputs that get the event; `labels` that rules gave it."""

    to: int
    labels: list[bytes]


class Filter:
    """The rules of one pipeline. `matched` and `held`: events of each rule; `repeats`: aggregates that ended."""

    def __init__(self, rules: tuple[Rule, ...], streams: int, default: int) -> None:
        self._every = (1 << streams) - 1
        self._default = default
        self._rules = [_Rule(rule) for rule in rules]
        self.matched = [0] * len(rules)
        self.held = [0] * len(rules)
        self.repeats: list[Repeat] = []

    def event(
        self, event: Event, now: float, labels: Iterable[bytes] = (), unit: bytes = b"", container: bytes = b""
    ) -> Verdict:
        given = list(labels)
        facts = Facts(event, list(labels), unit, container)
        to, undecided = self._default, self._every
        for place, rule in enumerate(self._rules):
            concerned = rule.outputs & undecided
            if rule.action in ("move", "limit", "aggregate"):
                concerned &= to
            if not concerned or not rule.matches(facts):
                continue
            self.matched[place] += 1
            if rule.action == "label":
                if rule.label not in facts.labels and len(facts.labels) - len(given) < MAX_EVENT_LABELS:
                    facts.labels.append(rule.label)
            elif rule.action == "copy":
                to |= rule.to & undecided
                undecided &= ~rule.to
            elif rule.action == "keep":
                undecided &= ~concerned
            elif rule.action == "move":
                self.held[place] += 1
                to = to & ~concerned | rule.to & undecided
                undecided &= ~(concerned | rule.to)
            elif rule.action != "count" and not self._passes(place, rule, facts, event, now):
                self.held[place] += bool(to & concerned)
                to &= ~concerned
                undecided &= ~concerned
            if not undecided:
                break
        return Verdict(to, facts.labels[len(given) :])

    def expire(self, now: float, everything: bool) -> None:
        """End aggregates whose window is over, or all."""
        for place, rule in enumerate(self._rules):
            if isinstance(rule.groups, Aggregate):
                rule.groups.expire(now, everything, place, self.repeats)

    def _passes(self, place: int, rule: _Rule, facts: Facts, event: Event, now: float) -> bool:
        if rule.groups is None:
            return False
        group = facts.group(rule.per)
        if isinstance(rule.groups, Limit):
            return rule.groups.passes(group, now)
        first = event.records[0]
        return rule.groups.passes(group, now, (first.sec, first.ms), place, self.repeats)


class _Rule:
    def __init__(self, rule: Rule) -> None:
        self.action = rule.action
        self.outputs = rule.outputs
        self.to = rule.to
        self.label = rule.label
        self.per = rule.per
        self.groups: Limit | Aggregate | None = None
        if rule.action == "limit":
            self.groups = Limit(rule.rate, rule.burst)
        elif rule.action == "aggregate":
            self.groups = Aggregate(rule.window)
        self._conditions = [_test(condition) for condition in rule.conditions]
        self._raw = re.compile(rule.raw).search if rule.raw else None

    def matches(self, facts: Facts) -> bool:
        return all(test(facts) for test in self._conditions) and (
            self._raw is None or any(self._raw(line) for line in facts.lines())
        )


def _test(condition: Condition) -> Callable[[Facts], bool]:
    """Some value matches, if any must, and none that must not."""
    field = condition.field
    positive = [value for value in condition.values if not value.negative]
    negative = [value for value in condition.values if value.negative]
    if isinstance(condition.values[0], Text):
        wanted, unwanted = _globs(positive), _globs(negative)

        def test(facts: Facts) -> bool:
            values = facts.texts(field)
            return (not positive or any(map(wanted, values))) and not (negative and any(map(unwanted, values)))

    elif isinstance(condition.values[0], Numbers):

        def test(facts: Facts) -> bool:
            number = facts.number(field)
            return (not positive or _in_ranges(number, positive)) and not _in_ranges(number, negative)

    else:

        def test(facts: Facts) -> bool:
            found = facts.addresses()
            return (not positive or _in_networks(found, positive)) and not _in_networks(found, negative)

    return test


def _globs(values: Iterable[object]) -> Callable[[bytes], bool]:
    globs = [_Glob(value.pattern) for value in values if isinstance(value, Text)]

    def matches(text: bytes) -> bool:
        return any(glob.matches(text) for glob in globs)

    return matches


class _Glob:
    """A whole text, `*` any bytes and `?` one byte. The pieces between stars are found from left to right: linear,
    where one regular expression with several `.*` would let hostile texts take polynomial time."""

    def __init__(self, pattern: bytes) -> None:
        self._pieces = [re.compile(re.escape(piece).replace(rb"\?", b"."), re.S) for piece in pattern.split(b"*")]
        self._last = len(pattern.rpartition(b"*")[2])

    def matches(self, text: bytes) -> bool:
        if len(self._pieces) == 1:
            return self._pieces[0].fullmatch(text) is not None
        first, *middle, last = self._pieces
        found = first.match(text)
        for piece in middle:
            found = found and piece.search(text, found.end())
        return found is not None and last.fullmatch(text, max(found.end(), len(text) - self._last)) is not None


def _in_ranges(number: int | None, values: Iterable[object]) -> bool:
    return number is not None and any(isinstance(each, Numbers) and each.low <= number <= each.high for each in values)


def _in_networks(found: list[tuple[bytes, int]], values: Iterable[object]) -> bool:
    return any(isinstance(each, Network) and _in_network(*one, each) for one in found for each in values)


def _in_network(address: bytes, port: int, network: Network) -> bool:
    if not network.low <= port <= network.high:
        return False
    if network.family == 0:
        return True
    if len(address) != len(network.address):
        return False
    shift = 8 * len(address) - network.bits
    return int.from_bytes(address, "big") >> shift == int.from_bytes(network.address, "big") >> shift
