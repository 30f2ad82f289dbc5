# SPDX-License-Identifier: Apache-2.0
"""A configuration file → Config, or everything that is wrong with it, each with file:line:column and the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from . import toml
from .config import TABLES, Config
from .errors import CollectorError

_KINDS = {str: "a string", int: "an integer", float: "a number", bool: "true or false", tuple: "a list of strings"}
_ABSOLUTE = re.compile(r"/[^\0]*[^/\0]")


class ConfigError(CollectorError):
    """All that is wrong with a configuration; each message is `file:line:column: what — remedy`."""

    status = 2


def load(path: Path) -> Config:
    """Read and check the text; what it asks of the machine is for config_host.py. Raises ConfigError."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror} — name a readable file with --config") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: no UTF-8 at byte {error.start} — save the file as UTF-8") from error
    try:
        data, places = toml.read(text)
    except toml.TomlError as error:
        raise ConfigError(f"{path}:{error.place.line}:{error.place.column}: {error.message}") from error
    reader = _Checker(path, places)
    config: Config = reader.build(Config, data, ())
    if not reader.messages:
        from .config_rules import across  # noqa: PLC0415 - imports what compiles filters

        for where, message in across(config):
            reader.say(where, message)
    if reader.messages:
        raise ConfigError(*reader.messages)
    return config


class _Checker:
    """Values by the dataclasses' types and metadata."""

    def __init__(self, path: Path, places: dict[toml.Path, toml.Place]) -> None:
        self._path = path
        self._places = places
        self.messages: list[str] = []

    def build(self, kind: Any, data: dict[str, Any], prefix: toml.Path) -> Any:
        known = {each.name: each for each in fields(kind)}
        example = kind()
        values: dict[str, Any] = {}
        for name, value in data.items():
            where = (*prefix, name)
            if name not in known:
                self.say(where, f"unknown key {dotted(where)} — known here: {', '.join(sorted(known))}")
                continue
            if not prefix and name in TABLES:
                values[name] = self._tables(TABLES[name], value, where)
                continue
            default = getattr(example, name)
            if is_dataclass(default):
                if not isinstance(value, dict):
                    self.say(where, f"{name} is a table — write [{name}]")
                else:
                    values[name] = self.build(type(default), value, where)
                continue
            if isinstance(value, int) and not isinstance(value, bool) and isinstance(default, float):
                value = float(value)  # noqa: PLW2901
            if isinstance(default, tuple) and isinstance(value, list) and all(isinstance(each, str) for each in value):
                value = tuple(value)  # noqa: PLW2901
            if type(value) is not type(default):
                self.say(where, f"{dotted(where)} wants {_KINDS[type(default)]}, not {value!r}")
            elif self._accepts(where, value, known[name].metadata):
                values[name] = value
        return kind(**values)

    def _tables(self, kind: Any, value: Any, where: toml.Path) -> tuple[Any, ...]:
        """[[name]] tables; [name] stands for a single one."""
        if isinstance(value, dict):
            return (self.build(kind, value, where),)
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self.say(where, f"{where[0]} is an array of tables — write [[{where[0]}]]")
            return ()
        return tuple(self.build(kind, each, (*where, place)) for place, each in enumerate(value))

    def _accepts(self, where: toml.Path, value: Any, about: Any) -> bool:
        name = dotted(where)
        wrong = next((each for each in _items(value) if about["choices"] and each not in about["choices"]), None)
        if wrong is not None:
            self.say(where, f"{name} = {wrong!r} — one of {', '.join(filter(None, about['choices']))}")
        elif about["low"] is not None and not about["low"] <= value <= about["high"]:
            self.say(where, f"{name} = {value} — from {about['low']:g} to {about['high']:g}")
        elif about["path"] and value and not _ABSOLUTE.fullmatch(value):
            self.say(where, f"{name} = {value!r} — an absolute path")
        else:
            return True
        return False

    def say(self, where: toml.Path, message: str) -> None:
        """At the key's place, or at its table's where the key was left out."""
        while where and where not in self._places:
            where = where[:-1]
        place = self._places.get(where, toml.Place(1, 1))
        self.messages.append(f"{self._path}:{place.line}:{place.column}: {message}")


def _items(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, tuple) else (value,)


def dotted(where: toml.Path) -> str:
    """`queue.policy`, `output.1.path` → "output.path" (the line says which)."""
    return ".".join(str(each) for each in where if isinstance(each, str))
