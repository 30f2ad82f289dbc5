# SPDX-License-Identifier: Apache-2.0
"""Which sections of a benchmark and which ATT&CK techniques the packs cover, as the proof has it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import proof as proofs
from .benchmarks import SECTIONS, Section
from .errors import PackError
from .model import Benchmark, Pack, Rule
from .proof import NOT_APPLICABLE, NOT_PROVABLE, NOT_PROVEN, PROVEN, Proof

Row = dict[str, Any]


def rules_of(packs: Iterable[Pack], benchmark: str) -> list[Rule]:
    """The rules that name the benchmark. PackError when none does."""
    rules = [rule for pack in packs for rule in pack.rules]
    found = [rule for rule in rules if any(reference.benchmark == benchmark for reference in rule.references)]
    if found:
        return found
    known = sorted({reference.benchmark for rule in rules for reference in rule.references}) or ["none"]
    message = f"no pack has rules for the benchmark `{benchmark}`"
    raise PackError("--benchmark", 0, message, f"the packs have {', '.join(known)}")


def sections(packs: Iterable[Pack], benchmark: str, proof: Proof) -> list[Row]:
    """One `{section, title, level, rules, status, proven_on}` per section, those without a rule too."""
    return [section for section, _ in covered(packs, benchmark, proof)]


def covered(packs: Iterable[Pack], benchmark: str, proof: Proof) -> list[tuple[Row, list[Row]]]:
    """Each section as `sections` has it, and `{rule, status, proven_on}` for each of its rules."""
    packs = list(packs)
    known = dict(SECTIONS[benchmark])
    by_section: dict[str, dict[str, Rule]] = {section: {} for section in known}
    hosts = hosts_of(packs, benchmark)
    for rule in rules_of(packs, benchmark):
        for reference in rule.references:
            if reference.benchmark == benchmark:
                by_section.setdefault(reference.section, {})[rule.id] = rule
                known.setdefault(reference.section, Section(rule.title))
    found = []
    for section in sorted(by_section, key=_numbers):
        words = {rule.id: proof.by_host(rule, hosts) for rule in by_section[section].values()}
        rules: list[Row] = [
            {"rule": rule.id, "status": proof.status(rule, hosts), "proven_on": _proven_on([words[rule.id]])}
            for rule in by_section[section].values()
        ]
        row: Row = {
            "section": section,
            "title": known[section].title,
            "level": known[section].level,
            "rules": [rule["rule"] for rule in rules],
            "status": _status([rule["status"] for rule in rules]),
            "proven_on": _proven_on(list(words.values())),
        }
        found.append((row, rules))
    return found


def level(benchmark: str, row: Row) -> str:
    """`L2`, and `manual` where the benchmark leaves the check to a person."""
    section = SECTIONS[benchmark].get(row["section"], Section(""))
    return f"L{row['level']}" + ("" if section.automated else " manual")


def hosts_of(packs: Iterable[Pack], benchmark: str) -> Benchmark:
    """Which hosts are of the benchmark, as the pack that declares it says."""
    declared = (one for pack in packs for one in pack.benchmarks if one.id == benchmark)
    return next(declared, Benchmark(benchmark, benchmark, ""))


def _numbers(section: str) -> tuple[int, ...]:
    return tuple(int(part) for part in section.split(".") if part.isdigit())


def _status(words: Sequence[str]) -> str:
    """All rules of a section must be proven; those that do not apply (a file the host lacks) do not count."""
    counting = set(words) - {NOT_APPLICABLE}
    if not words or NOT_PROVEN in counting:
        return NOT_PROVEN
    if not counting:
        return NOT_APPLICABLE
    return NOT_PROVABLE if NOT_PROVABLE in counting else PROVEN


def _proven_on(words: Sequence[Mapping[str, str]]) -> list[str]:
    """Hosts on which all rules of the section that apply there are proven; `words`: host → status, for each rule."""
    found = []
    for host in dict.fromkeys(host for some in words for host in some):
        here = {some.get(host, NOT_PROVEN) for some in words} - {NOT_APPLICABLE}
        found += [host] if here == {PROVEN} else []
    return found


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many sections have each of the four statuses."""
    words = (PROVEN, NOT_PROVEN, NOT_PROVABLE, NOT_APPLICABLE)
    return {word: sum(row["status"] == word for row in rows) for word in words}


def summary(rows: Sequence[Row]) -> str:
    return f"{len(rows)} sections: " + ", ".join(f"{number} {word}" for word, number in counts(rows).items())


def page(benchmark: str, found: Sequence[tuple[Row, list[Row]]], source: str) -> str:
    """One self-contained HTML page."""
    colours = {PROVEN: "#1a7f37", NOT_PROVEN: "#b42318", NOT_PROVABLE: "#9a6700", NOT_APPLICABLE: "#57606a"}
    body = []
    for section, rules in found:
        heads = [section["section"], section["title"], level(benchmark, section)]
        for number, row in enumerate([section, *rules]):
            cells = heads if number == 0 else ["", f"<code>{html.escape(row['rule'])}</code>", ""]
            body.append(
                f"<tr{' class=rule' if number else ''}>"
                + "".join(f"<td>{cell if number else html.escape(str(cell))}</td>" for cell in cells)
                + f'<td style="color:{colours[row["status"]]}">{row["status"]}</td>'
                + f"<td>{html.escape('; '.join(row['proven_on']))}</td></tr>"
            )
    head = "".join(f"<th>{name}</th>" for name in ("section", "title or rule", "level", "status", "proven on"))
    style = "body{font:15px sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #d0d7de;"
    rows = [section for section, _ in found]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Coverage of {benchmark}</title>'
        f"<style>{style}padding:.3em .6em;text-align:left;vertical-align:top}}.rule{{color:#57606a}}</style></head>\n"
        f"<body><h1>Coverage of {benchmark}</h1>\n<p>{html.escape(source)}. {summary(rows)}.</p>\n"
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(body) + "\n</tbody></table></body></html>\n"
    )


def attack_layer(rules: Iterable[Rule], proof: Proof, hosts: Benchmark | None = None) -> Row:
    """An ATT&CK Navigator layer (format 4.5). Score: the share of a technique's rules that is proven, in %."""
    by_technique: dict[str, list[Rule]] = {}
    for rule in rules:
        for technique in rule.attack:
            by_technique.setdefault(technique, []).append(rule)
    techniques = []
    for technique, own in sorted(by_technique.items()):
        status = {rule.id: proof.status(rule, hosts) for rule in own}
        proven = sum(word == proofs.PROVEN for word in status.values())
        comment = "\n".join(f"{rule}: {word}" for rule, word in status.items())
        techniques.append({"techniqueID": technique, "score": round(100 * proven / len(own)), "comment": comment})
    return {
        "name": "Auditpack",
        "versions": {"layer": "4.5"},
        "domain": "enterprise-attack",
        "description": f"Proven rules by technique. {source(proof)}.",
        "techniques": techniques,
        "gradient": {"colors": ["#ffffff", "#66bb6a"], "minValue": 0, "maxValue": 100},
    }


def source(proof: Proof) -> str:
    return f"Statuses are from {proof.file}" if proof.file else "There is no proof, so nothing counts as proven"
