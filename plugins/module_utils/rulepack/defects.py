# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an existing audit.rules: auditctl stops at some of it and says nothing of the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .line import Control, Line, parse_line
from .messages import MESSAGE_TYPES
from .scope import plain
from .shadow import Shadow, contradiction, find_shadowed

KINDS = ("malformed", "unknown", "dead", "duplicate", "shadowed", "unsupported", "note")
"""All but `note`: the line is left out of the pack, unless the finding says that it, or a part of it, is kept."""

Tables = Mapping[str, frozenset[str]]
"""ABI → names of its system calls; no ABI = names are not checked."""

Tell = Callable[[str, str, str], None]
"""Takes kind, message and remedy of a finding."""


class Finding(NamedTuple):
    kind: str
    line: int
    message: str
    remedy: str


class Kept(NamedTuple):
    """A line that is good: its number, and the comment above it. `directory`: a watch written with a final slash."""

    number: int
    line: Line
    comment: str
    directory: bool


@dataclass
class Examined:
    kept: list[Kept] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    controls: list[tuple[int, Control]] = field(default_factory=list)
    lines: int = 0


def examine(text: str, tables: Tables) -> Examined:
    """Read the whole file: every finding in order of lines, and the rules that are worth keeping."""
    result = Examined()
    comment = ""
    for number, raw in enumerate(text.splitlines(), 1):
        stripped = raw.strip()
        if not stripped or stripped.startswith("#"):
            comment = stripped.strip("#-= ") if stripped else ""
            continue
        result.lines += 1
        kept = _read(number, stripped, comment, tables, result)
        comment = ""
        if kept:
            result.kept.append(kept)
    if text and not text.endswith("\n"):
        last = len(text.splitlines())
        result.findings.append(
            Finding("note", last, "no newline at the end, so augenrules fuses the next file with it", "end the line")
        )
    _drop_covered(result)
    result.findings.sort(key=lambda finding: (finding.line, KINDS.index(finding.kind)))
    return result


def _read(number: int, text: str, comment: str, tables: Tables, result: Examined) -> Kept | None:
    def tell(kind: str, message: str, remedy: str) -> None:
        result.findings.append(Finding(kind, number, message, remedy))

    try:
        found = parse_line(text)
        _check_order(text.split())
        line = found if isinstance(found, Control) else _known(found, tables, tell)
        reason = contradiction(plain(line)) if isinstance(line, Line) else ""
    except ValueError as failure:
        message, _, remedy = str(failure).partition(" — ")
        unknown = message.startswith("unknown ") and not message.startswith("unknown option")
        tell("unknown" if unknown else "malformed", message, remedy or "mend the line")
        return None
    if isinstance(line, Control):
        result.controls.append((number, line))
        harm = "hides every error of the lines below it" if line.option in ("-i", "-c") else ""
        tell("note", f"`{line}` is a control line{harm and f'; it {harm}'}", "pack base has such settings")
        return None
    reason = reason or _positive_error(text)
    if line is None or reason:
        if line:
            tell("dead", f"the rule can never match: {reason}", "mend it or take it out")
        return None
    if not _silenced(line, tell):
        return None
    _advise(text, line, tell)
    words = text.split()
    slash = words[0] == "-w" and len(words) > 1 and words[1].endswith("/")
    return Kept(number, line, comment, slash)


def _check_order(words: list[str]) -> None:
    """auditctl refuses an arch after the system calls, whose numbers depend on it (EAU_ARCHMISPLACED)."""
    arch = [index for index, word in enumerate(words) if word.startswith("arch")]
    if arch and "-S" in words[: arch[0]]:
        raise ValueError("`-F arch` after `-S` — put it before: the numbers of the calls depend on it")


def _known(line: Line, tables: Tables, tell: Tell) -> Line | None:
    """The line without system calls that its ABI does not have; None when none is left."""
    if not tables or not line.syscalls or line.list == "io_uring":
        return line
    table = tables.get(line.arch or "b64", frozenset())
    unknown = [name for name in line.syscalls if name not in table]
    if unknown:
        rest = "the others are kept" if len(unknown) < len(line.syscalls) else "no call is left"
        message = f"unknown system call {', '.join(unknown)} for {line.arch or 'b64'}; {rest}"
        tell("unknown", message, "`ausyscall --dump` prints the names")
    left = tuple(name for name in line.syscalls if name in table)
    return replace(line, syscalls=left) if left else None


def _positive_error(text: str) -> str:
    match = re.search(r"\bexit=(E[A-Z0-9]+)", text)
    return f"exit={match.group(1)} is a positive number, errors are negative (exit=-{match.group(1)})" if match else ""


def _silenced(line: Line, tell: Tell) -> bool:
    """Whether the line may stay; one that makes all others mute may not."""
    if (line.list, line.action) == ("task", "never") and not line.fields:
        tell("dead", "`never,task` switches every rule on system calls and files off", "take it out")
        return False
    names = {str(number): name for name, number in MESSAGE_TYPES.items()}
    for item in line.fields:
        name = names.get(item.value, "") if item.field == "msgtype" and item.op == "=" else ""
        if line.list == "exclude" and name in ("CWD", "EOE", "SYSCALL", "PATH"):
            loses = {"CWD": "relative paths mean nothing", "EOE": "readers wait for the end of events"}
            message = f"without {name} records {loses.get(name, 'no event tells who did what')}"
            tell("note", message, "keep them and drop what is not wanted later")
    return True


def _advise(text: str, line: Line, tell: Tell) -> None:
    words = text.split()
    if "-p" in words and words[0] != "-w":
        tell("note", "`-p` beside `-F path`", "write -F perm=")
    if set(line.syscalls) == {"open"} and line.arch != "b32":
        tell("dead", "silent in practice: glibc opens files by openat; it is kept", "add openat and openat2")
    if line.value("perm") and line.arch is None and words[0] != "-w":
        tell("note", "perm without an arch looks at every system call (slower)", "the pack renders it with one per ABI")
    if any(item.field == "auid" and item.op == ">=" and item.value == "500" for item in line.fields):
        tell("note", "auid>=500 is older than UID_MIN 1000", "write auid>=$uid_min in the pack")
    if not line.keys and line.list == "exit" and line.action == "always":
        tell("note", "the rule has no key; the pack gives it one", "choose a better one")
    if len(line.keys) > 1:
        tell("note", f"several keys, the pack takes `{line.keys[0]}`", "choose one")
    if words[0] == "-A":
        tell("note", "`-A` puts the rule before all earlier ones; in the pack it stands where it was", "move it")
    if re.search(r"[^!-~]|,", "".join(line.keys)):
        tell("note", "the key has characters that tools cannot read; the pack writes - for them", "choose a plain key")


def _drop_covered(result: Examined) -> None:
    """The first match wins: a line that earlier ones cover is a duplicate, or never gives its own key."""
    lines = [plain(kept.line) for kept in result.kept]
    gone = set()
    for shadow in find_shadowed(lines):
        finding = _covered(result.kept, shadow)
        result.findings.append(finding)
        if not shadow.partly:
            gone.add(shadow.line)
    result.kept = [kept for index, kept in enumerate(result.kept) if index not in gone]


def _covered(kept: list[Kept], shadow: Shadow) -> Finding:
    number = kept[shadow.line].number
    by = ", ".join(
        f"line {kept[index].number} (key {','.join(kept[index].line.keys) or 'none'})" for index in shadow.by
    )
    if not shadow.other:
        return Finding("duplicate", number, f"adds nothing: {by} matches all that it matches", "take it out")
    if shadow.partly:
        message = f"some of its system calls go to the earlier {by}; it is kept"
        return Finding("shadowed", number, message, "see that this is meant")
    return Finding("shadowed", number, f"never wins: {by} takes every event of it", "put it first, or take it out")
