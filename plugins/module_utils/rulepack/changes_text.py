# SPDX-License-Identifier: Apache-2.0
"""Two auditctl texts → what changed, by match: such lines have no ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .changes import Change
from .errors import PackError
from .line import Line, parse_rules
from .normalise import Canon, normalise, out_of_order
from .scope import covered, plain


def read_lines(path: Path) -> list[Line]:
    """The rules of a file or of a listing. PackError with the line that auditctl could not read."""
    try:
        return parse_rules(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as failure:
        raise PackError(
            str(path), 0, f"cannot be read: {failure}", "name a pack, an archive or auditctl text"
        ) from None
    except ValueError as failure:
        place, _, rest = str(failure).partition(": ")
        message, _, remedy = rest.partition(" — ")
        raise PackError(str(path), int(place.rpartition(" ")[2]), message, remedy or "mend the line") from None


def text_changes(old: Sequence[Line], new: Sequence[Line]) -> list[Change]:
    """Equal matches are paired first, then those of which one covers the other and that have the same key."""
    before, after = [(_match(line), line) for line in old], [(_match(line), line) for line in new]
    pairs: list[tuple[int, int]] = []
    gone, come = list(range(len(old))), list(range(len(new)))
    for exact in (True, False):  # with equal keys first
        for index in list(come):
            canon, line = after[index]
            same = [one for one in gone if before[one][0] == canon and (not exact or before[one][1].keys == line.keys)]
            if same:
                pairs.append((same[0], index))
                gone.remove(same[0])
                come.remove(index)
    found = [
        Change("key_changed", str(new[b]), f"key {_keys(old[a])} → {_keys(new[b])}")
        for a, b in pairs
        if old[a].keys != new[b].keys
    ]
    for index in list(come):
        line = new[index]
        for one in gone:
            former = old[one]
            if (former.list, former.action, former.keys) != (line.list, line.action, line.keys):
                continue
            wider, narrower = covered([plain(line)], plain(former)), covered([plain(former)], plain(line))
            if wider or narrower:
                found.append(Change("widened" if wider else "narrowed", str(line), f"was {former}"))
                gone.remove(one)
                come.remove(index)
                pairs.append((one, index))
                break
    found += [Change("removed", str(old[index]), "") for index in gone]
    found += [Change("added", str(new[index]), "") for index in come]
    ordered = sorted(pairs, key=lambda pair: pair[1])
    moved = out_of_order([(a, new[b]) for a, b in ordered])
    return found + [Change("moved", str(line), "the first match wins") for line in moved]


def _match(line: Line) -> Canon:
    return normalise(plain(line))._replace(keys=())


def _keys(line: Line) -> str:
    return ",".join(line.keys) or "none"
