# SPDX-License-Identifier: Apache-2.0
"""Reads and checks rules.yml."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from .errors import PackError
from .fields import ABIS, ACTIONS, FIELDS, LISTS, PERMS, Filter, canonical, parse_compare, parse_filter
from .line import CONTROLS, KEY_BYTES, Line
from .model import Condition, ControlRule, Create, Pack, Place, Reference, Rule, Syscall, Value
from .reader import Reader
from .shadow import contradiction
from .source import Document
from .variables import names_in, substitute
from .versions import check_range

MATURITIES = ("stable", "incubating", "sandbox", "deprecated")
MACHINES = ("x86_64", "aarch64")
SEVERITIES = ("info", "low", "medium", "high", "critical")
MATCHES = ("syscalls", "path", "dir", "each", "control")
FACT_LISTS = r"setuid_files|homes_elsewhere|integrity_dirs|integrity_files|home(-dir)?:[^/\s]\S*"
"""List facts: the last two are a path in the home of each account that can log in."""
KEY_ADVICE = 31
"""auditctl(8) promises this much; tools that parse listings may cut longer keys."""
_OWN_KEYS = {"arch": "abis", "key": "key", "path": "path", "dir": "dir", "perm": "perm"}
_SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"


def rules(document: Document, pack: Pack, errors: list[PackError]) -> tuple[Rule, ...]:
    """All rules of a pack, in file order."""
    if not isinstance(document.data, list):
        errors.append(PackError(document.file, 1, "rules.yml must be a list", "begin each rule with `- id: …`"))
        return ()
    found = [_rule(Reader(document, (index,), errors, "a rule"), pack) for index in range(len(document.data))]
    first: dict[str, Place] = {}
    for rule in found:
        if rule.id in first:
            message = f"rule `{rule.id}` stands twice, first at line {first[rule.id].line}"
            errors.append(PackError(document.file, rule.place.line, message, "give each rule an id of its own"))
        first.setdefault(rule.id, rule.place)
    return tuple(found)


def condition(reader: Reader, *, abis: bool = True) -> Condition:
    """`abis`, `machines`, `audit` and `kernel` of a rule, a syscall or a pack."""
    return Condition(
        abis=(reader.texts("abis", choices=ABIS) or ()) if abis else (),
        machines=reader.texts("machines", choices=MACHINES) or (),
        audit=reader.text("audit", check=check_range),
        kernel=reader.text("kernel", check=check_range),
    )


def _rule(reader: Reader, pack: Pack) -> Rule:
    rule_id = reader.text("id", required=True, pattern=rf"{re.escape(pack.name)}\.{_SLUG}")
    if rule_id:
        reader.name = f"rule `{rule_id}`"
    filter_list = reader.text("list", "exit", choices=LISTS)
    create = reader.map("create")
    control = reader.map("control")
    abis = reader.texts("abis", choices=ABIS)
    rule = Rule(
        id=rule_id,
        place=Place(reader.document.file, reader.line()),
        title=reader.text("title", required=True),
        why=reader.text("why", required=True),
        key=reader.text("key"),
        list=filter_list,
        action=reader.text("action", "always", choices=ACTIONS),
        abis=(abis if abis is not None else ABIS) if filter_list == "exit" else (),
        syscalls=_syscalls(reader),
        path=reader.text("path"),
        dir=reader.text("dir"),
        each=reader.text("each", pattern=FACT_LISTS),
        perm=_perm(reader),
        control=_control(control, pack) if control else None,
        filters=reader.texts("filters") or (),
        compares=reader.texts("compare", check=_compare_error) or (),
        missing=reader.text("missing", "fail", choices=("fail", "skip", "create", "watch")),
        symlink=reader.text("symlink", "follow", choices=("follow", "keep")),
        when=reader.text("when", pattern=r"\$[a-z][a-z0-9_]*"),
        create=_create(create) if create else None,
        condition=condition(reader, abis=False),
        severity=reader.text("severity", "medium", choices=SEVERITIES),
        maturity=reader.text("maturity", "stable", choices=MATURITIES),
        attack=reader.texts("attack", pattern=r"T\d{4}(\.\d{3})?") or (),
        references=tuple(_reference(entry, pack) for entry in reader.maps("references")),
        false_positives=reader.text("false_positives"),
        known_gaps=reader.text("known_gaps"),
        noise=reader.text("noise", check=_noise_error),
    )
    exit_value = reader.text("exit")
    if exit_value:
        rule = Rule(**{**vars(rule), "filters": (*rule.filters, f"exit={exit_value}")})
    _check_match(reader, rule)
    _check_filters(reader, rule, pack)
    _check_key(reader, rule)
    _check_variables(reader, rule, pack)
    variants = reader.map("variants")
    if variants:
        rule = replace(rule, variants=_variants(variants, rule, pack))
    reader.done()
    return rule


def _variants(reader: Reader, rule: Rule, pack: Pack) -> dict[str, Rule]:
    """Benchmark id → the rule as it is there: what the map gives takes the place of the rule's own."""
    found = {}
    for name in reader.data:
        entry = reader.map(name)
        if entry is None:
            continue
        if name not in {reference.benchmark for reference in rule.references}:
            reader.error(name, f"rule `{rule.id}` has no reference to `{name}`", "add one, or take the variant out")
        entry.name = f"variant `{name}` of rule `{rule.id}`"
        found[name] = _variant(entry, rule, pack)
    return found


_VARIANT_KEYS = ("key", "syscalls", "path", "dir", "perm", "filters", "compare", "abis", "missing")


def _variant(reader: Reader, rule: Rule, pack: Pack) -> Rule:
    given: dict[str, Any] = {"place": Place(reader.document.file, reader.line())}
    for name in _VARIANT_KEYS:
        reader.any(name)
    for name, read in (("key", reader.text), ("missing", reader.text), ("abis", reader.texts)):
        if reader.has(name):
            given[name] = read(name)
    if reader.has("perm"):
        given["perm"] = _perm(reader)
    if reader.has("syscalls"):
        given["syscalls"] = _syscalls(reader)
    if reader.has("filters"):
        given["filters"] = reader.texts("filters") or ()
    if reader.has("compare"):
        given["compares"] = reader.texts("compare", check=_compare_error) or ()
    if reader.has("path") or reader.has("dir"):
        given |= {"path": reader.text("path"), "dir": reader.text("dir")}
    found = replace(rule, **given)
    kinds = [name for name in MATCHES if getattr(found, name)]
    if len(kinds) != 1 or rule.control:
        reader.error("", f"{reader.name} has {' and '.join(kinds)}", "it must match by the same means as its rule")
    _check_filters(reader, found, pack)
    _check_key(reader, found)
    _check_variables(reader, found, pack)
    reader.done()
    return found


def _syscalls(reader: Reader) -> tuple[Syscall, ...]:
    value = reader.any("syscalls")
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        reader.error("syscalls", "`syscalls` must be a list of names", "write `syscalls: [chmod, fchmod]`")
        return ()
    found: list[Syscall] = []
    for index, item in enumerate(value):
        if isinstance(item, dict):
            entry = Reader(reader.document, (*reader.path, "syscalls", index), reader.errors, "an entry of `syscalls`")
            name = entry.text("name", required=True, pattern=r"[a-z_0-9]+")
            found.append(Syscall(name, condition(entry)))
            if found[-1].condition == Condition():
                entry.error(
                    "", f"`{name}` has no condition", "write the bare name, or add abis, machines, audit or kernel"
                )
            entry.done()
        elif isinstance(item, str) and re.fullmatch(r"[a-z_0-9]+", item):
            found.append(Syscall(item))
        else:
            reader.error(
                "syscalls", f"`{item}` is no syscall name", "use the name that `ausyscall --dump` prints", index
            )
    names = [syscall.name for syscall in found]
    for index, name in enumerate(names):
        earlier = [found[other] for other in range(index) if names[other] == name]
        if any(other.condition == found[index].condition for other in earlier):
            reader.error("syscalls", f"syscall `{name}` stands twice", "keep one of the two", index)
    if "all" in names and len(names) > 1:
        reader.error("syscalls", "`all` beside other syscalls", "write `syscalls: [all]` alone")
    if "open" in names and "openat" not in names:
        message = "`open` without `openat`: the C library opens files by openat, so the rule stays silent"
        reader.error("syscalls", message, "add openat", level="warning")
    return tuple(found)


def _perm(reader: Reader) -> str:
    value = reader.text("perm")
    if value and (set(value) - set(PERMS) or len(set(value)) != len(value)):
        reader.error("perm", f"`perm: {value}` is malformed", "use letters of r, w, x, a, each once")
        return ""
    return value


def _control(reader: Reader, pack: Pack) -> ControlRule:
    option = reader.text("option", required=True, choices=[name for name in CONTROLS if name != "-i"])
    value = reader.text("value")
    if option and CONTROLS.get(option) != bool(value):
        needs = "needs a value" if CONTROLS.get(option) else "takes no value"
        reader.error("option", f"`{option}` {needs}", "see auditctl(8)")
    if pack.name != "base":
        reader.error("", "a control line outside pack `base`", "control lines live in pack base alone")
    reader.done()
    return ControlRule(option, value)


def _create(reader: Reader) -> Create:
    found = Create(
        kind=reader.text("kind", "dir", required=True, choices=("dir", "file")),
        mode=reader.text("mode", "0755", required=True, pattern=r"0[0-7]{3}"),
        owner=reader.text("owner", "root"),
        group=reader.text("group", "root"),
    )
    reader.done()
    return found


def _reference(reader: Reader, pack: Pack) -> Reference:
    found = Reference(
        benchmark=reader.text("benchmark", required=True),
        version=reader.text("version", required=True),
        section=reader.text("section", required=True, pattern=r"[A-Za-z0-9]+([.-][A-Za-z0-9]+)*"),
    )
    declared = {benchmark.id: benchmark.version for benchmark in pack.benchmarks}
    if declared and found.benchmark not in declared:
        reader.error(
            "benchmark", f"benchmark `{found.benchmark}` is not declared", "add it to `benchmarks` of pack.yml"
        )
    elif declared and found.version and declared[found.benchmark] != found.version:
        message = f"pack.yml declares {found.benchmark} {declared[found.benchmark]}, not {found.version}"
        reader.error("version", message, "make the two agree")
    reader.done()
    return found


def _compare_error(text: str) -> str | None:
    try:
        parse_compare(text)
    except ValueError as failure:
        return str(failure)
    return None


def _noise_error(text: str) -> str | None:
    if re.match(r"(low|medium|high)\b", text, re.IGNORECASE):
        return None
    return f"`noise: {text}` is malformed — begin with low, medium or high"


def _check_match(reader: Reader, rule: Rule) -> None:
    given = [name for name in MATCHES if reader.has(name)]
    if rule.list == "exit" and len(given) != 1:
        what = "no match" if not given else f"{' and '.join(given)} together"
        reader.error("", f"{reader.name} has {what}", f"give exactly one of {', '.join(MATCHES)}")
    if rule.list != "exit" and [name for name in given if (rule.list, name) != ("io_uring", "syscalls")]:
        reader.error(given[0], f"`{given[0]}` in list {rule.list}", "that list takes filters only")
    if rule.list != "exit" and reader.has("abis"):
        reader.error("abis", f"`abis` in list {rule.list}", "that list knows no arch; take it out")
    if rule.list != "exit" and not rule.filters:
        reader.error(
            "", f"{reader.name} has no filters", f"a rule of list {rule.list} needs them, or it takes everything"
        )
    if rule.perm and not (rule.path or rule.dir or rule.each):
        reader.error("perm", "`perm` without a path", "perm goes with path, dir or each")
    if (rule.missing == "create") != (rule.create is not None):
        reader.error("missing", "`missing: create` and `create` go together", "give both or neither")
    if reader.has("missing") and not (rule.path or rule.dir):
        reader.error("missing", "`missing` without a path", "missing goes with path or dir")
    if rule.missing == "watch" and not rule.path:
        reader.error("missing", "`missing: watch` without `path`", "a directory must exist when its rule is loaded")
    if reader.has("symlink") and not rule.path:
        reader.error("symlink", "`symlink` without `path`", "symlink goes with path")
    for name, value in (("path", rule.path), ("dir", rule.dir)):
        if value and not re.match(r"[/$]", value):
            reader.error(name, f"`{value}` is not absolute", "begin the path with / or a variable of type path")
        if re.search(r"\s", value):
            reader.error(name, f"`{value}` has white space", "auditctl cannot read such a path")


def _check_filters(reader: Reader, rule: Rule, pack: Pack) -> None:
    sample: dict[str, Value] = {name: variable.default or "sample" for name, variable in pack.variables.items()}
    sample["uid_min"] = 1000
    found: list[Filter] = []
    if sum(text.startswith("exe") for text in rule.filters) > 1:
        reader.error("filters", "two filters of `exe`", "the kernel takes one a rule")
    for index, text in enumerate(rule.filters):
        where = ("filters", index) if index < len(reader.data.get("filters") or ()) else ("exit",)
        try:
            item = parse_filter(substitute(text, sample))
            if item.field in _OWN_KEYS:
                raise ValueError(f"`{item.field}` among the filters — use the rule's own `{_OWN_KEYS[item.field]}`")
            if rule.list not in FIELDS[item.field].lists:
                raise ValueError(
                    f"`{item.field}` in list {rule.list} — the kernel takes it in {', '.join(FIELDS[item.field].lists)}"
                )
            if item.field == "exit" and re.match("E", item.value):
                raise ValueError(f"`{item}` never matches, it means +{item.value} — write exit=-{item.value}")
            found.append(canonical(item, _ANY_NAME, _ANY_NAME))
        except KeyError:
            continue  # an unknown variable: _check_variables tells
        except ValueError as failure:
            message, _, remedy = str(failure).partition(" — ")
            reader.error(str(where[0]), message, remedy, *where[1:])
    _check_possible(reader, rule, found)


def _check_possible(reader: Reader, rule: Rule, filters: list[Filter]) -> None:
    """Filters that contradict each other; a user's number is the host's to tell, so a name contradicts nothing here."""
    known = tuple(item for item in filters if item.value != _SOME_ID)
    compares = tuple(parse_compare(text) for text in rule.compares)
    reason = contradiction(Line(list=rule.list, fields=known, compares=compares))
    if reason:
        reader.error("filters", f"{reader.name} can never match: {reason}", "mend its filters")


class _AnyName(dict[str, int]):
    """Stands for the users of a host that lint does not know: every name has a number."""

    def __missing__(self, name: str) -> int:
        return int(_SOME_ID)

    def __contains__(self, name: object) -> bool:
        return True


_ANY_NAME = _AnyName()
_SOME_ID = "4294967294"


def _check_key(reader: Reader, rule: Rule) -> None:
    if not rule.key:
        if rule.list == "exit" and rule.action == "always" and rule.control is None:
            reader.error("", f"{reader.name} has no `key`", "add `key: …`, its events carry it")
        return
    if not re.fullmatch(r"[!-~]+", rule.key) or "," in rule.key:
        reader.error("key", f"`key: {rule.key}` is malformed", "use printable ASCII without spaces and commas")
    if len(rule.key.encode()) > KEY_BYTES - 1:
        reader.error("key", f"the key has {len(rule.key.encode())} bytes", f"the kernel takes up to {KEY_BYTES - 1}")
    elif len(rule.key.encode()) > KEY_ADVICE:
        message = f"the key has {len(rule.key.encode())} bytes, auditctl(8) promises {KEY_ADVICE}"
        reader.error("key", message, "shorten it", level="warning")


def _check_variables(reader: Reader, rule: Rule, pack: Pack) -> None:
    control = rule.control or ControlRule("")
    texts = {
        "path": (rule.path,),
        "dir": (rule.dir,),
        "filters": rule.filters,
        "control": (control.value,),
        "when": (rule.when,),
    }
    for key, values in texts.items():
        for name in names_in(*values):
            if name not in pack.variables and name != "uid_min":
                known = ", ".join(f"${known}" for known in [*pack.variables, "uid_min"])
                reader.error(key, f"unknown variable `${name}`", f"declare it in pack.yml; known are {known}")
            elif key in ("path", "dir", "when") and name not in pack.variables:
                reader.error(key, f"`${name}` in `{key}`", "only variables of the pack work there")
