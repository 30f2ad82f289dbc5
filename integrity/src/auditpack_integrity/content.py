# SPDX-License-Identifier: Apache-2.0
"""Old and new lines of small text files. Kept only where `diff.enabled`; never of secret paths, never unredacted."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import zlib
from typing import Final

from .baseline import Baseline
from .config import Config
from .opening import open_path
from .state import FILE, State, stat_of

_BLANK: Final = "[redacted]"


class Contents:
    """Text as it was when a file was last seen, redacted before it is kept, compressed in the baseline's database."""

    def __init__(self, config: Config, baseline: Baseline) -> None:
        self._diff = config.diff
        self._baseline = baseline
        self._secret = [re.compile(each.encode()) for each in config.diff.secret]
        self._redact = [re.compile(each) for each in config.diff.redact]

    def lines(self, path: bytes, state: State | None) -> list[str] | None:
        """Keep what a path holds now; the lines that differ from before, None when there is nothing to compare."""
        if not self._diff.enabled:
            return None
        old, new = self._kept(path), self._read(path, state)
        database = self._baseline.database
        if new is None:
            database.execute("DELETE FROM contents WHERE path = ?", (path,))
            return None
        database.execute("INSERT OR REPLACE INTO contents VALUES (?, ?)", (path, zlib.compress(new.encode("utf-8"))))
        if old is None or old == new:
            return None
        found = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=2, lineterm=""))[2:]
        most = self._diff.max_lines
        return found if len(found) <= most else [*found[:most], f"… {len(found) - most} more lines"]

    def secret(self, path: bytes) -> bool:
        return any(each.search(path) for each in self._secret)

    def _kept(self, path: bytes) -> str | None:
        row = self._baseline.database.execute("SELECT text FROM contents WHERE path = ?", (path,)).fetchone()
        return None if row is None else zlib.decompress(row[0]).decode("utf-8")

    def _read(self, path: bytes, state: State | None) -> str | None:
        """Redacted text; None for what is secret, too large, no text, or no longer what was hashed."""
        if state is None or state.stat.kind != FILE or state.stat.size > self._diff.max_file_size or self.secret(path):
            return None
        try:
            fd = open_path(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            if stat_of(os.fstat(fd)) != state.stat:
                return None
            data = os.pread(fd, self._diff.max_file_size + 1, 0)
        finally:
            os.close(fd)
        if len(data) != state.stat.size or b"\0" in data:
            return None
        try:
            return "\n".join(self._redacted(line) for line in data.decode("utf-8").splitlines())
        except UnicodeDecodeError:
            return None

    def _redacted(self, line: str) -> str:
        """What matches is blanked, but for its first group. A fingerprint keeps a change of it visible."""
        for each in self._redact:
            match = each.search(line)
            if match:
                mark = hashlib.blake2b(line.encode(), digest_size=4, key=self._key()).hexdigest()
                kept = match[1] if match.re.groups else ""
                line = f"{line[: match.start()]}{kept}{_BLANK} {mark}{line[match.end() :]}"
        return line

    def _key(self) -> bytes:
        """Of this baseline alone, so that a fingerprint cannot be compared with guesses elsewhere."""
        known = self._baseline.meta("diff.key")
        if known is None:
            known = os.urandom(16)
            self._baseline.set_meta("diff.key", known)
        return bytes(known)
