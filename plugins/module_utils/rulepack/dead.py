# SPDX-License-Identifier: Apache-2.0
"""What a user is told of rules that can never win, or lose a part of their events, with both places and a remedy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from .errors import PackError
from .line import Line
from .shadow import Placed, Shadow, impossible, shadows_of

NAMED = 3
"""Rules that a folded warning names."""
USUAL = {"open", "openat", "openat2", "creat", "truncate", "unlink", "unlinkat", "rename", "renameat", "renameat2"}
USUAL |= {"execve", "execveat", "chmod", "fchmodat", "chown", "lchown", "fchownat", "setxattr"}
"""What a rule with `perm` is there for; the other calls that `perm` stands for come along."""


def find_dead(placed: Sequence[Placed], shadows: Iterable[Shadow] | None = None) -> list[PackError]:
    """Errors for rules that can never win, warnings for those that lose some system calls or say nothing new.

    One warning for all rules that lose calls to the same earlier ones. `shadows`: what `shadows_of` said of the lines,
    where it was asked already.
    """
    problems = []
    for one in placed:
        reason = impossible(one)
        if reason:
            message = f"rule `{one.rule}` makes no sense: {reason}"
            problems.append(PackError(one.place.file, one.place.line, message, "mend its filters"))
    partly: dict[str, dict[str, Placed]] = {}
    for shadow in shadows_of(placed) if shadows is None else shadows:
        late, early = placed[shadow.line], [placed[index] for index in shadow.by]
        if not (shadow.partly and shadow.other):
            problems.append(_problem(late, early, shadow))
        elif not all(_brought_along(one, late) for one in early):
            partly.setdefault(_rules(early), {}).setdefault(late.rule, late)
    problems += [_losing(by, list(some.values())) for by, some in partly.items()]
    unique = {(problem.file, problem.line, problem.message): problem for problem in problems}
    return list(unique.values())


def without_covered(
    placed: Sequence[Placed], elements: Collection[str], shadows: Iterable[Shadow]
) -> tuple[list[Placed], list[tuple[str, str]]]:
    """The lines without those of the rules `elements` that an earlier rule covers: what a host's list holds is no
    mistake of a pack. Beside them, for each line left out its rule and what covers it. `shadows`: shadows_of all.
    """
    gone: dict[int, str] = {}
    for shadow in shadows:
        late = placed[shadow.line]
        if late.rule in elements and not late.also and not shadow.partly:
            by = ", ".join(f"{placed[index].rule} ({_carries(placed[index].line)})" for index in shadow.by)
            gone[shadow.line] = f"{late.line.value('path') or late.line.value('dir')} is covered by {by}"
    kept = [one for index, one in enumerate(placed) if index not in gone]
    return kept, [(placed[index].rule, reason) for index, reason in gone.items()]


def _brought_along(early: Placed, late: Placed) -> bool:
    """Whether the calls that `late` loses are none that it is about: those of an earlier rule that names rare calls,
    which `perm` brings along beside the usual ones, or the opens that both read and write, of a rule for the other.
    """
    wide, narrow = early.line.value("perm"), late.line.value("perm")
    if narrow is None:
        return False
    if wide is None:
        return bool(early.canon.syscalls) and USUAL.isdisjoint(early.canon.syscalls or ())
    return not set(wide) & set(narrow)


def _losing(by: str, late: Sequence[Placed]) -> PackError:
    first = late[0]
    what = f"rule `{first.rule}` ({_carries(first.line)})"
    if len(late) == 1:
        message = f"{what} loses some of its system calls to the earlier {by}"
    else:
        names = ", ".join(f"`{one.rule}` ({one.place})" for one in late[1 : NAMED + 1])
        rest = len(late) - 1 - NAMED
        names += f" and {rest} more" if rest > 0 else ""
        message = f"{what} and {len(late) - 1} others lose some of their system calls to the earlier {by}: {names}"
    return PackError(first.place.file, first.place.line, message, "see that this is meant", "warning")


def _problem(late: Placed, early: Iterable[Placed], shadow: Shadow) -> PackError:
    what, by = f"rule `{late.rule}` ({_carries(late.line)})", _rules(early)
    if not shadow.other:
        message = f"{what} adds nothing: {by} matches all that it matches"
        return PackError(late.place.file, late.place.line, message, "take one of them out", "warning")
    message = f"{what} can never win: the earlier {by} takes every event that it matches"
    remedy = "load it first (a lower `order`), narrow the earlier one, or exclude one of the two"
    return PackError(late.place.file, late.place.line, message, remedy)


def _rules(placed: Iterable[Placed]) -> str:
    rules = {f"`{one.rule}` ({one.place}, {_carries(one.line)})" for one in placed}
    return "rule " + " and ".join(sorted(rules))


def _carries(line: Line) -> str:
    return f"key {','.join(line.keys)}" if line.keys else line.action
