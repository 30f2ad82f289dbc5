# SPDX-License-Identifier: Apache-2.0
"""Plain data → TOML. Python reads TOML from 3.11 on and writes it not at all."""

from __future__ import annotations

import json
import re
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dump(data: dict[str, Any]) -> str:
    """Return TOML; ValueError names a key whose value has no TOML form (null, or a date)."""
    return "\n".join(_table(data, ())).strip("\n") + "\n" if data else ""


def _table(data: dict[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in data.items() if not _is_tables(value)}
    lines = [f"{_key(key)} = {_value(value, (*path, key))}" for key, value in plain.items()]
    if path and (lines or not data):
        lines.insert(0, f"[{'.'.join(map(_key, path))}]")
    for key, value in data.items():
        if isinstance(value, dict):
            lines += ["", *_table(value, (*path, key))]
        elif _is_tables(value):
            for entry in value:
                body = _table(entry, ())
                lines += ["", f"[[{'.'.join(map(_key, (*path, key)))}]]", *body]
    return lines


def _is_tables(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)
    )


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any, path: tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        # A TOML basic string escapes as JSON does, DEL apart.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(_value(entry, path) for entry in value) + "]"
    raise ValueError(f"{'.'.join(path)}: {value!r} has no TOML form; use a string, number, boolean, list or table")
