# SPDX-License-Identifier: Apache-2.0
"""What packs and hosts are made of, once checked. Field by field reference: docs/pack-format.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union

Value = Union[int, bool, str]


def release_of(version: str, release: str) -> bool:
    """Whether a distribution's version is `release` or a minor one of it: 9.6 is one of 9, 24.10 is none of 24.04."""
    return version == release or version.startswith(f"{release}.")


@dataclass(frozen=True)
class Place:
    """Where something was read: a file and a 1-based line."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Condition:
    """When a rule or one of its syscalls exists: an empty tuple or string asks for nothing."""

    abis: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    audit: str = ""
    kernel: str = ""


@dataclass(frozen=True)
class Syscall:
    name: str
    condition: Condition = Condition()


@dataclass(frozen=True)
class Create:
    """What is made on the host when a path is missing; `mode` is octal text."""

    kind: str
    mode: str = "0755"
    owner: str = "root"
    group: str = "root"


@dataclass(frozen=True)
class ControlRule:
    option: str
    value: str = ""


@dataclass(frozen=True)
class Reference:
    benchmark: str
    version: str
    section: str


@dataclass(frozen=True)
class Rule:
    """One match of one pack. Exactly one of syscalls, path, dir, each, control is set in list exit."""

    id: str
    place: Place
    title: str = ""
    why: str = ""
    key: str = ""
    list: str = "exit"
    action: str = "always"
    abis: tuple[str, ...] = ("b64", "b32")
    syscalls: tuple[Syscall, ...] = ()
    path: str = ""
    dir: str = ""
    each: str = ""
    perm: str = ""
    control: ControlRule | None = None
    filters: tuple[str, ...] = ()
    compares: tuple[str, ...] = ()
    missing: str = "fail"
    symlink: str = "follow"
    when: str = ""
    create: Create | None = None
    condition: Condition = Condition()
    severity: str = "medium"
    maturity: str = "stable"
    attack: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    variants: Mapping[str, Rule] = field(default_factory=dict)
    false_positives: str = ""
    known_gaps: str = ""
    noise: str = ""

    def under(self, benchmark: str) -> Rule:
        """The rule as it is on hosts of that benchmark; `variants` has those that differ, whole."""
        return self.variants.get(benchmark, self)


@dataclass(frozen=True)
class Case:
    """One proof: what is done by whom, and the events that must or must not follow. Matchers stay plain data."""

    id: str
    place: Place
    title: str
    rules: tuple[str, ...]
    trigger: str
    as_user: str = "alice"
    catalogue: tuple[int, ...] = ()
    prereq: str = ""
    cleanup: str = ""
    rc: Any = 0
    each: str = ""
    expect: tuple[Mapping[str, Any], ...] = ()
    never: tuple[Mapping[str, Any], ...] = ()
    stdout: str = ""
    settle: int = 0
    timeout: int = 30
    when: Mapping[str, Any] = field(default_factory=dict)
    xfail: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Variable:
    type: str
    default: Value
    description: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Benchmark:
    """`distros` is empty for one that `auto` never chooses; `distro_version` 9 fits 9.6 too."""

    id: str
    title: str
    version: str
    distros: tuple[str, ...] = ()
    distro_version: str = ""

    def fits(self, distro: str, version: str) -> bool:
        return distro in self.distros and release_of(version, self.distro_version)


@dataclass(frozen=True)
class Requirement:
    name: str
    version: str = ""


@dataclass(frozen=True)
class Supports:
    distros: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    condition: Condition = Condition()


@dataclass(frozen=True)
class Pack:
    name: str
    place: Place
    version: str
    title: str = ""
    description: str = ""
    licence: str = ""
    maintainers: tuple[str, ...] = ()
    maturity: str = "stable"
    order: int = 40
    requires: tuple[Requirement, ...] = ()
    conflicts: tuple[str, ...] = ()
    supports: Supports = Supports()
    variables: Mapping[str, Variable] = field(default_factory=dict)
    benchmarks: tuple[Benchmark, ...] = ()
    rules: tuple[Rule, ...] = ()
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True)
class HostFacts:
    """What a host says of itself (module audit_facts): the JSON object of docs/architecture.md §2, key for key."""

    distro: str
    distro_version: str
    kernel: str
    machine: str
    audit_version: str
    abis: tuple[str, ...]
    syscalls: Mapping[str, Mapping[str, int]]
    uid_min: int = 1000
    users: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)
    paths: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    status: Mapping[str, int] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    never_task: tuple[str, ...] = ()

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> HostFacts:
        """From the JSON object; ValueError names a key that is missing or unknown."""
        known = set(HostFacts.__dataclass_fields__)
        needed = {"distro", "distro_version", "kernel", "machine", "audit_version", "abis", "syscalls"}
        if needed - set(data) or set(data) - known:
            wrong = sorted(needed - set(data)) or sorted(set(data) - known)
            raise ValueError(f"host facts: {'missing' if needed - set(data) else 'unknown'} {', '.join(wrong)}")
        plain = dict(data)
        for name in ("abis", "rules", "never_task"):
            plain[name] = tuple(plain.get(name, ()))
        plain["lists"] = {name: tuple(items) for name, items in plain.get("lists", {}).items()}
        return HostFacts(**plain)
