# SPDX-License-Identifier: Apache-2.0
"""Typed reading of a map: each getter checks one key, and `done` refuses the keys that nobody asked for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any, Optional

from .errors import PackError
from .source import Document, Step

Check = Optional[Callable[[str], Optional[str]]]
"""Takes a value; gives what is wrong with it, or None."""


class Reader:
    """One map of a document. Getters append to `errors` and give the default, so that one run finds every mistake."""

    def __init__(self, document: Document, path: tuple[Step, ...], errors: list[PackError], name: str) -> None:
        self.document = document
        self.path = path
        self.errors = errors
        self.name = name
        data = document.data
        for step in path:
            data = data[step]
        self.data: dict[str, Any] = {}
        self._asked: set[str] = set()
        if isinstance(data, dict):
            self.data = data
        else:
            self.error("", f"{name} must be a map of keys and values", "write `key: value` lines")

    def line(self, key: str = "", *more: Step) -> int:
        return self.document.line((*self.path, *((key,) if key else ()), *more))

    def error(self, key: str, message: str, remedy: str, *more: Step, level: str = "error") -> None:
        self.errors.append(PackError(self.document.file, self.line(key, *more), message, remedy, level))

    def has(self, key: str) -> bool:
        return key in self.data

    def text(
        self,
        key: str,
        default: str = "",
        *,
        required: bool = False,
        choices: Iterable[str] = (),
        pattern: str = "",
        check: Check = None,
    ) -> str:
        """A non-empty string."""
        value = self._get(key, required)
        if value is None:
            return default
        if not self._is_text(key, value):
            return default
        return str(value) if self._fits(key, value, tuple(choices), pattern, check) else default

    def texts(
        self,
        key: str,
        *,
        required: bool = False,
        choices: Iterable[str] = (),
        pattern: str = "",
        check: Check = None,
        scalar: bool = False,
    ) -> tuple[str, ...] | None:
        """A list of strings; None when the key is not there. With `scalar` one string stands for a list of one."""
        value = self._get(key, required)
        if value is None:
            return None
        if scalar and isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            self.error(key, f"`{key}` must be a list", f"write `{key}: [value, …]`")
            return None
        allowed = tuple(choices)
        return tuple(
            item
            for index, item in enumerate(value)
            if self._is_text(key, item, index) and self._fits(key, item, allowed, pattern, check, index)
        )

    def integer(self, key: str, default: int, *, low: int = 0, high: int = 2**32 - 1, required: bool = False) -> int:
        value = self._get(key, required)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.error(key, f"`{key}` must be a whole number from {low} to {high}, not {value!r}", "give such a number")
            return default
        return value

    def integers(self, key: str) -> tuple[int, ...] | None:
        value = self._get(key, False)
        if value is None:
            return None
        value = value if isinstance(value, list) else [value]
        if any(isinstance(item, bool) or not isinstance(item, int) for item in value):
            self.error(key, f"`{key}` must be whole numbers", f"write `{key}: [1, 2]`")
            return None
        return tuple(value)

    def boolean(self, key: str, default: bool | None = None) -> bool | None:
        value = self._get(key, False)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.error(key, f"`{key}` must be true or false, not {value!r}", "write true or false without quotes")
            return default
        return value

    def any(self, key: str) -> Any:
        """The value as it stands; the caller checks it."""
        return self._get(key, False)

    def map(self, key: str) -> Reader | None:
        value = self._get(key, False)
        if value is None:
            return None
        return Reader(self.document, (*self.path, key), self.errors, f"`{key}`")

    def maps(self, key: str) -> list[Reader]:
        value = self._get(key, False)
        if value is None:
            return []
        if not isinstance(value, list):
            self.error(key, f"`{key}` must be a list of maps", "begin each entry with `- `")
            return []
        return [
            Reader(self.document, (*self.path, key, index), self.errors, f"an entry of `{key}`")
            for index in range(len(value))
        ]

    def done(self) -> None:
        """Refuse the keys that no getter has asked for."""
        for key in self.data:
            if key not in self._asked:
                near = difflib.get_close_matches(key, sorted(self._asked), 1, 0.7)
                known = f"`{near[0]}` was meant" if near else f"known here: {', '.join(sorted(self._asked))}"
                self.error(key, f"unknown key `{key}` in {self.name}", known)

    def _get(self, key: str, required: bool) -> Any:
        self._asked.add(key)
        value = self.data.get(key)
        if value is None and required:
            self.error("", f"{self.name} has no `{key}`", f"add `{key}: …`")
        elif value is None and key in self.data:
            self.error(key, f"`{key}` is empty", "give it a value or take the key out")
        return value

    def _is_text(self, key: str, value: object, *more: Step) -> bool:
        if isinstance(value, str) and value.strip():
            return True
        what = "is empty" if isinstance(value, str) else f"must be text, but YAML reads {value!r}"
        self.error(key, f"`{key}` {what}", "give a text; put quotes around it", *more)
        return False

    def _fits(self, key: str, value: str, choices: tuple[str, ...], pattern: str, check: Check, *more: Step) -> bool:
        if choices and value not in choices:
            self.error(key, f"`{key}` cannot be `{value}`", f"one of: {', '.join(choices)}", *more)
            return False
        if pattern and not re.fullmatch(pattern, value):
            self.error(key, f"`{key}: {value}` is malformed", f"it must match {pattern}", *more)
            return False
        wrong = check(value) if check else None
        if wrong:
            message, _, remedy = wrong.partition(" — ")
            self.error(key, message, remedy or f"mend `{key}`", *more)
            return False
        return True
