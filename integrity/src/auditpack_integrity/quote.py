# SPDX-License-Identifier: Apache-2.0
"""Bytes → text without loss, by the convention of each format.

`records` (LAUREL's): valid UTF-8 stays; invalid bytes, controls, 0x7f, `%`, `+` and the BOM become `%xx`.
`ecs`: valid UTF-8 stays, controls included (JSON escapes them); an invalid byte becomes `%xx`, and a `%` becomes
`%25` where two hex digits follow, so replacing every `%xx` by its byte gives the original back.
"""

from __future__ import annotations

import re

_PLAIN = re.compile(rb"[ !-$&-*,-~]*").fullmatch
_SPECIAL = re.compile("[\x00-\x1f\x7f%+\ufeff\udc80-\udcff]")
_ECS_SPECIAL = re.compile("[\udc80-\udcff]|%(?=[0-9A-Fa-f]{2})")
_UNQUOTE = re.compile(rb"%([0-9A-Fa-f]{2})")


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02x}" for byte in match[0].encode("utf-8", "surrogateescape"))


def records_text(data: bytes) -> str:
    if _PLAIN(data):
        return data.decode("ascii")
    return _SPECIAL.sub(_percent, data.decode("utf-8", "surrogateescape"))


def ecs_text(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _ECS_SPECIAL.sub(_percent, data.decode("utf-8", "surrogateescape"))
    return _ECS_SPECIAL.sub(_percent, text) if "%" in text else text


def unquote(text: str) -> bytes:
    """The original bytes of either convention."""
    return _UNQUOTE.sub(lambda match: bytes((int(match[1], 16),)), text.encode("utf-8"))
