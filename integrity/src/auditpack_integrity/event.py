# SPDX-License-Identifier: Apache-2.0
"""A Change as one ECS event, in the shape of Auditbeat's file_integrity and with who made it. docs/integrity.md."""

from __future__ import annotations

import socket
import time
from typing import Any, Final

from . import change as kinds
from .change import SEVERITIES, Change, Touch, severity
from .config import Config
from .filedoc import Names, path_doc, stamp, state_doc
from .quote import ecs_text as text

ECS_VERSION: Final = "8.17.0"
SCHEMA: Final = 1
"""Version of `file_integrity.*`."""

_TYPES: Final = {
    kinds.CREATED: "creation",
    kinds.INITIAL_SCAN: "info",
    kinds.UPDATED: "change",
    kinds.DELETED: "deletion",
    kinds.MOVED: "change",
    kinds.ATTRIBUTES_MODIFIED: "change",
}
_DIFFERENCE_FIELDS: Final = {
    "content": ("hash",),
    "size": ("size",),
    "type": ("type",),
    "target": ("target_path",),
    "mode": ("mode", "setuid", "setgid"),
    "owner": ("uid", "owner"),
    "group": ("gid", "group"),
    "xattrs": ("posix_acl_access", "posix_acl_default", "selinux", "capabilities", "xattr"),
    "links": ("links",),
    "device": ("rdev",),
    "inode": ("inode", "device"),
    "mtime": ("mtime",),
}
_WHO: Final = ("user", "process", "group", "container", "orchestrator", "service", "cloud", "source", "related")
_AUDIT: Final = ("session", "labels", "unit")
_MOST_ACTORS: Final = 16


class Writer:
    """Change → event. `names` resolves owners."""

    def __init__(self, config: Config, names: Names) -> None:
        self._config = config
        self._names = names
        self._hostname = config.hostname or socket.gethostname()

    def event(self, change: Change, now: float, mime: str = "") -> dict[str, Any]:
        """An event of a change that has actions. `now`: when it was found, seconds since 1970."""
        touches = sorted(change.touches, key=lambda touch: touch.time)
        last = _author(touches)
        actions = change.actions()
        managed = _managed(last, self._config.managed)
        level, reason = severity(change, managed)
        out = self._head(last.time if last else now, now)
        out["event"].update(
            {
                "category": ["file"],
                "type": list(dict.fromkeys(_TYPES[action] for action in actions)),
                "action": actions,
                "outcome": "success",
                "severity": SEVERITIES[level],
            }
        )
        out["file"] = path_doc(change.path)
        told = change.new or change.old
        if told is not None:
            out["file"].update(state_doc(told, self._config.hashes, self._names))
        if mime:
            out["file"]["mime_type"] = mime
        if last is not None:
            self._who(out, last, touches)
        own = out["file_integrity"]
        own.update({"source": change.source, "severity": level})
        if reason:
            out["event"]["reason"] = reason
        self._differences(change, own)
        for field, path in (
            ("moved_from", change.moved_from),
            ("moved_to", change.moved_to),
            ("linked_to", change.linked_to),
            ("renamed_from", change.renamed_from),
        ):
            if path is not None:
                own[field] = text(path)
        if change.short_lived:
            own["short_lived"] = True
        if last is None and not change.initial:
            own["why_unknown"] = change.why_unknown or "no-audit"
        if managed:
            own["managed"] = True
        if change.package:
            self._package(change.package, out, own)
        if change.lines:
            own["diff"] = change.lines
        return out

    def note(self, action: str, message: str, now: float, **more: Any) -> dict[str, Any]:
        """An event of the service itself: a scan's end, a rebuilt baseline, a changed configuration."""
        out = self._head(now, now)
        out["event"].update({"category": ["file"], "type": ["info"], "action": [action], "outcome": "success"})
        out["message"] = message
        out["file_integrity"].update(more)
        return out

    def _head(self, at: float, now: float) -> dict[str, Any]:
        return {
            "@timestamp": stamp(at),
            "ecs": {"version": ECS_VERSION},
            "event": {
                "kind": "event",
                "module": "file_integrity",
                "dataset": "file",
                "created": stamp(now),
            },
            "host": {"hostname": self._hostname},
            "file_integrity": {"schema": SCHEMA},
        }

    def _who(self, out: dict[str, Any], last: Touch, touches: list[Touch]) -> None:
        for name in _WHO:
            if name in last.who:
                out[name] = last.who[name]
        if "tags" in last.who:
            out["tags"] = last.who["tags"]
        audit = {key: last.who["auditd"][key] for key in _AUDIT if key in last.who.get("auditd", {})}
        out["auditd"] = {
            **audit,
            "syscall": last.syscall,
            "event_ids": list(dict.fromkeys(touch.event_id for touch in touches))[-_MOST_ACTORS:],
        }
        actors: dict[tuple[Any, ...], dict[str, Any]] = {}
        for touch in touches:
            user, process = touch.who.get("user", {}), touch.who.get("process", {})
            key = (user.get("id"), user.get("audit", {}).get("id"), process.get("executable"), touch.pid)
            actor = actors.setdefault(key, {"user": user, "process": _short(process), "syscalls": []})
            if touch.syscall not in actor["syscalls"]:
                actor["syscalls"].append(touch.syscall)
        if len(actors) > 1:
            out["file_integrity"]["actors"] = list(actors.values())[-_MOST_ACTORS:]
            out["file_integrity"]["actors_total"] = len(actors)

    def _differences(self, change: Change, own: dict[str, Any]) -> None:
        if change.old is None or change.new is None:
            return
        differ = change.differences()
        own["changed"] = differ
        was = state_doc(change.old, self._config.hashes, self._names)
        previous = {field: was[field] for each in differ for field in _DIFFERENCE_FIELDS[each] if field in was}
        if "size" in differ and "hash" in was:
            previous["hash"] = was["hash"]
        if previous:
            own["previous"] = previous

    def _package(self, package: dict[str, Any], out: dict[str, Any], own: dict[str, Any]) -> None:
        out["package"] = {"name": package["name"], "type": package["manager"]}
        if package.get("version"):
            out["package"]["version"] = package["version"]
        own["package"] = {key: value for key, value in package.items() if value is not None}


def _author(touches: list[Touch]) -> Touch | None:
    """Who is named first: the last that wrote or changed the name, else the last that changed anything."""
    return touches[-1] if touches else None


def _short(process: dict[str, Any]) -> dict[str, Any]:
    return {key: process[key] for key in ("pid", "name", "executable", "args") if key in process}


def _managed(touch: Touch | None, logins: tuple[str, ...]) -> bool:
    if touch is None or not logins:
        return False
    user = touch.who.get("user", {})
    names = {user.get("name"), user.get("audit", {}).get("name")}
    return bool(names & set(logins))


def now() -> float:
    return time.time()
