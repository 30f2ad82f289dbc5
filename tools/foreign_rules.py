#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Map the rules of other public sets to ours: `tools/foreign_rules.py [--check]`.

docs/packs/foreign/*.yml hold every rule of a set, one entry each (two where a set repeats a line for each ABI), as
facts in a notation of our own: a `watch` (path and perm) or a `match` (ABI, calls, filters). An entry has `ours`, the
ids of the rules that report the same, or `reason` (one of REASONS) and `why`. What ours leave out of theirs stands in
`without` (letters of perm, or calls), and `part: true` says that ours watch a part of the directory only.

This script holds each entry against the packs and writes docs/packs/foreign.md. With --check it writes nothing and
fails when an entry does not hold or the page is not what it would write.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from plugins.module_utils.rulepack.model import Rule  # noqa: E402
from plugins.module_utils.rulepack.perms import reachable  # noqa: E402
from plugins.module_utils.rulepack.schema import load_packs  # noqa: E402

DATA = ROOT / "docs" / "packs" / "foreign"
PAGE = ROOT / "docs" / "packs" / "foreign.md"
REASONS = {
    "control": "a line that leaves events out or records away: each of our packs has its own, or none",
    "dead": "never fires where it stands",
    "malformed": "auditctl refuses it, or reads something else",
    "noise": "reports everyday work in masses and tells next to nothing",
    "other system": "of a distribution, desktop or system that the packs do not support",
    "product": "of one vendor's product; `auditpack import` makes a pack of such lines",
    "gone": "a file or program that current systems do not have",
}
MERGED = ("bin", "sbin", "lib", "lib64")
"""Directories of the root that are links into /usr on merged systems."""
LINKS = {
    "/usr/bin/kmod": "insmod rmmod modprobe lsmod depmod",
    "/usr/sbin/xtables-nft-multi": "iptables ip6tables arptables ebtables",
    "/usr/bin/sudo": "sudoedit",
    "/usr/bin/add-apt-repository": "apt-add-repository",
}
"""Program → names that are links to it: watches of the names never fire, ours see the file."""

Entry = Mapping[str, Any]


class Set(NamedTuple):
    """One file of docs/packs/foreign."""

    name: str
    about: Mapping[str, str]
    entries: Sequence[Entry]


def load(folder: Path = DATA) -> list[Set]:
    """Every set, by file name."""
    found = []
    for file in sorted(folder.glob("*.yml")):
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        found.append(Set(file.stem, {key: data[key] for key in data if key != "rules"}, data["rules"]))
    return found


def our_rules() -> dict[str, Rule]:
    """Id → rule of every pack."""
    return {rule.id: rule for pack in load_packs([ROOT / "rulepacks"]) for rule in pack.rules}


def text(entry: Entry) -> str:
    """The foreign rule in our notation."""
    return f"{entry['perm']} {entry['watch']}" if "watch" in entry else str(entry["match"])


def lines(entry: Entry) -> int:
    """How many lines of the set the entry stands for."""
    return int(entry.get("lines", 1))


def problems(entry: Entry, rules: Mapping[str, Rule]) -> list[str]:
    """What does not hold of an entry."""
    if "reason" in entry:
        wrong = [] if entry["reason"] in REASONS else [f"unknown reason {entry['reason']!r}"]
        return wrong + ([] if entry.get("why") and "ours" not in entry else ["a reason wants `why` and no `ours`"])
    ids = entry.get("ours") or []
    unknown = [name for name in ids if name not in rules]
    if unknown or not ids:
        return [f"no rule {name}" for name in unknown] or ["neither `ours` nor `reason`"]
    chosen = [rules[name] for name in ids]
    left, part, idle = watched(entry, chosen) if "watch" in entry else called(str(entry["match"]), chosen)
    said = entry.get("without", [] if "match" in entry else "")
    found = [f"{rule} does not report it" for rule in idle]
    if sorted(left) != sorted(said):
        found.append(f"without is {said!r}, should be {sorted(left)!r}")
    if part != bool(entry.get("part")):
        found.append(f"part should be {str(part).lower()}")
    return found


def _merged(path: str) -> str:
    path = path.rstrip("/")
    first, _, rest = path.lstrip("/").partition("/")
    if first in MERGED:
        return f"/usr/{first}/{rest}" if rest else f"/usr/{first}"
    return path.replace("/var/run/", "/run/", 1) if path.startswith("/var/run/") else path


def real(path: str) -> str:
    """The file that is watched: on a merged system, behind the links of LINKS, without a final slash."""
    path = _merged(path)
    folder, _, name = path.rpartition("/")
    targets = [target for target, names in LINKS.items() if name in names.split()]
    return targets[0] if targets and folder in ("/usr/bin", "/usr/sbin") else path


def watched(entry: Entry, ours: Iterable[Rule]) -> tuple[set[str], bool, list[str]]:
    """Letters of perm that no rule of ours has, whether ours watch a part only, and rules that have no share."""
    path, perm = real(str(entry["watch"])), set(str(entry["perm"]))
    have: set[str] = set()
    whole: set[str] = set()
    idle = []
    for rule in ours:
        share, all_of_it = _share(path, rule)
        share &= perm
        if not share:
            idle.append(rule.id)
        have |= share
        whole |= share if all_of_it else set()
    return perm - have, bool(have - whole), idle


def _share(path: str, rule: Rule) -> tuple[set[str], bool]:
    """The letters with which the rule watches the path, and whether it watches all that lies there."""
    if any(syscall.name in ("execve", "execveat") for syscall in rule.syscalls):
        return {"x"}, True
    letters = set(rule.perm or "rwxa")
    if rule.each:
        relative = rule.each.partition(":")[2]
        if rule.each == "setuid_files":
            return letters, True
        return (letters, False) if _in_a_home(path, relative) else (set(), False)
    watched_path = real(rule.path or rule.dir)
    if watched_path == path or (rule.dir and path.startswith(f"{watched_path}/")):
        return letters, True
    return (letters, False) if watched_path.startswith(f"{path}/") else (set(), False)


def _in_a_home(path: str, relative: str) -> bool:
    home = re.match(r"/root(?=/|$)|/home(/[^/]+)?(?=/|$)", path)
    if not home:
        return False
    rest = path[home.end() :].lstrip("/")
    return not rest or rest == relative or relative.startswith(f"{rest}/") or rest.startswith(f"{relative}/")


def called(match: str, ours: Iterable[Rule]) -> tuple[set[str], bool, list[str]]:
    """Calls of the match that no rule of ours has for its ABI, and rules that have none of them."""
    abi, names, *_ = match.split()
    wanted = set(names.split(","))
    have: set[str] = set()
    idle = []
    for rule in ours:
        calls = {call.name for call in rule.syscalls if abi == "any" or abi in (call.condition.abis or rule.abis)}
        if rule.perm:
            calls |= reachable(rule.perm)
        if abi != "any" and abi not in rule.abis:
            calls = set()
        share = wanted if "all" in calls or (not rule.syscalls and not rule.perm) else wanted & calls
        if not share:
            idle.append(rule.id)
        have |= share
    return wanted - have, False, idle


def check(sets: Iterable[Set], rules: Mapping[str, Rule]) -> list[str]:
    """Every problem of every set."""
    return [
        f"{one.name}: {text(entry)}: {problem}"
        for one in sets
        for entry in one.entries
        for problem in problems(entry, rules)
    ]


def page(sets: Sequence[Set]) -> str:
    """The text of docs/packs/foreign.md."""
    out = [
        "<!-- SPDX-License-Identifier: Apache-2.0 -->",
        "<!-- Written by tools/foreign_rules.py from docs/packs/foreign/*.yml; do not edit. -->",
        "# The rules of other public sets, and ours",
        "",
        "Every rule of three public sets, and the rule of ours that reports the same, or why there is none. The",
        "notation is ours: a watch is `perm path`; a match is ABI, calls, filters. `tools/foreign_rules.py` holds each",
        "row against the packs (paths, letters of `perm`, system calls, ABIs), and fails when one does not hold.",
        "",
        f"| set | rules | ours | {' | '.join(REASONS)} |",
        f"|---|---:|---:|{'---:|' * len(REASONS)}",
    ]
    for one in sets:
        counts: Counter[str] = Counter()
        for entry in one.entries:
            counts[entry.get("reason", "ours")] += lines(entry)
        cells = " | ".join(str(counts[name]) for name in ("ours", *REASONS))
        out.append(f"| [{one.about['title']}](#{one.name}) | {sum(counts.values())} | {cells} |")
    out += ["", *[f"- *{name}*: {meaning}." for name, meaning in REASONS.items()], ""]
    out += [
        "*without* names what ours leave out on purpose (who reads a configuration is no news); *in part* means that",
        "ours watch some of the directory. Where ours ask for a login uid, `exec.services` reports what services run.",
    ]
    for one in sets:
        out += ["", f"## {one.name}", "", f"{one.about['title']}, {one.about['source']}, {one.about['version']}."]
        out += [str(one.about["note"]), ""] if "note" in one.about else [""]
        out += ["| their rules | ours |", "|---|---|"]
        out += [f"| {theirs} | {answer} |" for answer, theirs in _rows(one.entries)]
    return "\n".join(out) + "\n"


def _rows(entries: Iterable[Entry]) -> Iterable[tuple[str, str]]:
    """Entries of the same answer share a row, at the place of the first."""
    rows: dict[str, Counter[str]] = {}
    for entry in entries:
        rows.setdefault(_answer(entry), Counter())[text(entry)] += lines(entry)
    for answer, theirs in rows.items():
        yield answer, ", ".join(f"`{rule}`" + (f" ×{count}" if count > 1 else "") for rule, count in theirs.items())


def _answer(entry: Entry) -> str:
    if "reason" in entry:
        return f"*{entry['reason']}*: {entry['why']}"
    answer = ", ".join(f"`{name}`" for name in entry["ours"])
    left = entry.get("without")
    if left:
        answer += f" without {', '.join(left)}"
    return f"{answer}, in part" if entry.get("part") else answer


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 all rows hold (and the page is theirs), 1 not, 2 bad usage."""
    if [name for name in arguments if name != "--check"]:
        print(__doc__, file=sys.stderr)
        return 2
    sets = load()
    wrong = check(sets, our_rules())
    if not wrong and "--check" in arguments:
        fresh = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page(sets)
        wrong = [] if fresh else [f"{PAGE.relative_to(ROOT)} is not what this script writes: run it"]
    elif not wrong:
        PAGE.write_text(page(sets), encoding="utf-8")
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
