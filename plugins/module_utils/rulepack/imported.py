# SPDX-License-Identifier: Apache-2.0
"""Good lines of an audit.rules → the files of a pack. Its rules are `sandbox`: nothing has proven them yet."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .defects import Finding, Kept
from .line import Line

_OWN = ("path", "dir", "perm")


@dataclass(frozen=True)
class Group:
    """Lines that are one rule: the same match for each ABI. `abis` maps an ABI (None: no arch) to its system calls."""

    kept: Kept
    abis: Mapping[str | None, tuple[str, ...]]


def grouped(kept: Sequence[Kept]) -> list[Group]:
    """Neighbours that differ in arch (and in the calls that go with it) alone become one rule; order is kept."""
    groups: list[Group] = []
    for one in kept:
        last = groups[-1] if groups else None
        arch = one.line.arch
        if last and arch and None not in last.abis and arch not in last.abis and _bare(last.kept) == _bare(one):
            groups[-1] = replace(last, abis={**last.abis, arch: one.line.syscalls})
        else:
            groups.append(Group(one, {arch: one.line.syscalls}))
    return groups


def _bare(kept: Kept) -> tuple[Line, bool]:
    """What lines of one rule have in common; calls for one ABI and all calls for the other have nothing."""
    return replace(kept.line, arch=None, syscalls=()), bool(kept.line.syscalls)


def expressible(kept: Sequence[Kept]) -> tuple[list[Kept], list[Finding]]:
    """A rule of a pack is a path, or it is system calls: lines with both are left out, and told."""
    good, findings = [], []
    for one in kept:
        both = bool(one.line.syscalls) and (one.line.value("path") or one.line.value("dir"))
        two = one.line.value("path") and one.line.value("dir")
        if both or two or (one.line.list not in ("exit", "io_uring") and not one.line.fields):
            what = "a path beside system calls" if both else "path and dir together" if two else "no filters"
            findings.append(Finding("unsupported", one.number, f"{what}: no rule of a pack can say that", "use perm"))
        else:
            good.append(one)
    return good, findings


def pack_files(name: str, source: str, licence: str, groups: Sequence[Group], directories: set[str]) -> dict[str, str]:
    """File name → text. `directories`: watched paths that are known to be directories."""
    head = f"# SPDX-License-Identifier: {licence}\n"
    about = {
        "name": name,
        "version": "0.1.0",
        "title": f"Rules of {source}",
        "description": f"Imported from {source}; no rule is proven yet.",
        "licence": licence,
        "maintainers": ["unknown"],
        "maturity": "sandbox",
        "order": 40,
    }
    taken: set[str] = set()
    rules = [_rule(name, source, group, directories, taken) for group in groups]
    body = "\n".join(_entry(rule) for rule in rules) + "\n" if rules else "[]\n"
    return {
        "pack.yml": head + "".join(f"{key}: {_value(value)}\n" for key, value in about.items()),
        "rules.yml": head + body,
        "cases.yml": head + "[]\n",
        "CHANGELOG.md": f"<!-- SPDX-License-Identifier: {licence} -->\n# Changelog\n\n## 0.1.0\n\nFrom {source}.\n",
    }


def _rule(name: str, source: str, group: Group, directories: set[str], taken: set[str]) -> dict[str, Any]:
    line = group.kept.line
    key = re.sub(r"[^!-~]|,", "-", line.keys[0]) if line.keys else name
    path, directory = line.value("path"), line.value("dir")
    if path and (group.kept.directory or path in directories):
        path, directory = None, path
    place = path or directory or ""
    rule: dict[str, Any] = {
        "id": _unused(f"{name}.{_slug(f'{key} {place.rpartition(chr(47))[2]}')}", taken),
        "title": group.kept.comment or (f"Use of {place}" if place else f"Line {group.kept.number} of {source}"),
        "why": f"Taken over from {source}:{group.kept.number}.",
    }
    if line.keys or (line.list == "exit" and line.action == "always"):
        rule["key"] = key
    if line.list != "exit":
        rule["list"] = line.list
    if line.action != "always":
        rule["action"] = line.action
    if place:
        rule["path" if path else "dir"] = place
        perm = line.value("perm")
        rule |= {"perm": perm, "missing": "skip"} if perm else {"missing": "skip"}
    elif line.list == "exit" or line.syscalls:
        rule["syscalls"] = _calls(group.abis)
    filters = [str(item) for item in line.fields if item.field not in _OWN]
    rule |= {"filters": filters} if filters else {}
    rule |= {"compare": [str(item) for item in line.compares]} if line.compares else {}
    if (
        line.list == "exit"
        and set(group.abis) != {"b64", "b32"}
        and not (set(group.abis) == {None} and line.value("perm"))
    ):
        rule["abis"] = [abi for abi in group.abis if abi]
    return {**rule, "maturity": "sandbox"}


def _calls(abis: Mapping[str | None, tuple[str, ...]]) -> list[Any]:
    names = list(dict.fromkeys(name for calls in abis.values() for name in calls))
    if not names:
        return ["all"]
    found: list[Any] = []
    for name in names:
        own = [abi for abi, calls in abis.items() if name in calls]
        found.append(name if len(own) == len(abis) else {"name": name, "abis": own})
    return found


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "rule"


def _unused(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found


def _entry(rule: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{'  ' if index else '- '}{key}: {_value(value)}" for index, (key, value) in enumerate(rule.items())
    )


def _value(value: Any) -> str:
    """JSON is YAML; plain words need no quotes."""
    if isinstance(value, str) and re.fullmatch(r"[a-z][a-z.-]*[a-z]", value) and value not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


_WORDS = ("true", "false", "yes", "no", "on", "off", "null")
