# SPDX-License-Identifier: Apache-2.0
"""Rules into the kernel and back out: one `auditctl -R`, its errors by line, what is loaded, how it was before."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import auditd
from .files import file_state, put
from .host import HostError, run
from .rulefiles import directives
from .rulepack.line import Control, Line, parse_line, parse_rules
from .rulepack.normalise import Difference, compare

STAGE = "/var/lib/auditpack/load.rules"
# Which field of `auditctl -s` a control line sets.
STATUS_OF = {
    "-b": "backlog_limit",
    "-f": "failure",
    "-r": "rate_limit",
    "--backlog_wait_time": "backlog_wait_time",
    "-e": "enabled",
}


class LoadError(Exception):
    """A line that the kernel or auditctl refused: its 1-based number in the text (0 = unknown) and the reason."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number
        self.reason = reason


@dataclass(frozen=True)
class Loaded:
    """What the kernel holds: `auditctl -l` line by line and the numbers of `auditctl -s`."""

    rules: tuple[str, ...]
    status: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def now() -> Loaded:
        """Ask the kernel."""
        return Loaded(tuple(auditd.rules()), auditd.status())

    @staticmethod
    def from_json(data: dict[str, Any]) -> Loaded:
        """Inverse of to_json."""
        return Loaded(tuple(data["rules"]), data["status"])

    def to_json(self) -> dict[str, Any]:
        """Return JSON data."""
        return {"rules": list(self.rules), "status": self.status}

    @property
    def immutable(self) -> bool:
        """Tell whether only a reboot can change the rules (enabled 2)."""
        return self.status.get("enabled") == 2

    def text(self) -> str:
        """Return auditctl text that loads this state again."""
        numbers = [
            f"{opt} {self.status[name]}" for opt, name in STATUS_OF.items() if name in self.status and opt != "-e"
        ]
        return "\n".join(["-D", *numbers, *self.rules]) + "\n"


@dataclass(frozen=True)
class Gap:
    """Between wanted lines and the kernel: rules (`Entry.rule` is the wanted line's text) and numbers not in force."""

    rules: Difference
    numbers: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.rules or self.numbers)


def gap(wanted: list[str], loaded: Loaded) -> Gap:
    """Compare wanted auditctl lines with the kernel's, by meaning."""
    items = [(text, parse_line(text)) for text in wanted]
    rules = [(text, item) for text, item in items if isinstance(item, Line)]
    found = compare([line for _, line in rules], parse_rules("\n".join(loaded.rules)), [text for text, _ in rules])
    return Gap(found, numbers_off([item for _, item in items], loaded.status))


def numbers_off(items: list[Line | Control], status: dict[str, int]) -> tuple[str, ...]:
    """Return the control lines whose number is not in force, the last of each option counting."""
    last = {item.option: item.value for item in items if isinstance(item, Control) and item.option in STATUS_OF}
    off = [
        f"{option} {value}"
        for option, value in last.items()
        if STATUS_OF[option] in status and status[STATUS_OF[option]] != int(value)
    ]
    if any(isinstance(i, Control) and i.option == "--loginuid-immutable" for i in items):
        off += ["--loginuid-immutable"] if status.get("loginuid_immutable") == 0 else []
    return tuple(off)


def load(text: str) -> None:
    """Load auditctl text in one go; raise LoadError at its first bad line.

    auditctl stops there and says `There was an error in line N of FILE` after the reason.
    """
    put(STAGE, file_state(text, 0o600))
    try:
        done = run(["auditctl", "-R", STAGE], ok=None)
    finally:
        os.unlink(STAGE)
    found = re.search(r"There was an error in line (\d+)", done.said)
    if done.rc != 0 or found:
        words = [line for line in done.err.splitlines() if line.strip() and "There was an error in line" not in line]
        reason = "; ".join(dict.fromkeys(words)) or done.said or f"auditctl ended with status {done.rc}"
        raise LoadError(int(found.group(1)) if found else 0, reason)


def restore(before: Loaded, rules_file: str) -> None:
    """Load what was loaded before: from the former audit.rules where it says the same, else from the kernel's listing.

    The listing is the second choice because audit 3.0.9 prints `exe!=` as `exe=`. Raise HostError when neither works.
    """
    from_file = ["-D", *(line for line in directives(rules_file) if line not in ("-D", "-e 2"))]
    texts = ["\n".join(from_file) + "\n", before.text()]
    if gap(from_file, before):
        texts.reverse()
    wrong = []
    for text in texts:
        try:
            load(text)
        except LoadError as error:
            wrong.append(error.reason)
            continue
        if Loaded.now().rules == before.rules:
            return
        wrong.append("the listing differs from the former one")
    raise HostError(
        f"the former rules could not be loaded again ({'; '.join(wrong)}); load /etc/audit/audit.rules by hand"
    )


def read_text(path: str) -> str:
    """Return a file's text, empty where there is none."""
    return Path(path).read_text(errors="surrogateescape") if os.path.exists(path) else ""
