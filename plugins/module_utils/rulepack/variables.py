# SPDX-License-Identifier: Apache-2.0
"""`$name` in paths, filters and control values."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .model import Value

_NAME = re.compile(r"\$([a-z][a-z0-9_]*)")


def names_in(*texts: str) -> list[str]:
    """The variables that the texts use, each once."""
    return list(dict.fromkeys(name for text in texts for name in _NAME.findall(text)))


def substitute(text: str, values: Mapping[str, Value]) -> str:
    """Put values in. KeyError(name) for a variable without one. A true bool is 1, a false one 0."""

    if "$" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        found = values[match.group(1)]
        return str(int(found)) if isinstance(found, bool) else str(found)

    return _NAME.sub(value, text)
