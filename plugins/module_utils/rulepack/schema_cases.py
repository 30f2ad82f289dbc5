# SPDX-License-Identifier: Apache-2.0
"""Reads and checks cases.yml, and that every rule above sandbox has a case that can prove it."""

from __future__ import annotations

import errno
import re
from collections.abc import Set as AbstractSet
from typing import Any

from .errors import PackError
from .messages import MESSAGE_TYPES
from .model import Case, Pack, Place
from .reader import Reader
from .source import Document
from .versions import check_range

USERS = ("alice", "bob", "root")
NAMETYPES = ("NORMAL", "PARENT", "CREATE", "DELETE", "UNKNOWN")
_TEXT_OR_LIST = ("syscall", "type")
_TEXT = ("key", "exe", "comm", "path")
_IDS = ("auid", "uid", "euid", "ouid")
_ARGUMENTS = ("a0", "a1", "a2", "a3")


def cases(document: Document, pack: Pack, errors: list[PackError]) -> tuple[Case, ...]:
    """All cases of a pack, in file order."""
    if not isinstance(document.data, list):
        errors.append(PackError(document.file, 1, "cases.yml must be a list", "begin each case with `- id: …`"))
        return ()
    found = [_case(Reader(document, (index,), errors, "a case"), pack) for index in range(len(document.data))]
    first: dict[str, Place] = {}
    for case in found:
        if case.id in first:
            message = f"case `{case.id}` stands twice, first at line {first[case.id].line}"
            errors.append(PackError(document.file, case.place.line, message, "give each case an id of its own"))
        first.setdefault(case.id, case.place)
    return tuple(found)


def check_coverage(pack: Pack, known: AbstractSet[str]) -> list[PackError]:
    """Cases name rules that exist (`known`: ids of all packs); a rule without a case that can prove it is sandbox."""
    errors = []
    for case in pack.cases:
        for rule_id in case.rules:
            if rule_id not in known:
                message = f"case `{case.id}` names the unknown rule `{rule_id}`"
                errors.append(PackError(case.place.file, case.place.line, message, "name a rule of rules.yml"))
    proven = {rule_id for case in pack.cases if _can_prove(case) for rule_id in case.rules}
    guarded = {rule_id for case in pack.cases if case.never for rule_id in case.rules}
    for rule in pack.rules:
        silent = rule.action == "never" or rule.list == "exclude"
        if rule.maturity != "sandbox" and rule.id not in proven and not (silent and rule.id in guarded):
            message = f"rule `{rule.id}` is {rule.maturity} but no case can prove it"
            remedy = "add a case to cases.yml, or say `maturity: sandbox`"
            errors.append(PackError(rule.place.file, rule.place.line, message, remedy))
    return errors


def _can_prove(case: Case) -> bool:
    """A case that is expected to fail everywhere proves nothing, nor does one that expects no event and no output."""
    always_fails = case.xfail is not None and not case.xfail.get("when")
    return bool(case.expect or case.stdout) and not always_fails


def _case(reader: Reader, pack: Pack) -> Case:
    case_id = reader.text("id", required=True)
    if case_id:
        reader.name = f"case `{case_id}`"
    when, xfail = reader.map("when"), reader.map("xfail")
    case = Case(
        id=case_id,
        place=Place(reader.document.file, reader.line()),
        title=reader.text("title", required=True),
        rules=reader.texts("rules", required=True) or (),
        trigger=reader.text("trigger", required=True),
        as_user=reader.text("as", "alice", choices=USERS, required=True),
        catalogue=reader.integers("catalogue") or (),
        prereq=reader.text("prereq"),
        cleanup=reader.text("cleanup"),
        rc=_rc(reader),
        each=reader.text("each", choices=("setuid_files",)),
        expect=tuple(_matcher(entry) for entry in reader.maps("expect")),
        never=tuple(_matcher(entry) for entry in reader.maps("never")),
        stdout=reader.text("stdout", check=_regex_error),
        settle=reader.integer("settle", 0, high=60),
        timeout=reader.integer("timeout", 30, low=1, high=600),
        when=_when(when, pack) if when else {},
        xfail=_xfail(xfail, pack) if xfail else None,
    )
    own = {rule.id for rule in pack.rules} | set(case.rules)
    owner, _, slug = case.id.rpartition(".")
    if case.id and (owner not in own | {pack.name} or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)):
        reader.error("id", f"`{case.id}` is no case id", f"write <rule id>.<slug> or {pack.name}.<slug>")
    if reader.has("rules") and not case.rules:
        reader.error("rules", f"{reader.name} names no rule", "name the rules that it proves or guards")
    if not (case.expect or case.never or case.stdout):
        reader.error("", f"{reader.name} cannot fail", "give it `expect`, `never` or `stdout`")
    reader.done()
    return case


def _rc(reader: Reader) -> Any:
    value = reader.any("rc")
    if value is None:
        return 0
    numbers = value if isinstance(value, list) else [value]
    if value != "any" and any(isinstance(item, bool) or not isinstance(item, int) for item in numbers):
        reader.error("rc", f"`rc: {value}` is no exit status", "write a number, a list of numbers, or any")
    return value


def _regex_error(text: str) -> str | None:
    try:
        re.compile(text)
    except re.error as failure:
        return f"`{text}` is no regular expression: {failure} — see Python's re"
    return None


def _matcher(reader: Reader) -> dict[str, Any]:
    """One entry of expect or never, as plain data, each value checked."""
    for key in _TEXT_OR_LIST:
        reader.texts(key, scalar=True, check=_type_error if key == "type" else None)
    for key in _TEXT:
        reader.text(key)
    path = reader.data.get("path")
    wrong = _regex_error(path[3:]) if isinstance(path, str) and path.startswith("re:") else None
    if wrong:
        reader.error("path", *wrong.split(" — ", 1))
    reader.boolean("success")
    reader.text("nametype", choices=NAMETYPES)
    reader.text("arch", choices=("b64", "b32"))
    for key in _IDS:
        value = reader.any(key)
        if isinstance(value, bool) or not isinstance(value, (str, int, type(None))):
            reader.error(key, f"`{key}` must be a login name, a number or unset", f"write `{key}: alice`")
    for key in _ARGUMENTS:
        value = reader.any(key)
        hexadecimal = isinstance(value, str) and re.fullmatch(r"0x[0-9a-f]+", value)
        if value is not None and (isinstance(value, bool) or not (isinstance(value, int) or hexadecimal)):
            reader.error(key, f"`{key}: {value}` is no argument", 'write a number or "0x…"')
    _check_exit(reader)
    _check_bounds(reader)
    saddr, fields = reader.map("saddr"), reader.map("field")
    if saddr:
        for key in ("family", "addr", "port", "path"):
            saddr.any(key)
        saddr.done()
    if fields and not fields.data:
        fields.error("", "`field` names nothing", "write `field: {name: value}`")
    reader.done()
    return reader.data


def _type_error(name: str) -> str | None:
    return None if name in MESSAGE_TYPES else f"unknown record type `{name}` — `ausearch -m` with no type lists them"


def _check_exit(reader: Reader) -> None:
    value = reader.any("exit")
    for item in value if isinstance(value, list) else [value]:
        named = isinstance(item, str) and re.fullmatch(r"-E[A-Z0-9]+", item) and hasattr(errno, item[1:])
        number = isinstance(item, int) and not isinstance(item, bool)
        if item is not None and not (named or number):
            reader.error("exit", f"`exit: {item}` is no result", "write a number or an errno such as -EACCES")


def _check_bounds(reader: Reader) -> None:
    low = reader.integer("min", 1)
    high = reader.integer("max", 2**32 - 1)
    if low > high:
        reader.error("min", f"`min: {low}` is above `max: {high}`", "swap them")


def _when(reader: Reader, pack: Pack) -> dict[str, Any]:
    reader.texts("distro", scalar=True)
    reader.texts("distro_version")
    reader.texts("machine", choices=("x86_64", "aarch64"))
    reader.text("audit", check=check_range)
    reader.text("kernel", check=check_range)
    reader.texts("benchmark", choices=[benchmark.id for benchmark in pack.benchmarks] or ["none declared"])
    reader.integers("enabled")
    reader.texts("has", pattern="/.*")
    reader.texts("without")
    reader.done()
    return reader.data


def _xfail(reader: Reader, pack: Pack) -> dict[str, Any]:
    reader.text("reason", required=True)
    when = reader.map("when")
    if when:
        _when(when, pack)
    reader.done()
    return reader.data
