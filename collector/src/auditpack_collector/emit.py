# SPDX-License-Identifier: Apache-2.0
"""emit: what both formats share. emit_records.py and emit_ecs.py make the JSON value of an event."""

from __future__ import annotations

from typing import Any, Final

Object = dict[str, Any]

SCHEMA: Final = 1
"""Version of the `auditd.*` fields of the `ecs` format."""
ECS_VERSION: Final = "8.17.0"


class Repeated(list[Any]):
    """Values of a name that came more than once."""


def put(into: Object, name: str, value: Any) -> None:
    """Set a name; met a second time it becomes a list of its values."""
    if name not in into:
        into[name] = value
    elif isinstance(into[name], Repeated):
        into[name].append(value)
    else:
        into[name] = Repeated((into[name], value))
