# SPDX-License-Identifier: Apache-2.0
"""[[filter]] tables → rules: the form that both implementations evaluate. filter.py says what they mean."""

from __future__ import annotations

import ipaddress
import pwd
import re
import struct
from typing import Final, NamedTuple, Union

from . import toml
from .config import ACTIONS, GROUPINGS, Config, Filter
from .fields import UNSET_ID

TEXT_FIELDS: Final = ("type", "key", "exe", "comm", "argv", "syscall", "path", "unit", "container", "label")
NUMBER_FIELDS: Final = ("auid", "uid")
NETWORK_FIELDS: Final = ("saddr",)
FIELDS: Final = (*TEXT_FIELDS, *NUMBER_FIELDS, *NETWORK_FIELDS)
"""In the order of enum filter_field in filter.h."""
MAX_RULES: Final = 256
_EVERY = 0xFFFFFFFF


class Text(NamedTuple):
    negative: bool
    pattern: bytes


class Numbers(NamedTuple):
    negative: bool
    low: int
    high: int


class Network(NamedTuple):
    """`family` 0 (any), 4 or 6; the first `bits` of `address` count; ports low to high, 0-65535 without one."""

    negative: bool
    family: int
    address: bytes
    bits: int
    low: int
    high: int


Value = Union[Text, Numbers, Network]


class Condition(NamedTuple):
    field: str
    values: tuple[Value, ...]


class Rule(NamedTuple):
    """`outputs`, `to`: bits by place of the output. `per`: names in the order of GROUPINGS."""

    name: str
    action: str
    outputs: int = _EVERY
    to: int = 0
    label: bytes = b""
    rate: float = 0.0
    burst: float = 0.0
    window: float = 0.0
    per: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    raw: bytes = b""


class RuleError(Exception):
    """A value that cannot be used: its place in the configuration, and `what — remedy`."""

    def __init__(self, where: toml.Path, message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


def compile_rules(config: Config) -> tuple[Rule, ...]:
    """User names become numbers by this machine's database. Raises RuleError."""
    if len(config.filter) > MAX_RULES:
        raise RuleError(("filter", MAX_RULES), f"{len(config.filter)} filters — at most {MAX_RULES}")
    names = [output.name for output in config.outputs()]
    return tuple(_rule(each, ("filter", place), names) for place, each in enumerate(config.filter))


def _rule(each: Filter, where: toml.Path, names: list[str]) -> Rule:
    conditions = []
    for field in FIELDS:
        given = getattr(each, field)
        if given:
            conditions.append(Condition(field, tuple(_value(field, value, (*where, field)) for value in given)))
    if each.raw:
        try:
            re.compile(each.raw.encode())
        except re.error as error:
            raise RuleError((*where, "raw"), f"filter.raw: {error} — a Python regular expression") from error
    return Rule(
        name=each.name,
        action=each.action,
        outputs=sum(1 << names.index(name) for name in set(each.outputs) if name in names) or _EVERY,
        to=1 << names.index(each.to) if each.to in names else 0,
        label=each.set.encode(),
        rate=each.rate,
        burst=float(each.burst or max(1, int(each.rate))),
        window=each.window,
        per=tuple(name for name in GROUPINGS if name in each.per),
        conditions=tuple(conditions),
        raw=each.raw.encode(),
    )


def _value(field: str, text: str, where: toml.Path) -> Value:
    negative = text.startswith("!")
    body = text[1:] if negative else text
    if field in TEXT_FIELDS:
        if len(body.encode()) > 4096:
            raise RuleError(where, f"filter.{field}: a text of more than 4096 bytes")
        return Text(negative, body.encode())
    return _numbers(negative, field, body, where) if field in NUMBER_FIELDS else _network(negative, body, where)


def _numbers(negative: bool, field: str, body: str, where: toml.Path) -> Numbers:
    if body == "unset":
        return Numbers(negative, UNSET_ID, UNSET_ID)
    match = re.fullmatch(r"([0-9]{1,10})(?:-([0-9]{1,10}))?", body)
    if match:
        return Numbers(negative, int(match[1]), int(match[2] or match[1]))
    try:
        uid = pwd.getpwnam(body).pw_uid
    except KeyError:
        message = f"filter.{field}: no user {body!r} here — a user's name, a number, a range 1000-1999 or unset"
        raise RuleError(where, message) from None
    return Numbers(negative, uid, uid)


_ADDRESS = re.compile(r"(?:\[([^\]]*)\]|([^\[\]]*?))(?::([0-9]{1,5})(?:-([0-9]{1,5}))?)?")


def _network(negative: bool, body: str, where: toml.Path) -> Network:
    colons = body.count(":") > 1 and not body.startswith("[")  # a bare IPv6 address has no port
    match = _ADDRESS.fullmatch(body) if not colons else None
    host = body if match is None else match[1] if match[1] is not None else match[2]
    low, high = (int(match[3]), int(match[4] or match[3])) if match and match[3] else (0, 65535)
    wrong = RuleError(where, f"filter.saddr = {body!r} — ip, cidr, ip:port, [v6/bits]:port, *:port or *:1-1023")
    if low > high or high > 65535:
        raise wrong
    if host == "*":
        return Network(negative, 0, b"", 0, low, high)
    try:
        found = ipaddress.ip_network(host, strict=False)
    except ValueError:
        raise wrong from None
    return Network(negative, found.version, found.network_address.packed, found.prefixlen, low, high)


def encode(rules: tuple[Rule, ...]) -> bytes:
    """The rules as filter_program.c reads them; little-endian, counts before lists."""
    out = [struct.pack("<I", len(rules))]
    for rule in rules:
        per = sum(1 << GROUPINGS.index(name) for name in set(rule.per))
        out.append(struct.pack("<BBHII", ACTIONS.index(rule.action), bool(rule.raw), per, rule.outputs, rule.to))
        out.append(struct.pack("<ddd", rule.rate, rule.burst, rule.window))
        out.append(struct.pack("<H", len(rule.label)) + rule.label)
        out.append(struct.pack("<B", len(rule.conditions)))
        for condition in rule.conditions:
            out.append(struct.pack("<BI", FIELDS.index(condition.field), len(condition.values)))
            out.extend(_encoded(value) for value in condition.values)
    return b"".join(out)


def _encoded(value: Value) -> bytes:
    if isinstance(value, Text):
        return struct.pack("<BH", value.negative, len(value.pattern)) + value.pattern
    if isinstance(value, Numbers):
        return struct.pack("<Bqq", value.negative, value.low, value.high)
    address = value.address.ljust(16, b"\0")
    return struct.pack("<BBB16sHH", value.negative, value.family, value.bits, address, value.low, value.high)
