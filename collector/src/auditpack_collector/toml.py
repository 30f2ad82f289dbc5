# SPDX-License-Identifier: Apache-2.0
"""A strict reader of the TOML that configurations here are written in, with the place of every key.

Tables, arrays of tables, bare and quoted keys, strings on one line, integers, floats, booleans and arrays of them.
Anything else of TOML (dotted keys, inline tables, dates, multi-line strings) is refused with its place. tomllib
knows no places and comes with Python 3.11 only; one reader makes a file mean the same on every host. Tests hold it to
tomllib.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Union

Path = tuple[Union[str, int], ...]
"""("timeout",), ("queue", "policy"), of the second [[output]] ("output", 1, "path"), its header's own ("output", 1)."""

_TABLE = re.compile(r"\[[ \t]*([A-Za-z0-9_-]+)[ \t]*\]")
_ARRAY = re.compile(r"\[\[[ \t]*([A-Za-z0-9_-]+)[ \t]*\]\]")
_KEY = re.compile(r"""([A-Za-z0-9_-]+|"[^"\\\n]*"|'[^'\n]*')[ \t]*=[ \t]*""")
_NUMBER = re.compile(r"[+-]?(?:0|[1-9](?:_?[0-9])*)(\.[0-9](?:_?[0-9])*)?([eE][+-]?[0-9]+)?")
_BASIC = re.compile(r'"((?:[^"\\\n\x00-\x08\x0b-\x1f\x7f]|\\.)*)"')
_LITERAL = re.compile(r"'([^'\n\x00-\x08\x0b-\x1f\x7f]*)'")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_BLANK = re.compile(r"(?:[ \t]|\r?\n|#[^\n]*)*")


class Place(NamedTuple):
    line: int
    column: int


class TomlError(Exception):
    """Not the TOML this reads."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


def read(text: str) -> tuple[dict[str, Any], dict[Path, Place]]:
    """Text → (tables and keys, place of each by path)."""
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def document(self) -> tuple[dict[str, Any], dict[Path, Place]]:
        root: dict[str, Any] = {}
        places: dict[Path, Place] = {}
        table: dict[str, Any] = root
        prefix: Path = ()
        while True:
            self._blank()
            if self._at >= len(self._text):
                return root, places
            place = self._place()
            array = _ARRAY.match(self._text, self._at)
            header = array or _TABLE.match(self._text, self._at)
            if header:
                self._at = header.end()
                name, table = header[1], {}
                if array:
                    path = self._append(root, name, table, places, place)
                elif (name,) in places:
                    raise TomlError(place, f"table [{name}] given twice, first in line {places[name,].line}")
                else:
                    path = (name,)
                    root[name] = table
                prefix = path
            else:
                key = _KEY.match(self._text, self._at)
                if key is None:
                    raise TomlError(place, "expected `[table]` or `key = value`")
                name = key[1].strip("\"'") if key[1][0] in "\"'" else key[1]
                path = (*prefix, name)
                if path in places:
                    raise TomlError(place, f"{name} given twice, first in line {places[path].line}")
                self._at = key.end()
                table[name] = self._value()
            places[path] = place
            self._end_of_line()

    def _append(
        self, root: dict[str, Any], name: str, table: dict[str, Any], places: dict[Path, Place], place: Place
    ) -> Path:
        if (name,) not in places:
            root[name] = []
            places[name,] = place
        elif (name, 0) not in places:
            raise TomlError(place, f"[[{name}]], but {name} is something else in line {places[name,].line}")
        root[name].append(table)
        return (name, len(root[name]) - 1)

    def _value(self) -> Any:
        text, at = self._text, self._at
        if text.startswith(('"""', "'''"), at):
            raise TomlError(self._place(), "multi-line strings are not read here; write the string on one line")
        for pattern, convert in ((_BASIC, self._unescape), (_LITERAL, str)):
            match = pattern.match(text, at)
            if match:
                value = convert(match[1])
                self._at = match.end()
                return value
        if text.startswith("[", at):
            return self._array()
        for word, truth in (("true", True), ("false", False)):
            if text.startswith(word, at):
                self._at += len(word)
                return truth
        match = _NUMBER.match(text, at)
        if match is None:
            raise TomlError(self._place(), "expected a string in quotes, a number, true, false or a list")
        self._at = match.end()
        plain = match[0].replace("_", "")
        return float(plain) if match[1] or match[2] else int(plain)

    def _array(self) -> list[Any]:
        self._at += 1
        out: list[Any] = []
        while True:
            self._blank()
            if self._text.startswith("]", self._at):
                self._at += 1
                return out
            out.append(self._value())
            self._blank()
            if self._text.startswith(",", self._at):
                self._at += 1
            elif not self._text.startswith("]", self._at):
                raise TomlError(self._place(), "expected `,` or `]`")

    def _unescape(self, body: str) -> str:
        def one(match: re.Match[str]) -> str:
            code = match[1]
            if code in _ESCAPES:
                return _ESCAPES[code]
            if len(code) > 1:
                number = int(code[1:], 16)
                if number < 0xD800 or 0xDFFF < number < 0x110000:
                    return chr(number)
            raise TomlError(self._place(), f"unknown escape \\{code} in a string; double the backslash or use '…'")

        return _ESCAPE.sub(one, body)

    def _blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _end_of_line(self) -> None:
        match = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)").match(self._text, self._at)
        if match is None:
            raise TomlError(self._place(), "expected the end of the line")
        self._at = match.end()

    def _place(self) -> Place:
        before = self._text[: self._at]
        return Place(before.count("\n") + 1, self._at - (before.rfind("\n") + 1) + 1)
