# SPDX-License-Identifier: Apache-2.0
"""One change of one name, before it becomes an event."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from .state import CONTENT, FILE, State, differences

CREATED, UPDATED, DELETED, MOVED = "created", "updated", "deleted", "moved"
ATTRIBUTES_MODIFIED, CONFIG_CHANGE, INITIAL_SCAN = "attributes_modified", "config_change", "initial_scan"


@dataclass
class Touch:
    """An audit event that may have changed a name. `who`: its objects user, process, …, as the collector wrote them.

    `manager`: the package manager that made it.
    """

    time: float
    event_id: str
    syscall: str
    pid: int
    who: dict[str, Any]
    writes: bool = False
    manager: str = ""


@dataclass
class Change:
    """`old` and `new`: None where the name was not there. `source`: "audit" or "scan".

    `why_unknown`: reason for which no user is known ("no-audit", "offline", "no-event"). `linked_to`: another name of
    the same file. `renamed_from`: the name it had before it came here. `short_lived`: made and gone before it was
    read. `package`: what a package manager has to do with it. `lines`: differing lines of text.
    """

    path: bytes
    old: State | None
    new: State | None
    source: str = "scan"
    touches: list[Touch] = field(default_factory=list)
    why_unknown: str = ""
    moved_from: bytes | None = None
    moved_to: bytes | None = None
    linked_to: bytes | None = None
    renamed_from: bytes | None = None
    short_lived: bool = False
    initial: bool = False
    package: dict[str, Any] | None = None
    lines: list[str] | None = None

    def differences(self) -> list[str]:
        return [] if self.old is None or self.new is None else differences(self.old, self.new)

    def actions(self) -> list[str]:
        """Auditbeat's words, in the order in which it happened. Empty: nothing worth telling."""
        if self.initial:
            return [INITIAL_SCAN]
        if self.short_lived:
            return [CREATED, DELETED]
        if self.old is None:
            return [CREATED]
        if self.new is None:
            return [DELETED]
        differ = set(self.differences())
        out = [MOVED] if self.moved_from is not None else []
        if differ & set(CONTENT) or ("inode" in differ and self.moved_from is None):
            out.append(UPDATED)
        if differ & _ATTRIBUTES or (differ == {"mtime"} and self.moved_from is None):
            out.append(ATTRIBUTES_MODIFIED)
        return out


_ATTRIBUTES: Final = {"mode", "owner", "group", "xattrs", "links", "device"}

INFO, LOW, MEDIUM, HIGH, CRITICAL = "info", "low", "medium", "high", "critical"
SEVERITIES: Final = {INFO: 10, LOW: 21, MEDIUM: 47, HIGH: 73, CRITICAL: 99}


def severity(change: Change, managed: bool) -> tuple[str, str]:
    """How much a change matters, and why when it is not simply medium."""
    package = change.package or {}
    if change.initial:
        return INFO, ""
    privileged = _privileges(change.new) - _privileges(change.old)
    if package.get("matches") is True:
        return INFO, "what the package holds"
    if package.get("made") and package.get("matches") is False and not package.get("configuration"):
        return HIGH, "made by the package manager, but not what the package holds"
    if package and not package.get("made") and not package.get("configuration") and _substantial(change):
        if managed:
            return MEDIUM, "a package's file changed by configuration management"
        return HIGH, "a package's file changed by no package manager"
    if privileged:
        return HIGH, f"gained {', '.join(sorted(privileged))}"
    if package.get("made"):
        return LOW, "made by the package manager"
    if managed:
        return LOW, "made by configuration management"
    if change.actions() == [ATTRIBUTES_MODIFIED] and set(change.differences()) <= {"mtime", "links"}:
        return LOW, ""
    return MEDIUM, ""


def _substantial(change: Change) -> bool:
    """Whether more happened to a known name than a new time, link or identical replacement."""
    if change.new is None:
        return not change.short_lived
    return change.old is not None and bool(set(change.differences()) - {"mtime", "links", "inode"})


def _privileges(state: State | None) -> set[str]:
    if state is None or state.stat.kind != FILE:
        return set()
    out = set()
    if state.stat.mode & 0o4000:
        out.add("setuid")
    if state.stat.mode & 0o2010 == 0o2010:
        out.add("setgid")
    if any(name == b"security.capability" for name, _ in state.xattrs):
        out.add("capabilities")
    return out
