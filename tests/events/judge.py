# SPDX-License-Identifier: Apache-2.0
"""A case and what happened → a verdict. Pure: no clock, no files, no host.

Runs on hosts too (the driver asks `met` whether it may stop waiting): standard library, Python >= 3.9.

A case is the JSON form of a `cases.yml` entry. An outcome is what the driver reports for one firing:
`{"rc": int, "stdout": str, "stderr": str, "seconds": float, "error": str | None, "events": [...], "truncated": int,
"env": {"WORK": …, "EACH": …, "PY": …}, "users": {name: uid}, "syscalls": {abi: {name: nr}}}`.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from .view import UNSET, Event, PathName, Socket, View, to_int

Case = Mapping[str, Any]
Outcome = Mapping[str, Any]
Matcher = Mapping[str, Any]

PROVEN, FAILED, XFAIL, NOT_APPLICABLE = "proven", "failed", "xfail", "not-applicable"
_COUNTS = ("min", "max")


class Verdict(NamedTuple):
    """`verdict` is one of the four words; `event` the proving (or offending) event, where there is one.

    `proofs` has the first event of each expectation that is met; a case that proves several rules has one for each.
    """

    verdict: str
    reason: str = ""
    event: Event | None = None
    proofs: tuple[Event, ...] = ()


class Near(NamedTuple):
    """How close an event came to a matcher: names of the fields that held, and `field: wanted, got` of the others."""

    view: View
    held: tuple[str, ...]
    missed: tuple[str, ...]


def judge(case: Case, outcome: Outcome) -> Verdict:
    """The verdict on one firing of a case. What broke the trigger itself is never excused by `xfail`."""
    broken = _broken(case, outcome)
    if broken:
        return Verdict(FAILED, broken)
    problem, event, proofs = _expectation(case, outcome)
    gap = case.get("xfail")
    if gap is None:
        return Verdict(FAILED, problem, event) if problem else Verdict(PROVEN, "", event, proofs)
    if problem:
        return Verdict(XFAIL, f"{gap['reason']} ({problem})", event)
    return Verdict(FAILED, f"passes although marked xfail ({gap['reason']}): remove the mark", event)


def met(case: Case, outcome: Outcome) -> bool:
    """Whether every expected event is there already; never true of a case that expects none."""
    views = _views(outcome)
    expected = _entries(case, "expect")
    return bool(expected) and all(_count(entry, views, outcome)[0] is None for entry in expected)


def nearest(case: Case, outcome: Outcome) -> list[tuple[Matcher, Near]]:
    """For each expectation that is not met, the event that came nearest and the fields in which it differs."""
    views = _views(outcome)
    result = []
    for entry in _entries(case, "expect"):
        if _count(entry, views, outcome)[0] is None:
            continue
        looked = [_compare(entry, view, outcome) for view in views]
        if looked:
            result.append((entry, min(looked, key=_distance)))
    return result


def _distance(near: Near) -> tuple[int, bool, bool]:
    """Fewest differences; among equals an event of the same key, then of the same system call, tells most."""
    return len(near.missed), "key" not in near.held, "syscall" not in near.held


def _broken(case: Case, outcome: Outcome) -> str:
    if outcome.get("error"):
        return str(outcome["error"])
    wanted = case.get("rc", 0)
    allowed = wanted if isinstance(wanted, (list, tuple)) else [wanted]
    if "any" not in allowed and outcome["rc"] not in allowed:
        return f"trigger ended with {outcome['rc']}, expected {' or '.join(str(code) for code in allowed)}"
    if outcome.get("truncated"):
        return f"{outcome['truncated']} events too many between the markers to judge: make the trigger quieter"
    return ""


def _expectation(case: Case, outcome: Outcome) -> tuple[str, Event | None, tuple[Event, ...]]:
    """What is not as expected (or empty), the event in question, and the events that are as expected."""
    views = _views(outcome)
    proofs: list[Event] = []
    for number, entry in enumerate(_entries(case, "expect"), 1):
        problem, event = _count(entry, views, outcome)
        if problem:
            return f"expectation {number}: {problem}", event, ()
        proofs += [event] if event else []
    for number, entry in enumerate(_entries(case, "never"), 1):
        for view in views:
            if not _compare(entry, view, outcome).missed:
                return f"never {number}: event {view.id} must not be there ({_show(entry)})", view.event, ()
    pattern = case.get("stdout")
    if pattern and not re.search(str(pattern), str(outcome["stdout"]), re.MULTILINE):
        return f"stdout does not match {pattern!r}", None, ()
    return "", proofs[0] if proofs else None, tuple(proofs)


def _entries(case: Case, name: str) -> Sequence[Matcher]:
    return case.get(name) or ()


def _views(outcome: Outcome) -> list[View]:
    return [View(event, outcome.get("syscalls")) for event in outcome["events"]]


def _count(entry: Matcher, views: Sequence[View], outcome: Outcome) -> tuple[str | None, Event | None]:
    """What is wrong with the number of events that match, if anything, and the first of them."""
    found = [view for view in views if not _compare(entry, view, outcome).missed]
    least = int(entry.get("min", 1))
    most = entry.get("max")
    first = found[0].event if found else None
    if len(found) < least:
        return f"{len(found)} of {len(views)} events match, at least {least} wanted ({_show(entry)})", first
    if most is not None and len(found) > int(most):
        return f"{len(found)} events match, at most {most} wanted ({_show(entry)})", first
    return None, first


def _show(entry: Matcher) -> str:
    return " ".join(f"{name}={value}" for name, value in entry.items() if name not in _COUNTS and value is not None)


def _compare(entry: Matcher, view: View, outcome: Outcome) -> Near:
    held, missed = [], []
    wanted = {name: value for name, value in entry.items() if name not in _COUNTS and value is not None}
    wanted.setdefault("type", "SYSCALL")
    for name, value in wanted.items():
        got = _CHECKS[name](_expand(value, outcome), view, outcome, wanted)
        if got is None:
            held.append(name)
        else:
            missed.append(f"{name}: wanted {value}, got {got}")
    return Near(view, tuple(held), tuple(missed))


def _expand(value: Any, outcome: Outcome) -> Any:
    """`$WORK`, `$EACH` and `$PY` inside the strings of a matcher; quoted where the string is a regex."""
    if isinstance(value, str):
        regex = value.startswith("re:")
        for name, text in outcome.get("env", {}).items():
            value = value.replace(f"${name}", re.escape(text) if regex else text)
        return value
    if isinstance(value, Mapping):
        return {name: _expand(inner, outcome) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_expand(inner, outcome) for inner in value]
    return value


# A check gives None when the matcher holds, else what the event has instead.
_Check = Callable[[Any, View, Outcome, Matcher], Optional[str]]


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _key(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
    keys = view.keys
    return None if any(key in keys for key in _list(value)) else ", ".join(keys) or "no key"


def _type(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
    return None if all(kind in view.types for kind in _list(value)) else ", ".join(view.types)


def _syscall(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
    return None if view.syscall in _list(value) else str(view.syscall)


def _text(field: str) -> _Check:
    def check(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
        got = view.text(field)
        return None if got is not None and any(_same_text(str(want), got) for want in _list(value)) else str(got)

    return check


def _same_text(wanted: str, got: str) -> bool:
    return bool(re.search(wanted[3:], got)) if wanted.startswith("re:") else wanted == got


def _success(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
    return None if view.success is value else str(view.success)


def _exit(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
    wanted = [_exit_number(item) for item in _list(value)]
    return None if view.exit is not None and view.exit in wanted else str(view.exit)


def _exit_number(value: Any) -> int:
    if isinstance(value, str) and not re.fullmatch(r"-?\d+", value):
        number = getattr(errno, value.lstrip("-"), None)
        if number is None:
            raise ValueError(f"exit: unknown errno name {value!r}")
        return -int(number) if value.startswith("-") else int(number)
    return int(value)


def _user(field: str) -> _Check:
    def check(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
        number, name = view.user(field)
        return _same_user(value, number, name, outcome)

    return check


def _same_user(value: Any, number: int | None, name: str | None, outcome: Outcome) -> str | None:
    wanted = UNSET if value in ("unset", -1) else to_int(value, 10)
    if wanted is None:
        wanted = outcome.get("users", {}).get(value)
    if number is not None and wanted is not None and number == wanted:
        return None
    return "unset" if number == UNSET else f"{number}" + (f" ({name})" if name else "")


def _path(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
    found = [path for path in view.paths if any(_same_text(str(value), name) for name in path.names)]
    if found:
        return None
    return ", ".join(name for path in view.paths for name in path.names[:1]) or "no PATH"


def _of_path(check: Callable[[Any, PathName, Outcome], bool], show: Callable[[PathName], Any]) -> _Check:
    """A property of a PATH record: of the one whose name `path` asks for, where the entry has `path`."""

    def run(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
        paths = view.paths
        if entry.get("path") is not None:
            wanted = str(_expand(entry["path"], outcome))
            paths = [path for path in paths if any(_same_text(wanted, name) for name in path.names)]
        if any(check(item, path, outcome) for path in paths for item in _list(value)):
            return None
        return ", ".join(str(show(path)) for path in paths) or "no such PATH"

    return run


def _argument(index: int) -> _Check:
    def check(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
        got = view.argument(index)
        wanted = [to_int(item, 10) for item in _list(value)]
        mask = (1 << (32 if view.abi == "b32" else 64)) - 1  # the kernel prints registers, so -1 is all ones
        if got is not None and any(want is not None and want & mask == got & mask for want in wanted):
            return None
        return "none" if got is None else hex(got)

    return check


def _saddr(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
    if any(_same_socket(value, found) for found in view.sockets):
        return None
    return ", ".join(str(found._asdict()) for found in view.sockets) or "no SOCKADDR"


def _same_socket(wanted: Mapping[str, Any], found: Socket) -> bool:
    got = found._asdict()
    for name, value in wanted.items():
        want = {"local": "unix", "ipv4": "inet", "ipv6": "inet6"}.get(value, value) if name == "family" else value
        if name == "port":
            if got["port"] is None or int(want) != got["port"]:
                return False
        elif got[name] is None or not _same_text(str(want), str(got[name])):
            return False
    return True


def _abi(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
    return None if view.abi in _list(value) else str(view.abi)


def _field(value: Any, view: View, outcome: Outcome, entry: Matcher) -> str | None:
    for name, want in value.items():
        got = view.field(name)
        if not any(_same_text(str(item), str(have)) for item in _list(want) for have in got):
            return f"{name}={', '.join(str(have) for have in got) or 'absent'}"
    return None


_CHECKS: dict[str, _Check] = {
    "key": _key,
    "type": _type,
    "syscall": _syscall,
    "exe": _text("exe"),
    "comm": _text("comm"),
    "success": _success,
    "exit": _exit,
    **{field: _user(field) for field in ("auid", "uid", "euid")},
    "path": _path,
    "nametype": _of_path(lambda want, path, _: want == path.nametype, lambda path: path.nametype),
    "ouid": _of_path(
        lambda want, path, outcome: _same_user(want, path.ouid, path.ouid_name, outcome) is None,
        lambda path: path.ouid_name or path.ouid,
    ),
    **{f"a{index}": _argument(index) for index in range(4)},
    "saddr": _saddr,
    "arch": _abi,
    "field": _field,
}
MATCHERS = frozenset(_CHECKS)
