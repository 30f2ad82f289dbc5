# SPDX-License-Identifier: Apache-2.0
"""What the runner prints: a line when a stage starts and ends, and between them how far it is.

On a terminal the last line is rewritten; elsewhere a line is printed now and then.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def clock(seconds: float) -> str:
    """Return a duration as ``m:ss``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def tail(path: Path, lines: int) -> str:
    """Return the last ``lines`` lines of a text file (at most its last 32 KiB), without terminal colours."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 32768))
        text = file.read().decode(errors="replace")
    return "\n".join(_ANSI.sub("", text).splitlines()[-lines:]) + "\n"


class Console:
    """Prints to standard output. ``pause`` is the time in seconds between progress lines where there is no terminal."""

    def __init__(self, pause: float) -> None:
        self.terminal = sys.stdout.isatty()
        self.pause = pause
        self._said: dict[str, tuple[float, str]] = {}
        self._status = False

    def _clear(self) -> None:
        if self._status:
            sys.stdout.write("\r\x1b[K")
            self._status = False

    def line(self, text: str) -> None:
        self._clear()
        print(text, flush=True)

    def text(self, text: str) -> None:
        if text:
            self._clear()
            sys.stdout.write(text if text.endswith("\n") else text + "\n")
            sys.stdout.flush()

    def started(self, name: str, title: str) -> None:
        self._said[name] = (time.monotonic(), "")
        self.line(f"▶ {time.strftime('%H:%M:%S')}  {name:<14} {title}")

    def ended(self, name: str, seconds: float, passed: bool, why: str) -> None:
        mark, end = ("✔", "") if passed else ("✘", f"  FAILED: {why}")
        self.line(f"{mark} {time.strftime('%H:%M:%S')}  {name:<14} {clock(seconds)}{end}")

    def tick(self, running: Mapping[str, tuple[float, str]]) -> None:
        """Show how far the running stages are: name → (start on the monotonic clock, latest line of its output)."""
        now = time.monotonic()
        if self.terminal and running:
            width = shutil.get_terminal_size().columns - 1
            parts = [f"{name} {clock(now - started)} {latest}" for name, (started, latest) in running.items()]
            room = width // len(parts) - 3
            sys.stdout.write("\r\x1b[K" + " │ ".join(part[:room] for part in parts))
            sys.stdout.flush()
            self._status = True
            return
        for name, (started, latest) in running.items():
            said_at, said = self._said[name]
            if now - said_at >= self.pause and latest != said:
                self._said[name] = (now, latest)
                self.line(f"  {time.strftime('%H:%M:%S')}  {name:<14} {clock(now - started)}  {latest[:120]}")

    def table(self, title: str, seconds: Mapping[str, float], outcome: Mapping[str, str], total: float) -> None:
        """Print the closing table of times; stages overlap, so the total is less than their sum."""
        self.line("")
        self.line(title)
        for name, value in seconds.items():
            self.line(f"  {name:<14} {clock(value):>7}  {outcome.get(name, '')}")
        self.line(f"  {'all':<14} {clock(total):>7}")
