# SPDX-License-Identifier: Apache-2.0
"""One line of auditctl text ↔ `Line` (a rule) or `Control` (an option such as -b), in the spellings of audit 3.0 – 4.x.

Source: auditctl(8). Nothing is quoted there: words are parted by white space.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from .fields import ACTIONS, LISTS, Compare, Filter, canonical, parse_compare, parse_filter

KEY_BYTES = 256
"""AUDIT_MAX_KEY_LEN: all keys of a rule, joined by 0x01."""


@dataclass(frozen=True)
class Line:
    """A rule. `syscalls` in the order given, empty = all; `fields` without arch and key; `arch` is b64, b32 or None."""

    list: str = "exit"
    action: str = "always"
    arch: str | None = None
    syscalls: tuple[str, ...] = ()
    fields: tuple[Filter, ...] = ()
    compares: tuple[Compare, ...] = ()
    keys: tuple[str, ...] = ()

    def value(self, field: str) -> str | None:
        """Value of the first filter on `field`."""
        return next((item.value for item in self.fields if item.field == field), None)

    def __str__(self) -> str:
        return format_line(self)


@dataclass(frozen=True)
class Control:
    """A line that is no rule: `-D`, `-b 8192`, `--loginuid-immutable`."""

    option: str
    value: str = ""

    def __str__(self) -> str:
        return f"{self.option} {self.value}".rstrip()


CONTROLS: dict[str, bool] = {
    "-D": False,
    "-b": True,
    "-f": True,
    "-r": True,
    "--backlog_wait_time": True,
    "--loginuid-immutable": False,
    "--reset-lost": False,
    "--reset_backlog_wait_time_actual": False,
    "-t": False,
    "-q": True,
    "-c": False,
    "-i": False,
    "-e": True,
}
"""Control options, and whether one takes a value."""


def parse_line(text: str) -> Line | Control:
    """Read one line. ValueError (`what — remedy`) when auditctl could not read it either."""
    words = text.split()
    if not words:
        raise ValueError("the line is empty — leave it out")
    if words[0] in CONTROLS:
        return _control(words)
    line, kind, watch = Line(), "", False
    syscalls: list[str] = []
    permissions = ""
    position = 0
    while position < len(words):
        option = words[position]
        value = words[position + 1] if position + 1 < len(words) else ""
        if option not in ("-a", "-A", "-w", "-S", "-F", "-C", "-k", "-p"):
            raise ValueError(f"unknown option `{option}` — a rule has -a, -w, -S, -F, -C, -p and -k")
        if not value:
            raise ValueError(f"`{option}` has no value — write one after it")
        position += 2
        if option in ("-a", "-A", "-w"):
            if kind:
                raise ValueError(f"`{option}` after `{kind}` — one rule a line")
            kind = option
        if option in ("-a", "-A"):
            filter_list, action = _list_action(value)
            line = replace(line, list=filter_list, action=action)
        elif option == "-w":
            watch = True
            line = replace(line, fields=(*line.fields, canonical(Filter("path", "=", value))))
        elif option == "-S":
            syscalls += [name for name in value.split(",") if name != "all"]
        elif option == "-p":
            permissions = value
        elif option == "-k":
            line = _with_keys(line, value)
        elif option == "-C":
            line = replace(line, compares=(*line.compares, parse_compare(value)))
        else:
            line = _with_filter(line, parse_filter(value))
    if not kind:
        raise ValueError("the rule has neither -a nor -w — begin with -a always,exit")
    if permissions or watch:
        line = replace(line, fields=(*line.fields, canonical(Filter("perm", "=", permissions or "rwxa"))))
    return replace(line, syscalls=tuple(dict.fromkeys(syscalls)))


def _control(words: list[str]) -> Control:
    option, values = words[0], words[1:]
    if len(values) != CONTROLS[option]:
        raise ValueError(f"`{option}` takes {'one value' if CONTROLS[option] else 'no value'} — see auditctl(8)")
    return Control(option, values[0] if values else "")


def _list_action(value: str) -> tuple[str, str]:
    """`always,exit`, in either order."""
    parts = value.split(",")
    lists = [part for part in parts if part in LISTS]
    actions = [part for part in parts if part in ACTIONS]
    if len(parts) != 2 or len(lists) != 1 or len(actions) != 1:
        raise ValueError(f"`-a {value}` is malformed — write action,list such as always,exit")
    return lists[0], actions[0]


def _with_keys(line: Line, value: str) -> Line:
    """Several keys stand in several -k or -F key=, or in one, joined by 0x01 as the kernel has them."""
    return replace(line, keys=(*line.keys, *(key for key in value.split("\x01") if key)))


def _with_filter(line: Line, item: Filter) -> Line:
    if item.field == "key":
        return _with_keys(line, item.value)
    with suppress(KeyError):  # a login name: only the host can tell its number
        item = canonical(item)
    if item.field != "arch":
        return replace(line, fields=(*line.fields, item))
    if item.op != "=" or line.arch is not None:
        raise ValueError(f"`-F {item}` cannot be compared — use one `arch=` a rule")
    return replace(line, arch=item.value)


def format_line(line: Line) -> str:
    """The line as `-a action,list -F arch= -S … -F … -C … -F key=`; parse_line reads back the same Line."""
    words = [f"-a {line.action},{line.list}"]
    if line.arch:
        words.append(f"-F arch={line.arch}")
    if line.syscalls:
        words.append(f"-S {','.join(line.syscalls)}")
    elif line.list == "exit" and not any(item.field in ("path", "dir") for item in line.fields):
        words.append("-S all")
    words += [f"-F {item}" for item in line.fields]
    words += [f"-C {item}" for item in line.compares]
    words += [f"-F key={key}" for key in line.keys]
    return " ".join(words)


def _read(text: str) -> list[Line | Control]:
    found = []
    for number, raw in enumerate(text.splitlines(), 1):
        stripped = raw.strip()
        if stripped and not stripped.startswith("#") and stripped != "No rules":
            try:
                found.append(parse_line(stripped))
            except ValueError as failure:
                raise ValueError(f"line {number}: {failure}") from None
    return found


def parse_rules(text: str) -> list[Line]:
    """The rules of a rules file or of an `auditctl -l` listing, in order, without the control lines."""
    return [item for item in _read(text) if isinstance(item, Line)]


def parse_controls(text: str) -> list[Control]:
    """The control lines of a rules file, in order."""
    return [item for item in _read(text) if isinstance(item, Control)]
