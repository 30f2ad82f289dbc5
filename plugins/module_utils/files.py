# SPDX-License-Identifier: Apache-2.0
"""What a path holds, put back or put in place in one step; the store of what was there before a role came."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATE_DIR = "/var/lib/auditpack"


@dataclass(frozen=True)
class FileState:
    """Content, mode and owner of a path; `content` of a link is its target."""

    kind: str  # missing | file | dir | link
    content: bytes = b""
    mode: int = 0
    uid: int = 0
    gid: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON data; content is base64."""
        return {
            "kind": self.kind,
            "content": base64.b64encode(self.content).decode(),
            "mode": f"{self.mode:04o}",
            "uid": self.uid,
            "gid": self.gid,
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> FileState:
        """Inverse of to_json."""
        return FileState(
            data["kind"], base64.b64decode(data["content"]), int(data["mode"], 8), data["uid"], data["gid"]
        )

    @property
    def text(self) -> str:
        """The content for a diff."""
        return self.content.decode(errors="replace")


MISSING = FileState("missing")


def file_state(text: str, mode: int = 0o640, uid: int = 0, gid: int = 0) -> FileState:
    """Return the state of a regular file with this text."""
    return FileState("file", text.encode(), mode, uid, gid)


def look(path: str) -> FileState:
    """Return what `path` holds now; a directory's content is not read."""
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        return MISSING
    mode = stat.S_IMODE(info.st_mode)
    if stat.S_ISLNK(info.st_mode):
        return FileState("link", os.fsencode(os.readlink(path)), mode, info.st_uid, info.st_gid)
    if stat.S_ISDIR(info.st_mode):
        return FileState("dir", b"", mode, info.st_uid, info.st_gid)
    return FileState("file", Path(path).read_bytes(), mode, info.st_uid, info.st_gid)


def put(path: str, state: FileState) -> None:
    """Make `path` hold `state`: written beside it, flushed, renamed over it; its folder flushed after."""
    folder = os.path.dirname(path)
    if state.kind == "missing":
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
    elif state.kind == "dir":
        os.makedirs(path, exist_ok=True)
        os.chown(path, state.uid, state.gid)
        os.chmod(path, state.mode)
    else:
        os.makedirs(folder, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".auditpack-", dir=folder)
        try:
            if state.kind == "link":
                os.close(handle)
                os.unlink(name)
                os.symlink(state.content, os.fsencode(name))
            else:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(state.content)
                    os.fchown(stream.fileno(), state.uid, state.gid)
                    os.fchmod(stream.fileno(), state.mode)
                    stream.flush()
                    os.fsync(stream.fileno())
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
            raise
    if os.path.isdir(folder):
        flush_dir(folder)


def flush_dir(folder: str) -> None:
    """Flush a directory's entries to disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_tree(path: str) -> bool:
    """Remove a directory with all in it; return whether it was there."""
    if not os.path.lexists(path):
        return False
    shutil.rmtree(path)
    return True


def write_json(path: str, data: Any, mode: int = 0o600) -> None:
    """Write JSON atomically, owned by root."""
    put(path, file_state(json.dumps(data, indent=1, sort_keys=True) + "\n", mode))


def read_json(path: str) -> Any:
    """Return the JSON in a file, or None where there is no file; anything else is an error naming it."""
    try:
        text = Path(path).read_text()
    except FileNotFoundError:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error}); restore it from a backup or remove it") from error


def difference(path: str, before: FileState, after: FileState) -> dict[str, str]:
    """Return one entry of Ansible's diff list."""

    def header(state: FileState) -> str:
        return path if state.kind != "missing" else f"{path} (absent)"

    def body(state: FileState) -> str:
        facts = f"# {state.kind} {state.mode:04o} {state.uid}:{state.gid}\n"
        return "" if state.kind == "missing" else (facts if state.kind == "dir" else state.text)

    if before.content == after.content and before.kind == after.kind:
        return {
            "before_header": f"{path} (mode and owner)",
            "after_header": f"{path} (mode and owner)",
            "before": f"{before.mode:04o} {before.uid}:{before.gid}\n",
            "after": f"{after.mode:04o} {after.uid}:{after.gid}\n",
        }
    return {
        "before_header": header(before),
        "after_header": header(after),
        "before": body(before),
        "after": body(after),
    }


class Originals:
    """What a role found before its first change, so that `state: absent` can put it back.

    One JSON file per role under /var/lib/auditpack/original; `notes` holds what is not a file.
    """

    def __init__(self, role: str, root: str = STATE_DIR) -> None:
        self.path = f"{root}/original/{role}.json"
        stored = read_json(self.path) or {"files": {}, "notes": {}}
        self.files: dict[str, FileState] = {p: FileState.from_json(s) for p, s in stored["files"].items()}
        self.notes: dict[str, Any] = stored["notes"]
        self.known = os.path.exists(self.path)

    def keep(self, paths: Iterable[str]) -> None:
        """Remember what the paths hold now, where nothing is remembered yet; on disk before the role changes them."""
        for path in paths:
            if path not in self.files:
                self.files[path] = look(path)
        self.save()

    def save(self) -> None:
        """Write the store."""
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        write_json(self.path, {"files": {p: s.to_json() for p, s in sorted(self.files.items())}, "notes": self.notes})

    def forget(self) -> None:
        """Drop the store, and its folder when it was the last."""
        put(self.path, MISSING)
        folder = os.path.dirname(self.path)
        for path in (folder, os.path.dirname(folder)):
            with contextlib.suppress(OSError):  # another role's store, or the collector's state
                os.rmdir(path)
