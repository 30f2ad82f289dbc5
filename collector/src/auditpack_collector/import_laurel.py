# SPDX-License-Identifier: Apache-2.0
"""`import-laurel`: a configuration of LAUREL 0.8 → ours, and the settings that ours cannot express.

A setting that asks for nothing (an empty list, false where that is no feature) is carried by leaving it out. What
LAUREL does by default and we do not is carried like a setting.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from . import toml
from .errors import InputError

Json = dict[str, Any]

_NOTHING: tuple[Any, ...] = ("", [], {}, False, 0)
_IDLE: Json = {"input": "stdin", "transform.execve-argv": ["array"], "enrich.hash-cache-entries": 1024}
"""Values that ask for what we do anyway; beside them every value in _NOTHING asks for nothing."""
_ENRICH: dict[str, tuple[str, Any]] = {
    "enrich.execve-env": ("environment", ["LD_PRELOAD", "LD_LIBRARY_PATH"]),
    "enrich.container": ("container", True),
    "enrich.systemd": ("unit", True),
    "enrich.pid": ("process", True),
    "enrich.spawned-by": ("parent", True),
    "enrich.script": ("script", True),
    "enrich.exe-hash": ("hash", False),
    "enrich.exe-hash-size-limit": ("hash_max_bytes", 10_000_000),
    "enrich.exe-hash-cache-entries": ("hash_cache", 1024),
}
"""LAUREL's setting → ours, and LAUREL's default."""
_GROUPS = ("enrich.uid-groups", "enrich.user-groups")  # the code's name, and the manual's, which has no effect
_PROC = ("environment", "container", "unit")
_LABELS = {"label-process.label-keys": "keys", "label-process.propagate-labels": "inherit"}
_FILTERS = {
    "filter.filter-keys": ("keys", "key"),
    "filter.filter-labels": ("labels", "label"),
    "filter.filter-sockaddr": ("sockaddr", "saddr"),
}
_SIZE = 10 << 20
_GENERATIONS = 5


def import_laurel(path: Path) -> tuple[str, list[str]]:
    """Our configuration as text, and a message for each setting that it does not carry. Raises InputError, OSError."""
    found = _flat(_read(path))
    missed: list[str] = []
    root: Json = {"user": found.pop("user", ""), "format": "records"}
    universal, users = found.pop("translate.universal", False), found.pop("translate.user-db", False)
    found.pop("translate.userdb", None)  # the manual's name of it, which LAUREL does not read
    root["translate"] = "all" if users else "universal" if universal else "none"
    if users and not universal:
        missed.append("translate.user-db = true without translate.universal: ours translates both")
    directory = str(found.pop("directory", "."))
    tables: list[tuple[str, Json]] = [*_input(found), ("[[output]]", _output(found, "auditlog", directory, missed))]
    filters = _filters(found, missed)
    if found.pop("filter.filter-action", "drop") == "log":
        tables.append(("[[output]]", _output(found, "filterlog", directory, missed)))
        filters = [{**rule, "action": "move", "to": "filterlog"} for rule in filters]
    else:
        for name in [name for name in found if name.startswith("filterlog.")]:
            del found[name]  # nothing goes there
    if found.pop("filter.keep-first-per-process", True) and filters:
        missed.append("filter.keep-first-per-process = true: ours filters a process's first event like any")
    tables += [("[[filter]]", rule) for rule in filters]
    tables += _labels(found, missed)
    tables.append(("[enrich]", _enrich(found)))
    missed += [
        f"{name} = {_toml(value)}"
        for name, value in found.items()
        if value != _IDLE.get(name) and value not in _NOTHING
    ]
    lines = [f"{name} = {_toml(value)}" for name, value in root.items()]
    for header, table in tables:
        lines += ["", header, *(f"{name} = {_toml(value)}" for name, value in table.items())]
    return "\n".join(lines) + "\n", [f"{path}: not carried: {each}" for each in missed]


def _input(found: Json) -> list[tuple[str, Json]]:
    source = str(found.get("input", "stdin"))
    if not source.startswith("unix:/"):
        return []
    del found["input"]
    return [("[[input]]", {"kind": "unix", "path": source[5:]})]


def _output(found: Json, section: str, directory: str, missed: list[str]) -> Json:
    standard = "audit.log" if section == "auditlog" else "filtered.log"
    sized = any(name.startswith(f"{section}.") for name in found)
    file = str(found.pop(f"{section}.file", standard))
    size = found.pop(f"{section}.size", 0 if sized else _SIZE)  # with the section, no size means no rotation
    generations = found.pop(f"{section}.generations", _GENERATIONS)
    users, groups = found.pop(f"{section}.read-users", []), found.pop(f"{section}.read-groups", [])
    output: Json = {"name": "events" if section == "auditlog" else section}
    if section != "auditlog":
        output["receives"] = "sent"
    prefix = found.pop(f"{section}.line-prefix", "")
    if prefix:
        output["line_prefix"] = prefix
    path = posixpath.join(directory, file)
    if file == "-":
        return {**output, "kind": "stdout"}
    if file.startswith("unix:/"):
        return {**output, "kind": "unix", "path": file[5:]}
    if file.startswith("|"):
        missed.append(f"{section}.file = {_toml(file)}: ours starts no program; use kind = 'unix'")
    elif path.startswith("/"):
        output["path"] = path
    else:
        missed.append(f"{section}.file = {_toml(file)} in directory = {_toml(directory)}: ours wants an absolute path")
    output["max_bytes"] = size
    if isinstance(generations, int) and generations >= 1:
        output["generations"] = generations
    else:
        missed.append(f"{section}.generations = {_toml(generations)}: ours keeps at least one")
    readers = [*users, *(f"@{group}" for group in groups)]
    if readers:
        output["readers"] = readers
    return output


def _filters(found: Json, missed: list[str]) -> list[Json]:
    """What any of LAUREL's filters matches is filtered: one rule for each of them."""
    rules: list[Json] = []
    for name, (rule, condition) in _FILTERS.items():
        values = found.pop(name, [])
        odd = [value for value in values if re.search(r"[*?]|^!", value) and condition != "saddr"]
        missed += [f"{name} = {_toml(odd)}: *, ? and a leading ! mean more in ours"] if odd else []
        values = [value for value in values if value not in odd]
        if values:
            rules.append({"name": rule, condition: values, "action": "drop"})
    if found.pop("filter.filter-null-keys", False):
        rules.append({"name": "null-keys", "key": [""], "action": "drop"})
    lines = found.pop("filter.filter-raw-lines", [])
    if lines:
        try:
            re.compile("|".join(f"(?:{line})" for line in lines).encode())
        except re.error as error:
            missed.append(f"filter.filter-raw-lines = {_toml(lines)}: Python's re: {error}")
        else:
            rules.append({"name": "raw-lines", "raw": "|".join(f"(?:{line})" for line in lines), "action": "drop"})
    return rules


def _labels(found: Json, missed: list[str]) -> list[tuple[str, Json]]:
    table = {ours: found.pop(name) for name, ours in _LABELS.items() if found.get(name)}
    tables: list[tuple[str, Json]] = [("[labels]", table)] if table else []
    for what in ("label", "unlabel"):
        for condition in ("exe", "argv", "script"):
            rules = found.pop(f"label-process.{what}-{condition}", {})
            for expression, label in (rules if isinstance(rules, dict) else {}).items():
                text = _glob(expression)
                if text is None:
                    name = f"label-process.{what}-{condition}"
                    missed.append(f"{name} = {_toml({expression: label})}: ours takes * and ?, no regular expression")
                    continue
                rule: Json = {"name": label, condition: [text]}
                tables.append(("[[label]]", {**rule, "remove": True} if what == "unlabel" else rule))
    return tables


def _glob(expression: str) -> str | None:
    """A regular expression of literal text, `.*`, ^ and $ as a text with stars; None for any other."""
    body = expression.replace("\\/", "/")
    start, end = body.startswith("^"), body.endswith("$") and not body.endswith("\\$")
    body = body[start : len(body) - end]
    pieces = []
    for piece in body.split(".*"):
        literal = re.sub(r"\\(.)", r"\1", piece)
        if re.search(r"(?<!\\)[.^$*+?()\[\]{}|]|\\[A-Za-z0-9]", piece) or re.search(r"[*?]|^!", literal):
            return None
        pieces.append(literal)
    text = "*".join(pieces)
    return ("" if start else "*") + text + ("" if end else "*")


def _enrich(found: Json) -> Json:
    table: Json = {}
    for name, (ours, standard) in _ENRICH.items():
        table[ours] = found.pop(name, standard)
    table["groups"] = found.pop(_GROUPS[0], True)
    found.pop(_GROUPS[1], None)
    table["proc"] = any(table[name] for name in _PROC)
    return table


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
