# SPDX-License-Identifier: Apache-2.0
"""Every benchmark in every style: the lines it prints are there, and all styles ask the kernel for the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from auditpack import kept
from auditpack.benchmarks import SECTIONS
from auditpack.compose import compose
from auditpack.fields import Filter, canonical
from auditpack.line import Line, parse_rules
from auditpack.model import Pack
from auditpack.normalise import compare
from auditpack.perms import AUDIT_4, reachable
from auditpack.render import Rendered, render
from auditpack.schema import find_packs, load_packs
from auditpack.styles import STYLES
from auditpack.versions import satisfies

HERE = Path(__file__).parent
BENCHMARKS = tuple(SECTIONS)
HOST = {name: "rhel8" if name == "dil" else name for name in BENCHMARKS}
"""Benchmark → the host it is rendered for. Distribution Independent Linux is no host's own; it is older than most."""

# Benchmark → lines of ours beyond its text: a directory around the files it names, and what a link leads to.
MORE = {
    "debian13": r"path=/etc/networks |dir=/etc/network/ ",
    "dil": r"/usr/bin/kmod ",
}


@cache
def packs() -> tuple[Pack, ...]:
    root = Path(__file__).parents[3] / "rulepacks"
    return tuple(load_packs([path for path in find_packs([root]) if path.name in ("base", "cis")]))


@cache
def rendered(benchmark: str, style: str) -> Rendered:
    base = {"name": "base", "variables": {"immutable": True}}
    cis = {"name": "cis", "variables": {"benchmark": benchmark}}
    return render(compose(packs(), [base, cis]), kept.load(HOST[benchmark]), style)


def texts(benchmark: str, style: str) -> list[str]:
    return [line.text for line in rendered(benchmark, style).lines]


def printed(benchmark: str) -> dict[str, list[str]]:
    """Section → the benchmark's own lines."""
    found: dict[str, list[str]] = {}
    for text in (HERE / "benchmarks" / f"{benchmark}.rules").read_text().splitlines():
        if re.match(r"# \d", text):
            found[text[2:]] = []
        elif text and not text.startswith("#"):
            found[list(found)[-1]].append(text)
    return found


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_style_cis_prints_what_the_benchmark_prints(benchmark: str) -> None:
    ours = texts(benchmark, "cis")
    lacking = {section: [text for text in own if text not in ours] for section, own in printed(benchmark).items()}
    assert {section: own for section, own in lacking.items() if own} == {}


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_style_cis_prints_nothing_else(benchmark: str) -> None:
    wanted = {text for own in printed(benchmark).values() for text in own}
    more = re.compile(MORE.get(benchmark, "$^"))
    controls = ("-D", "-b", "-f", "-c", "--")
    beyond = [
        text
        for text in texts(benchmark, "cis")
        if text not in wanted
        and not text.startswith(controls)
        and not text.endswith("-k privileged")
        and not more.search(text)
    ]
    assert beyond == []


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_every_section_of_lines_is_one_of_the_benchmark(benchmark: str) -> None:
    rules = {reference.section for pack in packs() for rule in pack.rules for reference in rule.references
             if reference.benchmark == benchmark}  # fmt: skip
    assert rules == set(SECTIONS[benchmark])
    assert set(printed(benchmark)) == {name for name, section in SECTIONS[benchmark].items() if section.automated}


Meaning = tuple[str, str, str, str, frozenset[str], tuple[str, ...]]


def meaning(benchmark: str, style: str) -> set[Meaning]:
    """One entry per ABI and system call that a rule takes: what the kernel compares, without any spelling.

    The text is read, not the lines it was made from; whether `-w` names a directory is looked up, as auditctl does.
    """
    folders = {name for name, about in kept.load(HOST[benchmark]).paths.items() if about["kind"] == "dir"}
    lines = parse_rules(rendered(benchmark, style).text)
    return {entry for line in lines for entry in _entries(_watched(line, folders), benchmark)}


def _watched(line: Line, folders: set[str]) -> Line:
    where = line.value("path")
    if where is None or not (where in folders or where in ("/var/run/faillock", "/run/faillock")):
        return line
    return replace(line, fields=tuple(i._replace(field="dir") if i.field == "path" else i for i in line.fields))


def _entries(line: Line, benchmark: str) -> Iterator[Meaning]:
    facts = kept.load(HOST[benchmark])
    perm = line.value("perm")
    for abi in (line.arch,) if line.arch else facts.abis:
        calls = set(line.syscalls) or set(facts.syscalls[abi])
        if perm:
            calls &= reachable(perm)
        fields = frozenset(
            str(Filter(item.field, item.op, facts.paths[item.value]["real"]))
            if item.field in ("path", "dir") and item.value != "/etc/localtime"
            else str(canonical(item))
            for item in line.fields
        ) | {"-C " + "".join(sorted((item.left, item.op, item.right))) for item in line.compares}
        for call in calls:
            yield line.list, line.action, abi, call, fields, line.keys


@pytest.mark.parametrize("style", [name for name in STYLES if name != "modern"])
@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_all_styles_ask_for_the_same(benchmark: str, style: str) -> None:
    """But for the calls that audit >= 4 leaves out of a rule of arch and perm that names none (style cac there)."""
    assert sorted(meaning(benchmark, "modern") ^ meaning(benchmark, style), key=str)[:5] == []


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_what_style_cac_loses_under_audit_4(benchmark: str) -> None:
    """The difference that docs/pack-format.md names: audit's own table stands for a rule of arch and perm."""
    facts = kept.load(HOST[benchmark])
    narrowed = [
        line
        for line in parse_rules(rendered(benchmark, "cac").text)
        if line.arch and line.value("perm") and not line.syscalls
    ]
    lost = {
        call
        for line in narrowed
        for letter in line.value("perm") or ""
        for call in reachable(letter) & set(facts.syscalls[line.arch or ""]) - AUDIT_4[letter]
    }
    expected = bool(narrowed) and satisfies(facts.audit_version, ">=4.0")
    assert ("fchmodat2" in lost and "execveat" in lost) == expected


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_every_line_reads_back(benchmark: str, style: str) -> None:
    found = rendered(benchmark, style)
    difference = compare([line.line for line in found.lines if line.line], parse_rules(found.text))
    assert not difference, str(difference)


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_no_line_stands_twice(benchmark: str, style: str) -> None:
    """The kernel refuses the second (EEXIST), and ComplianceAsCode's checks want only one."""
    found = texts(benchmark, style)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("style", ["cis", "cac", "dil"])
def test_the_path_of_a_directory_is_no_watch(style: str, tmp_path: Path) -> None:
    """Of a directory `-w` would take all below it, a rule of its path takes the directory alone."""
    root = Path(__file__).parents[3] / "rulepacks"
    own = tmp_path / "own"
    own.mkdir()
    (own / "pack.yml").write_text(
        "# SPDX-License-Identifier: Apache-2.0\nname: own\nversion: 1.0.0\ntitle: T\ndescription: D\n"
        "licence: Apache-2.0\nmaintainers: [M]\nmaturity: sandbox\norder: 40\n"
    )
    (own / "rules.yml").write_text(
        "# SPDX-License-Identifier: Apache-2.0\n"
        "- {id: own.keys, title: T, why: W, key: k, each: 'home:.ssh', perm: wa, maturity: sandbox}\n"
    )
    (own / "cases.yml").write_text("# SPDX-License-Identifier: Apache-2.0\n[]\n")
    found = render(compose(load_packs([root / "base", own]), ["base", "own"]), kept.load("debian12"), style)
    assert "-a always,exit -F path=/root/.ssh -F perm=wa" in found.text
    assert "-w /root/.ssh" not in found.text
