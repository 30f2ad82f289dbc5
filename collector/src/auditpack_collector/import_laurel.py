# SPDX-License-Identifier: Apache-2.0
"""`import-laurel`: a configuration of LAUREL 0.8 → ours, and the settings that ours cannot express.

A setting that asks for nothing (an empty list, false where that is no feature) is carried by leaving it out. What
LAUREL does by default and we do not is named like a setting.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any

from . import toml
from .errors import InputError

Json = dict[str, Any]

_NOTHING: tuple[Any, ...] = ("", [], {}, False, 0)
_IDLE: Json = {"input": "stdin", "transform.execve-argv": ["array"]}
"""Values that ask for what we do anyway; beside them every value in _NOTHING asks for nothing."""
_IDLE_UNTIL_FILTERED = ("filter.filter-action", "filter.keep-first-per-process")
_LAUREL_DEFAULTS: Json = {
    "enrich.execve-env": ["LD_PRELOAD", "LD_LIBRARY_PATH"],
    "enrich.container": True,
    "enrich.systemd": True,
    "enrich.pid": True,
    "enrich.spawned-by": True,
    "enrich.script": True,
    "enrich.user-groups": True,
}
_SIZE = 10 << 20
_GENERATIONS = 5


def import_laurel(path: Path) -> tuple[str, list[str]]:
    """Our configuration as text, and a message for each setting that it does not carry. Raises InputError, OSError."""
    found = _flat(_read(path))
    out: Json = {"user": found.pop("user", ""), "format": "records"}
    missed: list[str] = []
    universal, users = found.pop("translate.universal", False), found.pop("translate.user-db", False)
    found.pop("translate.userdb", None)  # the manual's name of it, which LAUREL does not read
    out["translate"] = "all" if users else "universal" if universal else "none"
    if users and not universal:
        missed.append("translate.user-db = true without translate.universal: ours translates both")
    output = _output(found, missed)
    filters = [name for name in found if name.startswith("filter.") and name not in _IDLE_UNTIL_FILTERED]
    filtered = any(found[name] not in _NOTHING for name in filters)
    for name, value in found.items():
        if value == _IDLE.get(name) or value in _NOTHING or (name in _IDLE_UNTIL_FILTERED and not filtered):
            continue
        missed.append(f"{name} = {_toml(value)}")
    for name, value in _LAUREL_DEFAULTS.items():
        if name not in found:
            missed.append(f"{name} = {_toml(value)} (LAUREL's default)")
    lines = [f"{name} = {_toml(value)}" for name, value in out.items()]
    lines += ["", "[output]", *(f"{name} = {_toml(value)}" for name, value in output.items())]
    return "\n".join(lines) + "\n", [f"{path}: not carried: {each}" for each in missed]


def _output(found: Json, missed: list[str]) -> Json:
    sized = any(name.startswith("auditlog.") for name in found)
    file, directory = found.pop("auditlog.file", "audit.log"), found.pop("directory", ".")
    size = found.pop("auditlog.size", 0 if sized else _SIZE)  # with the section, no size means no rotation
    generations = found.pop("auditlog.generations", _GENERATIONS)
    output: Json = {}
    path = posixpath.join(str(directory), str(file))
    if file == "-" or str(file).startswith(("|", "unix:")):
        missed.append(f"auditlog.file = {_toml(file)}: ours writes a file")
    elif path.startswith("/"):
        output["path"] = path
    else:
        missed.append(f"auditlog.file = {_toml(file)} in directory = {_toml(directory)}: ours wants an absolute path")
    output["max_bytes"] = size
    if isinstance(generations, int) and generations >= 1:
        output["generations"] = generations
    else:
        missed.append(f"auditlog.generations = {_toml(generations)}: ours keeps at least one")
    return output


def _read(path: Path) -> Json:
    text = path.read_bytes()
    try:
        import tomllib  # noqa: PLC0415 - Python 3.11; LAUREL's tables of labels need all of TOML
    except ImportError:
        return _read_simple(path, text)
    try:
        return tomllib.loads(text.decode("utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def _read_simple(path: Path, text: bytes) -> Json:
    try:
        return toml.read(text.decode("utf-8"))[0]
    except toml.TomlError as error:
        message = f"{path}:{error.place.line}:{error.place.column}: {error.message}"
        raise InputError(f"{message} (all of TOML is read with Python 3.11 or newer)") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: no UTF-8 at byte {error.start}") from error


def _flat(tables: Json) -> Json:
    """`section.key` → value; tables inside a section (labels) are values."""
    out: Json = {}
    for name, value in tables.items():
        if isinstance(value, dict):
            out.update({f"{name}.{key}": inner for key, inner in value.items()})
        else:
            out[name] = value
    return out


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in value.replace("\\", "\\\\"))
        return '"' + escaped.replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(name)} = {_toml(inner)}" for name, inner in value.items()) + " }"
    return str(value)
