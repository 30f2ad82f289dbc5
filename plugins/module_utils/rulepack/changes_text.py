# SPDX-License-Identifier: Apache-2.0
"""Two auditctl texts → what changed, by match: such lines have no ids."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from .changes import Change
from .errors import PackError
from .fields import Filter
from .line import Line, parse_rules
from .normalise import Canon, normalise, out_of_order, spells_out
from .scope import covered, plain
from .styles import is_watch


def read_lines(path: Path) -> list[Line]:
    """The rules of a file or of a listing. PackError with the line that auditctl could not read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise PackError(
            str(path), 0, f"cannot be read: {failure}", "name a pack, an archive or auditctl text"
        ) from None
    return parse_text(text, str(path))


def parse_text(text: str, place: str) -> list[Line]:
    """The same for text that `place` names."""
    try:
        return parse_rules(text)
    except ValueError as failure:
        number, _, rest = str(failure).partition(": ")
        message, _, remedy = rest.partition(" — ")
        raise PackError(place, int(number.rpartition(" ")[2]), message, remedy or "mend the line") from None


def text_changes(old: Sequence[Line], new: Sequence[Line]) -> list[Change]:
    """Equal matches are paired. Of the rest, a line counts for what no lines of its key on the other side match.

    So a watch without an arch equals the pair of b64 and b32, and `-w` on what the other side calls a dir is that dir.
    """
    directories = {line.value("dir") for line in (*old, *new)}
    before = [(_match(line, directories), line) for line in old]
    after = [(_match(line, directories), line) for line in new]
    pairs, gone, come = _pairs(before, after)
    found = [
        Change("key_changed", str(new[b]), f"key {_keys(old[a])} → {_keys(new[b])}")
        for a, b in pairs
        if set(old[a].keys) != set(new[b].keys)
    ]
    was, now = [_whole(line, directories) for line in old], [_whole(line, directories) for line in new]
    for index in gone:
        if not covered(_alike(now, was[index]), was[index]):
            parts = [one for one in come if _covers(was[index], now[one])]
            reason = f"now {new[parts[0]]}" if parts else ""
            found.append(Change("narrowed" if parts else "removed", str(old[index]), reason))
    for index in come:
        if not covered(_alike(was, now[index]), now[index]):
            parts = [one for one in gone if _covers(now[index], was[one])]
            reason = f"was {old[parts[0]]}" if parts else ""
            found.append(Change("widened" if parts else "added", str(new[index]), reason))
    moved = out_of_order([(a, new[b]) for a, b in sorted(pairs, key=lambda pair: pair[1])])
    return [*found, *(Change("moved", str(line), "the first match wins") for line in moved)]


Numbers = list[int]


def _pairs(
    before: Sequence[tuple[Canon, Line]], after: Sequence[tuple[Canon, Line]]
) -> tuple[list[tuple[int, int]], Numbers, Numbers]:
    """Indices of equal matches, those with equal keys first, and what is left on either side."""
    pairs: list[tuple[int, int]] = []
    gone, come = list(range(len(before))), list(range(len(after)))
    for exact in (True, False):
        for index in list(come):
            canon, line = after[index]
            same = [
                one
                for one in gone
                if before[one][0] == canon and (not exact or set(before[one][1].keys) == set(line.keys))
            ]
            if same:
                pairs.append((same[0], index))
                gone.remove(same[0])
                come.remove(index)
    return pairs, gone, come


def _alike(lines: Sequence[Line], line: Line) -> list[Line]:
    return [one for one in lines if (one.list, one.action, set(one.keys)) == (line.list, line.action, set(line.keys))]


def _covers(wide: Line, narrow: Line) -> bool:
    return bool(_alike([wide], narrow)) and covered([wide], narrow)


def _whole(line: Line, directories: Collection[str | None]) -> Line:
    """The line as `plain` has it; only a load tells whether `-w` is on a file or on a directory."""
    if is_watch(line) and line.value("path") in directories:
        fields = (Filter("dir", "=", item.value) if item.field == "path" else item for item in line.fields)
        line = replace(line, fields=tuple(fields))
    perm = line.value("perm")
    if perm and line.arch and spells_out(perm, frozenset(line.syscalls)):
        line = replace(line, syscalls=())
    return plain(line)


def _match(line: Line, directories: Collection[str | None]) -> Canon:
    return normalise(_whole(line, directories))._replace(keys=())


def _keys(line: Line) -> str:
    return ",".join(line.keys) or "none"
