# SPDX-License-Identifier: Apache-2.0
"""Configuration: every key, its default and what it accepts. `paths` alone must be given."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from . import toml
from .digest import HASHES, unusable
from .errors import ConfigError

DEFAULT_CONFIG: Final = Path("/etc/auditpack/integrity.toml")
_SKIPPED_FILE_SYSTEMS: Final = (
    "9p afs autofs bpf ceph cgroup cgroup2 cifs configfs debugfs devpts devtmpfs efivarfs fuse fusectl gfs2 glusterfs "
    "hugetlbfs lustre mqueue ncpfs nfs nfs4 nsfs ocfs2 proc pstore ramfs rpc_pipefs securityfs selinuxfs smb3 sysfs "
    "tmpfs tracefs"
)


@dataclass(frozen=True)
class Feed:
    """Where audit events come from: a file of JSON lines that the collector writes, or a socket we listen on.

    Both empty: no audit, changes are found by scans alone. `settle`: seconds of quiet before a changed file is read.
    """

    file: str = "/var/log/auditpack/events.jsonl"
    socket: str = ""
    settle: float = 0.2


@dataclass(frozen=True)
class Scan:
    """`rate`: bytes hashed per second, 0 without limit. `full_every`: days until contents are read again although
    nothing of a file's metadata changed, 0 never. `initial_events`: an event for each file of the first baseline."""

    at_start: bool = True
    rate: int = 52_428_800
    full_every: float = 7.0
    initial_events: bool = False


@dataclass(frozen=True)
class Packages:
    """`wait`: seconds for which a package manager's change is held until it has written what the package holds."""

    enabled: bool = True
    wait: float = 30.0


@dataclass(frozen=True)
class Diff:
    """Old and new lines of text files in the events; never of `secret` paths. `redact`: what of a line is blanked."""

    enabled: bool = False
    max_file_size: int = 65_536
    max_lines: int = 200
    secret: tuple[str, ...] = (
        r"/etc/(g?shadow|security/opasswd)",
        r"\.(key|pem|p12|pfx|jks|kdbx)$",
        r"/\.(ssh|gnupg|aws|kube|docker)/",
        r"/etc/ssh/ssh_host_[^/]*_key$",
        r"/etc/(ssl/private|letsencrypt|krb5\.keytab|ppp/.*-secrets)",
    )
    redact: tuple[str, ...] = (r"(?i)((?:pass(?:word|wd|phrase)?|secret|token|api_?key|private_?key)\s*[=:]\s*)\S.*",)


@dataclass(frozen=True)
class Output:
    """The event file. Rotated at `max_bytes` (0: never) into `<path>.1` … `<path>.<generations>`."""

    path: str = "/var/log/auditpack-integrity/events.jsonl"
    max_bytes: int = 100_000_000
    generations: int = 5


@dataclass(frozen=True)
class Config:
    """`paths`: files, directories, or patterns with * ? []. `recursion`: levels of directories below each, 0 none.

    `exclude` and `include` are regular expressions searched in the absolute path; with `include` only what matches
    one is watched. `managed`: logins of configuration management. `state`: directory of the baseline.
    """

    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = (r"\.sw[nopx]$", r"~$", r"/\.git($|/)")
    include: tuple[str, ...] = ()
    recursion: int = 256
    cross_mounts: bool = False
    skip_file_systems: tuple[str, ...] = tuple(_SKIPPED_FILE_SYSTEMS.split())
    hashes: tuple[str, ...] = ("sha256",)
    max_file_size: int = 104_857_600
    managed: tuple[str, ...] = ()
    hostname: str = ""
    state: str = "/var/lib/auditpack/integrity"
    feed: Feed = field(default_factory=Feed)
    scan: Scan = field(default_factory=Scan)
    packages: Packages = field(default_factory=Packages)
    diff: Diff = field(default_factory=Diff)
    output: Output = field(default_factory=Output)

    @property
    def database(self) -> Path:
        return Path(self.state) / "baseline.db"


_RANGES: Final[dict[tuple[str, ...], tuple[float, float]]] = {
    ("recursion",): (0, 1024),
    ("max_file_size",): (0, 1 << 50),
    ("feed", "settle"): (0, 60),
    ("scan", "rate"): (0, 1 << 40),
    ("scan", "full_every"): (0, 3650),
    ("packages", "wait"): (0, 3600),
    ("diff", "max_file_size"): (0, 1 << 24),
    ("diff", "max_lines"): (1, 100_000),
    ("output", "max_bytes"): (0, 1 << 50),
    ("output", "generations"): (1, 1000),
}
_PATHS: Final = (("state",), ("output", "path"))
_PATHS_OR_EMPTY: Final = (("feed", "file"), ("feed", "socket"))
_EXPRESSIONS: Final = (("exclude",), ("include",), ("diff", "secret"), ("diff", "redact"))
_KINDS: Final = {str: "a string", int: "an integer", float: "a number", bool: "true or false", tuple: "a list"}


def load(path: Path) -> Config:
    """Read and check. Raises ConfigError with every mistake and its place."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror} — name a readable file with --config"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: no UTF-8 at byte {error.start} — save the file as UTF-8"]) from error
    return parse(text, str(path))


def parse(text: str, name: str) -> Config:
    """The same for text; `name` stands in messages."""
    try:
        data, places = toml.read(text)
    except toml.TomlError as error:
        raise ConfigError([f"{name}:{error.place.line}:{error.place.column}: {error.message}"]) from error
    checker = _Checker(name, places)
    config: Config = checker.build(Config, data, ())
    if not config.paths and not checker.messages:
        checker.messages.append(f'{name}: paths is missing — name what to watch, such as paths = ["/etc"]')
    if checker.messages:
        raise ConfigError(checker.messages)
    return config


class _Checker:
    def __init__(self, name: str, places: dict[Any, Any]) -> None:
        self._name = name
        self._places = places
        self.messages: list[str] = []

    def build(self, kind: Any, data: dict[str, Any], prefix: tuple[str, ...]) -> Any:
        known = [each.name for each in fields(kind)]
        values: dict[str, Any] = {}
        for key, given in data.items():
            where = (*prefix, key)
            if key not in known:
                self._say(where, f"unknown key {'.'.join(where)} — known here: {', '.join(sorted(known))}")
                continue
            default = getattr(kind(), key)
            if is_dataclass(default):
                if isinstance(given, dict):
                    values[key] = self.build(type(default), given, where)
                else:
                    self._say(where, f"{key} is a table — write [{key}]")
                continue
            value = _converted(given, default)
            if type(value) is not type(default):
                self._say(where, f"{'.'.join(where)} wants {_KINDS[type(default)]}, not {given!r}")
            elif self._accepts(where, value):
                values[key] = value
        return kind(**values)

    def _accepts(self, where: tuple[str, ...], value: Any) -> bool:
        name, before = ".".join(where), len(self.messages)
        if isinstance(value, tuple) and not all(isinstance(each, str) for each in value):
            self._say(where, f"{name} wants a list of strings")
        elif where in _RANGES and not _RANGES[where][0] <= value <= _RANGES[where][1]:
            self._say(where, f"{name} = {value} — from {_RANGES[where][0]:g} to {_RANGES[where][1]:g}")
        elif (where in _PATHS or (where in _PATHS_OR_EMPTY and value)) and not re.fullmatch(r"/[^\0]*[^/\0]", value):
            self._say(where, f"{name} = {value!r} — an absolute path")
        elif where == ("paths",):
            for each in value:
                if not each.startswith("/") or "\0" in each or "/../" in each + "/":
                    self._say(where, f"paths: {each!r} — an absolute path without .., or a pattern of such")
        elif where == ("hashes",):
            self._hashes(where, value)
        elif where in _EXPRESSIONS:
            for each in value:
                try:
                    re.compile(each.encode())
                except re.error as error:
                    at = "" if error.pos is None else f" at position {error.pos}"
                    self._say(where, f"{name}: {each!r} is no regular expression: {error.msg}{at} — mend or escape it")
        return len(self.messages) == before

    def _hashes(self, where: tuple[str, ...], value: tuple[str, ...]) -> None:
        for each in value:
            if each not in HASHES:
                self._say(where, f"hashes: {each!r} is unknown — known: {', '.join(HASHES)}")
            elif unusable(each):
                self._say(where, f"hashes: this machine has no {each}: {unusable(each)} — choose another")
        if len(set(value)) < len(value):
            self._say(where, "hashes: a type stands twice — name each once")

    def _say(self, where: tuple[str, ...], message: str) -> None:
        place = self._places[where]
        self.messages.append(f"{self._name}:{place.line}:{place.column}: {message}")


def _converted(given: Any, default: Any) -> Any:
    if isinstance(default, float) and type(given) is int:
        return float(given)
    return tuple(given) if isinstance(default, tuple) and isinstance(given, list) else given
