# SPDX-License-Identifier: Apache-2.0
"""Configuration of `run`: every key, its default and what it accepts. An empty file means all defaults."""

from __future__ import annotations

import os
import pwd
import re
import stat
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from . import toml
from .options import FORMATS, TRANSLATIONS

POLICIES = ("oldest", "newest", "block")


@dataclass(frozen=True)
class Output:
    """The event file. Rotated at `max_bytes` (0: never) into `<path>.1` … `<path>.<generations>`."""

    path: str = "/var/log/auditpack/events.jsonl"
    max_bytes: int = 100_000_000
    generations: int = 5


@dataclass(frozen=True)
class Queue:
    """Events waiting for the disk, in bytes. When full: drop the oldest, the newest, or block (stalls the kernel)."""

    max_bytes: int = 33_554_432
    policy: str = "oldest"


@dataclass(frozen=True)
class Status:
    """Where the collector says how it is: `directory`/status.json and metrics.prom, each `interval` seconds."""

    directory: str = "/var/lib/auditpack/collector"
    interval: float = 10.0


@dataclass(frozen=True)
class Config:
    """`user`: account to run as when started by root ("" stays). `hostname`: "" takes the machine's."""

    user: str = "auditpack"
    format: str = "ecs"
    translate: str = "all"
    original: bool = False
    timeout: float = 2.0
    hostname: str = ""
    output: Output = field(default_factory=Output)
    queue: Queue = field(default_factory=Queue)
    status: Status = field(default_factory=Status)


_CHOICES = {("format",): FORMATS, ("translate",): TRANSLATIONS, ("queue", "policy"): POLICIES}
_RANGES: dict[tuple[str, ...], tuple[float, float]] = {
    ("timeout",): (0.1, 60),
    ("output", "max_bytes"): (0, 1 << 50),
    ("output", "generations"): (1, 1000),
    ("queue", "max_bytes"): (1 << 20, 1 << 32),
    ("status", "interval"): (1, 3600),
}
_ABSOLUTE = (("output", "path"), ("status", "directory"))


class ConfigError(Exception):
    """All that is wrong with a configuration; each message is `file:line:column: what — remedy`."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("\n".join(messages))
        self.messages = messages


def load(path: Path) -> Config:
    """Read and check the text; paths and users of the machine are for `check_host`. Raises ConfigError."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror} — name a readable file with --config"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: no UTF-8 at byte {error.start} — save the file as UTF-8"]) from error
    try:
        data, places = toml.read(text)
    except toml.TomlError as error:
        raise ConfigError([f"{path}:{error.place.line}:{error.place.column}: {error.message}"]) from error
    reader = _Checker(path, places)
    config: Config = reader.build(Config, data, ())
    if reader.messages:
        raise ConfigError(reader.messages)
    return config


class _Checker:
    def __init__(self, path: Path, places: dict[tuple[str, ...], toml.Place]) -> None:
        self._path = path
        self._places = places
        self.messages: list[str] = []

    def build(self, kind: Any, data: dict[str, Any], prefix: tuple[str, ...]) -> Any:
        known = {each.name: each for each in fields(kind)}
        values: dict[str, Any] = {}
        for name, value in data.items():
            where = (*prefix, name)
            if name not in known:
                self._say(where, f"unknown key {'.'.join(where)} — known here: {', '.join(sorted(known))}")
                continue
            default = getattr(kind(), name)
            if is_dataclass(default):
                if not isinstance(value, dict):
                    self._say(where, f"{name} is a table — write [{name}]")
                else:
                    values[name] = self.build(type(default), value, where)
                continue
            if isinstance(value, int) and not isinstance(value, bool) and isinstance(default, float):
                value = float(value)  # noqa: PLW2901
            if type(value) is not type(default):
                self._say(where, f"{'.'.join(where)} wants {_KINDS[type(default)]}, not {value!r}")
                continue
            if self._accepts(where, value):
                values[name] = value
        return kind(**values)

    def _accepts(self, where: tuple[str, ...], value: Any) -> bool:
        name = ".".join(where)
        if where in _CHOICES and value not in _CHOICES[where]:
            self._say(where, f"{name} = {value!r} — one of {', '.join(_CHOICES[where])}")
        elif where in _RANGES and not _RANGES[where][0] <= value <= _RANGES[where][1]:
            self._say(where, f"{name} = {value} — from {_RANGES[where][0]:g} to {_RANGES[where][1]:g}")
        elif where in _ABSOLUTE and not re.fullmatch(r"/[^\0]*[^/\0]", value):
            self._say(where, f"{name} = {value!r} — an absolute path")
        else:
            return True
        return False

    def _say(self, where: tuple[str, ...], message: str) -> None:
        place = self._places[where]
        self.messages.append(f"{self._path}:{place.line}:{place.column}: {message}")


_KINDS = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}


def check_host(config: Config, path: Path) -> list[str]:
    """What the configuration asks of this machine and is not there. Opens nothing for writing."""
    messages = []
    account = None
    if config.user:
        try:
            account = pwd.getpwnam(config.user)
        except KeyError:
            messages.append(f"{path}: user {config.user!r} does not exist — create it or set user")
    for name, folder in (
        ("output.path", os.path.dirname(config.output.path)),  # noqa: PTH120
        ("status.directory", config.status.directory),
    ):
        try:
            found = os.stat(folder)  # noqa: PTH116
        except OSError as error:
            messages.append(f"{path}: {name}: {folder}: {error.strerror} — create the directory")
            continue
        if not stat.S_ISDIR(found.st_mode):
            messages.append(f"{path}: {name}: {folder} is no directory")
        elif account is not None and os.geteuid() == 0 and not _may_write(found, account):
            messages.append(f"{path}: {name}: {folder}: user {config.user!r} may not write there — chown it")
    return messages


def _may_write(found: os.stat_result, account: pwd.struct_passwd) -> bool:
    if found.st_uid == account.pw_uid:
        return found.st_mode & 0o300 == 0o300
    if found.st_gid in os.getgrouplist(account.pw_name, account.pw_gid):
        return found.st_mode & 0o030 == 0o030
    return found.st_mode & 0o003 == 0o003
