# SPDX-License-Identifier: Apache-2.0
"""What enrichment is asked for; the same for the Python and the C. Each switch: docs/collector/enrichment.md."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from .machine import Machine

NO_MACHINE: Final = Machine()
MAX_LABELS: Final = 64
MAX_ANCESTORS: Final = 32
CONDITIONS: Final = ("exe", "argv", "script", "key", "unit", "user", "login")
"""What a label rule may ask for; the order is that of the C's enum label_condition."""


class LabelRule(NamedTuple):
    """Give a process the label `name` (or take it, `remove`) when every condition that is not empty has a pattern that
    fits: globs of `*` (any bytes) and `?` (one byte) over the whole value."""

    name: str
    remove: bool = False
    exe: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    script: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    login: tuple[str, ...] = ()


class EnrichOptions(NamedTuple):
    """`decode` concerns `records` alone: `ecs` always says what flags mean. `ancestors` is a depth, 0 none.

    Of /proc and files of this machine, so off in `replay` unless asked: `proc` (root of procfs, "" none: processes
    that no event showed, start times, units, containers), `environment`, `hash`, `groups`, `machine`. `boot` is the
    boot id that makes process GUIDs of /proc.
    """

    decode: bool = False
    process: bool = False
    parent: bool = False
    ancestors: int = 0
    script: bool = False
    keys: tuple[str, ...] = ()
    inherit: tuple[str, ...] = ()
    rules: tuple[LabelRule, ...] = ()
    limit: int = 16
    guid: bool = False
    container: bool = False
    unit: bool = False
    groups: bool = False
    boot: str = ""
    environment: tuple[str, ...] = ()
    hash: bool = False
    hash_max_bytes: int = 10_000_000
    hash_cache: int = 1024
    machine: Machine = NO_MACHINE
    proc: str = ""
    root: str = "/"

    @property
    def tracks(self) -> bool:
        """A process table is needed."""
        return bool(
            self.process or self.parent or self.ancestors or self.script or self.keys or self.rules or self.guid
            or self.groups or self.environment or self.hash
        )  # fmt: skip

    @property
    def asks(self) -> bool:
        """The reading machine is asked (Source)."""
        return bool(self.proc or self.environment or self.hash or self.groups)

    @property
    def active(self) -> bool:
        return self.decode or self.tracks or any(self.machine)

    def labels(self) -> list[str]:
        """Names of all labels, by number. Raises ValueError for more than MAX_LABELS."""
        found = list(dict.fromkeys([*self.keys, *(rule.name for rule in self.rules)]))
        if len(found) > MAX_LABELS:
            raise ValueError(f"labels: {len(found)} different labels, at most {MAX_LABELS}")
        return found

    def encode(self) -> bytes:
        """For the C (csrc/enrich_options.c): switches, numbers, then strings as length and bytes."""
        if not self.active:
            return b""
        names = self.labels()
        switches = (
            self.decode, self.process, self.parent, self.script, self.guid, self.container, self.unit, self.groups,
            bool(self.environment), self.hash, bool(self.proc), bool(self.rules or self.keys),
        )  # fmt: skip
        inherit = sum(1 << place for place, name in enumerate(names) if name in self.inherit)
        keys = len(dict.fromkeys(self.keys))  # the first labels are those of keys
        out = [bytes(switches), struct.pack("<III", min(self.ancestors, MAX_ANCESTORS), self.limit, keys)]
        out += [_strings(names), _strings([self.boot, *self.machine]), struct.pack("<QI", inherit, len(self.rules))]
        for rule in self.rules:
            out.append(struct.pack("<BB", names.index(rule.name), rule.remove))
            out += [_strings(getattr(rule, condition)) for condition in CONDITIONS]
        return b"".join(out)


def _strings(texts: list[str] | tuple[str, ...]) -> bytes:
    encoded = [text.encode("utf-8", "surrogateescape") for text in texts]
    return struct.pack("<I", len(encoded)) + b"".join(struct.pack("<I", len(each)) + each for each in encoded)


NONE: Final = EnrichOptions()
DEFAULT: Final = EnrichOptions(process=True, parent=True, script=True)
ALL: Final = EnrichOptions(decode=True, process=True, parent=True, ancestors=5, script=True, guid=True)
NAMED: Final = {"none": NONE, "default": DEFAULT, "all": ALL}
"""`replay --enrich`: what events alone give. LAUREL's defaults, less what it would take from the reading machine."""
