# SPDX-License-Identifier: Apache-2.0
"""What config.py says, as TOML, JSON Schema and manual page."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from typing import Any

from .config import TABLES, Config

_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def print_config(config: Config) -> str:
    """The configuration in force, with every key: what was left out has its default."""
    lines = [f"{name} = {_toml(value)}" for name, value in _plain(config)]
    for name in TABLES:
        for entry in getattr(config, name):
            lines += ["", f"[[{name}]]", *(f"{key} = {_toml(value)}" for key, value in _plain(entry))]
    for name, table in _tables(config):
        lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in _plain(table))]
    return "\n".join(lines) + "\n"


def sample() -> str:
    """Every key with its default and its meaning; tables of which there may be several as comments."""
    lines = [
        "# SPDX-License-Identifier: Apache-2.0",
        "# /etc/auditpack/collector.toml: every key with its default; made from config.py by tools/generate_config.py.",
        "# Check with `auditpack-collector check`; the manual is auditpack-collector(5).",
        "",
    ]
    config = Config()
    lines += _sample_keys(config, "")
    for name, kind in TABLES.items():
        doc = " ".join(str(kind.__doc__).split())
        lines += ["", *_comment(doc), f"#[[{name}]]", *_sample_keys(kind(), "#")]
    for name, table in _tables(config):
        doc = " ".join(str(type(table).__doc__).split())
        lines += ["", *_comment(doc), f"[{name}]", *_sample_keys(table, "")]
    return "\n".join(lines) + "\n"


def schema() -> str:
    """JSON Schema, 2020-12: for editors, and for those who make the file from data."""
    root = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "auditpack-collector",
        "description": "Configuration of the event collector, as TOML",
        **_object(Config),
    }
    return json.dumps(root, indent=2, ensure_ascii=False) + "\n"


def manual(kind: type, table: str) -> str:
    """The keys of one table as mdoc."""
    lines = []
    for each in fields(kind):
        about = each.metadata
        if each.name in TABLES or is_dataclass(_default(each)):
            continue
        lines += [f".It Ic {each.name}", f"{_mdoc(_sentence(about['doc']))}"]
        limits = _limits(each)
        if limits:
            lines.append(_mdoc(limits))
    doc = _mdoc(" ".join(str(kind.__doc__).split()))
    return "\n".join([f".Ss {table}", doc, ".Bl -tag -width Ds", *lines, ".El"])


def manual_tables() -> str:
    """All tables, for auditpack-collector(5)."""
    parts = [manual(Config, "Above all tables")]
    parts += [manual(kind, f"[[{name}]]") for name, kind in TABLES.items()]
    parts += [manual(type(table), f"[{name}]") for name, table in _tables(Config())]
    return "\n".join(parts) + "\n"


def _plain(table: Any) -> Iterator[tuple[str, Any]]:
    for each in fields(table):
        value = getattr(table, each.name)
        if not is_dataclass(value) and not (isinstance(table, Config) and each.name in TABLES):
            yield each.name, value


def _tables(config: Config) -> Iterator[tuple[str, Any]]:
    for each in fields(config):
        value = getattr(config, each.name)
        if is_dataclass(value):
            yield each.name, value


def _sample_keys(table: Any, mark: str) -> list[str]:
    lines: list[str] = []
    docs = {each.name: _sentence(each.metadata["doc"]) for each in fields(table)}
    for name, value in _plain(table):
        lines += [*_comment(docs[name]), f"{mark}{name} = {_toml(value)}"]
    return lines


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 116)]


def _sentence(doc: str) -> str:
    return doc + ("" if doc.endswith(".") else ".")


def _default(each: Field[Any]) -> Any:
    return each.default_factory() if callable(each.default_factory) else each.default


def _limits(each: Field[Any]) -> str:
    about, default = each.metadata, _default(each)
    said = []
    if about["choices"]:
        said.append("One of " + ", ".join(filter(None, about["choices"])) + ".")
    if about["low"] is not None:
        said.append(f"From {about['low']:g} to {about['high']:g}.")
    shown = _toml(default)
    said.append(f"Default: {shown}." if default not in ("", ()) else "Default: empty.")
    return " ".join(said)


def _object(kind: type) -> dict[str, Any]:
    properties = {}
    for each in fields(kind):
        default = _default(each)
        if is_dataclass(default):
            properties[each.name] = _object(type(default))
        elif kind is Config and each.name in TABLES:
            properties[each.name] = {"type": "array", "items": _object(TABLES[each.name])}
        else:
            properties[each.name] = _property(each, default)
    doc = " ".join(str(kind.__doc__).split())
    return {"description": doc, "type": "object", "properties": properties, "additionalProperties": False}


def _property(each: Field[Any], default: Any) -> dict[str, Any]:
    about = each.metadata
    choices = {"enum": list(about["choices"])} if about["choices"] else {}
    out: dict[str, Any] = {"description": _sentence(about["doc"])}
    if isinstance(default, tuple):
        out |= {"type": "array", "items": {"type": "string", **choices}, "default": list(default)}
    else:
        out |= {"type": _JSON_TYPES[type(default)], **choices, "default": default}
    if about["low"] is not None:
        out |= {"minimum": about["low"], "maximum": about["high"]}
    if about["path"]:
        out["pattern"] = "^(/.*[^/])?$"
    return out


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def _mdoc(text: str) -> str:
    """Text that no macro reads: one line, no control character at its start."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return "\\&" + escaped if escaped[:1] in (".", "'") else escaped
