# SPDX-License-Identifier: Apache-2.0
"""Reads and checks a pack: pack.yml here, rules.yml in `schema_rules`, cases.yml in `schema_cases`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from . import schema_cases, schema_rules
from .errors import PackError, raise_if_any
from .model import Benchmark, Pack, Place, Requirement, Supports, Value, Variable
from .reader import Reader
from .source import Document, read
from .versions import SEMVER, check_range

NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
_TYPES = ("int", "bool", "string", "path", "enum")
HOST_VARIABLES = ("uid_min",)


def find_packs(paths: Iterable[Path]) -> list[Path]:
    """Pack folders: each path is one, or holds some. PackErrors when a path holds none."""
    found: list[Path] = []
    for path in paths:
        inside = [path] if (path / "pack.yml").is_file() else sorted(entry.parent for entry in path.glob("*/pack.yml"))
        if not inside:
            error = PackError(
                str(path), 0, "no pack is here", "name a folder with a pack.yml, or one that holds such folders"
            )
            raise_if_any([error])
        found += inside
    return list({path.resolve(): path for path in reversed(found)}.values())[::-1]


def load_packs(paths: Iterable[Path | str]) -> list[Pack]:
    """Read and check packs, of one maybe several versions. PackErrors with all that is wrong in them."""
    packs, problems = check_packs(find_packs(Path(path) for path in paths))
    raise_if_any(problems)
    return packs


def check_packs(folders: Iterable[Path]) -> tuple[list[Pack], list[PackError]]:
    """All packs as far as they can be read, and every error and warning, in order of file and line."""
    problems: list[PackError] = []
    packs = [pack for folder in folders for pack in [load_pack(folder, problems)] if pack is not None]
    seen: dict[tuple[str, str], Place] = {}
    for pack in packs:
        this = pack.name, pack.version
        if this in seen:
            message = f"pack `{pack.name}` {pack.version} is also at {seen[this]}"
            problems.append(PackError(pack.place.file, pack.place.line, message, "keep one of the two"))
        seen[this] = pack.place
    known = {rule.id for pack in packs for rule in pack.rules}
    for pack in packs:
        problems += schema_cases.check_coverage(pack, known)
    return packs, sorted(problems, key=lambda problem: (problem.file, problem.line))


def load_pack(folder: Path, errors: list[PackError]) -> Pack | None:
    """One pack folder; None when pack.yml cannot be read at all."""
    document = read(folder / "pack.yml", errors, _display(folder / "pack.yml"))
    if document is None:
        return None
    pack = _pack(document, folder.resolve().name, errors)
    rules_file = read(folder / "rules.yml", errors, _display(folder / "rules.yml"))
    rules = schema_rules.rules(rules_file, pack, errors) if rules_file else ()
    cases_file = read(folder / "cases.yml", errors, _display(folder / "cases.yml"))
    cases = schema_cases.cases(cases_file, pack, errors) if cases_file else ()
    return Pack(**{**vars(pack), "rules": rules, "cases": cases})


def _display(path: Path) -> str:
    """The path as a user in the current folder would type it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _pack(document: Document, folder: str, errors: list[PackError]) -> Pack:
    reader = Reader(document, (), errors, "pack.yml")
    name = reader.text("name", folder, required=True, pattern=NAME)
    if name != folder:
        reader.error("name", f"pack `{name}` lies in the folder `{folder}`", "give both the same name")
    supports = reader.map("supports")
    pack = Pack(
        name=name,
        place=Place(document.file, reader.line("name")),
        version=reader.text("version", "0.0.0", required=True, pattern=SEMVER),
        title=reader.text("title", required=True),
        description=reader.text("description", required=True),
        licence=reader.text("licence", required=True),
        maintainers=reader.texts("maintainers", required=True) or (),
        maturity=reader.text("maturity", "sandbox", required=True, choices=schema_rules.MATURITIES),
        order=reader.integer("order", 40, high=99, required=True),
        requires=tuple(_requirement(entry) for entry in reader.maps("requires")),
        conflicts=reader.texts("conflicts", pattern=NAME) or (),
        supports=_supports(supports) if supports else Supports(),
        variables=_variables(reader),
        benchmarks=tuple(_benchmark(entry) for entry in reader.maps("benchmarks")),
    )
    _check_benchmarks(reader, pack)
    reader.done()
    return pack


def _requirement(entry: Reader) -> Requirement:
    found = Requirement(entry.text("name", required=True, pattern=NAME), entry.text("version", check=check_range))
    entry.done()
    return found


def _supports(reader: Reader) -> Supports:
    distros = reader.map("distros")
    names = {name: distros.texts(name) or () for name in distros.data} if distros else {}
    found = Supports(names, schema_rules.condition(reader, abis=False))
    reader.done()
    return found


def _variables(reader: Reader) -> dict[str, Variable]:
    table = reader.map("variables")
    found: dict[str, Variable] = {}
    for name in table.data if table else ():
        entry = table.map(name) if table else None
        if entry is None or table is None:
            continue
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in HOST_VARIABLES:
            table.error(name, f"`{name}` cannot name a variable", "use a-z, 0-9 and _, and no name of a host fact")
        kind = entry.text("type", "string", required=True, choices=_TYPES)
        values = entry.texts("values", required=kind == "enum") or ()
        default = entry.any("default")
        if default is None:
            entry.error("", f"variable `{name}` has no `default`", "add `default: …`")
        variable = Variable(kind, "" if default is None else default, entry.text("description", required=True), values)
        wrong = value_error(variable, default) if default is not None else None
        if wrong:
            entry.error("default", f"the default of `{name}` {wrong}", f"give a value of type {kind}")
        entry.done()
        found[name] = variable
    return found


def value_error(variable: Variable, value: Value) -> str | None:
    """What keeps `value` from being a value of the variable, or None."""
    if variable.type == "bool":
        return None if isinstance(value, bool) else f"must be true or false, not {value!r}"
    if variable.type == "int":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole else f"must be a whole number, not {value!r}"
    if not isinstance(value, str):
        return f"must be text, not {value!r}"
    if variable.type == "path" and not value.startswith("/"):
        return f"must be an absolute path, not `{value}`"
    if variable.type == "enum" and value not in variable.values:
        return f"must be one of {', '.join(variable.values)}, not `{value}`"
    return None


def _benchmark(entry: Reader) -> Benchmark:
    found = Benchmark(
        id=entry.text("id", required=True, pattern=r"[a-z0-9][a-z0-9.-]*"),
        title=entry.text("title", required=True),
        version=entry.text("version", required=True, pattern=SEMVER),
        distros=entry.texts("distro", scalar=True) or (),
        distro_version=entry.text("distro_version"),
    )
    if entry.has("distro") != entry.has("distro_version"):
        entry.error(
            "", "`distro` and `distro_version` go together", "give both, or neither: then `auto` never takes it"
        )
    entry.done()
    return found


def _check_benchmarks(reader: Reader, pack: Pack) -> None:
    ids = [benchmark.id for benchmark in pack.benchmarks]
    for index, name in enumerate(ids):
        if name in ids[:index]:
            reader.error("benchmarks", f"benchmark `{name}` stands twice", "give each an id of its own", index)
    chooser = pack.variables.get("benchmark")
    if ids and chooser is None:
        reader.error("benchmarks", "no variable `benchmark` chooses among them", "add an enum of auto and the ids")
    elif chooser is not None and set(chooser.values) != {"auto", *ids}:
        reader.error(
            "variables", "`benchmark` does not offer just auto and the ids", f"values: {['auto', *ids]}", "benchmark"
        )
