# SPDX-License-Identifier: Apache-2.0
"""Packs, profiles and kept proofs → the pages below docs/packs: what a rule catches, misses, and how it is proven."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .explain import account
from .model import Pack, Rule
from .profiles import Profile
from .proof import PROVEN, Proof

HEAD = """<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by `auditpack docs`: change the pack, then run it. -->
"""
_LOAD = {
    0: "init",
    10: "never and exclude",
    20: "specific",
    30: "benchmark",
    40: "generic",
    90: "32-bit ABI",
    99: "last",
}


def pages(packs: Sequence[Pack], profiles: Mapping[str, Profile], proof: Proof) -> dict[str, str]:
    """File name → text: one page per pack, and README.md with the matrix."""
    ordered = sorted(packs, key=lambda pack: (pack.order, pack.name))
    found = {f"{pack.name}.md": _page(pack, proof) for pack in ordered}
    return {**found, "README.md": _index(ordered, profiles, proof)}


def hosts(proof: Proof) -> list[str]:
    """The hosts of the proofs, each once: distro, kernel, audit version and machine."""
    rows = (row for rows in proof.rows.values() for row in rows)
    return sorted({_host(row) for row in rows})


def _host(row: Mapping[str, Any]) -> str:
    return "{distro}, kernel {kernel}, audit {audit}, {arch}".format(**row)


def _index(packs: Sequence[Pack], profiles: Mapping[str, Profile], proof: Proof) -> str:
    places = hosts(proof)
    rows = []
    for pack in packs:
        gaps = sum(case.xfail is not None for case in pack.cases)
        known = [proof.by_host(rule) for rule in pack.rules]
        cells = [str(sum(one.get(host) == PROVEN for one in known)) for host in places]
        link = f"[{pack.name}]({pack.name}.md)"
        rows.append([link, pack.version, pack.maturity, str(pack.order), str(len(pack.rules)), str(len(pack.cases)),
                     str(gaps), *cells, pack.title])  # fmt: skip
    rules, cases = sum(len(pack.rules) for pack in packs), sum(len(pack.cases) for pack in packs)
    text = [
        HEAD + "# Packs\n",
        f"{len(packs)} packs, {rules} rules, {cases} cases. A rule is proven on a host when a case of it got an event "
        "with the rule's own key from that kernel. Gaps are cases marked as known to fail, each with its reason.\n",
        _table(["pack", "version", "maturity", "order", "rules", "cases", "gaps", *places, "what it is"], rows),
        "" if places else "No proof is kept in docs/proof; `make prove` shows that of your own hosts.\n",
    ]
    if profiles:
        text.append(
            "## Profiles\n\n`audit_rules_packs: [{profile: NAME}]`; see [Choosing packs](../packs-versions.md).\n"
        )
        shown = [
            [name, ", ".join(entry["name"] for entry in one.packs), _budget(one), one.title]
            for name, one in sorted(profiles.items())
        ]
        text.append(_table(["profile", "packs", "budget", "what it is"], shown))
    return "\n".join(part for part in text if part)


def _budget(profile: Profile) -> str:
    return ", ".join(f"{name.replace('_', ' ')} ≤ {limit}" for name, limit in profile.budget.items()) or "-"


def _page(pack: Pack, proof: Proof) -> str:
    supports = pack.supports
    distros = "; ".join(f"{name} {', '.join(many)}".strip() for name, many in supports.distros.items()) or "any"
    needs = [f"audit {supports.condition.audit}"] if supports.condition.audit else []
    needs += [f"kernel {supports.condition.kernel}"] if supports.condition.kernel else []
    needs += [", ".join(supports.condition.machines)] if supports.condition.machines else []
    requires = ", ".join(f"[{one.name}]({one.name}.md) {one.version}".strip() for one in pack.requires) or "nothing"
    order = f"{pack.order}{f' ({_LOAD[pack.order]})' if pack.order in _LOAD else ''}"
    text = [
        f"{HEAD}# {pack.name}: {pack.title}\n",
        f"{_flat(pack.description)}\n",
        f"Version {pack.version}, {pack.maturity}, load order {order}, {pack.licence}. For {distros}"
        f"{'; ' + ', '.join(needs) if needs else ''}. Requires {requires}. "
        f"[Changes](../../rulepacks/{pack.name}/CHANGELOG.md).\n",
    ]
    if pack.conflicts:
        text.append(f"Conflicts with {', '.join(pack.conflicts)}.\n")
    if pack.variables:
        rows = [
            [f"`{name}`", one.type + (f" ({', '.join(one.values)})" if one.values else ""), f"`{one.default}`",
             one.description] for name, one in pack.variables.items()
        ]  # fmt: skip
        text += ["## Variables\n", _table(["variable", "type", "default", "meaning"], rows)]
    if pack.benchmarks:
        rows = [
            [one.id, one.title, one.version, f"`auditpack coverage --benchmark {one.id}`"] for one in pack.benchmarks
        ]
        text += ["## Benchmarks\n", _table(["id", "title", "version", "covered"], rows)]
    accounts = [account((pack, rule, ""), proof) for rule in pack.rules]
    rows = [
        [f"[{rule.id}](#{_anchor(rule.id)})", f"`{rule.key}`" if rule.key else "-", rule.severity, rule.title,
         " ".join(rule.attack)] for rule in pack.rules
    ]  # fmt: skip
    text += ["## Rules\n", _table(["rule", "key", "severity", "what", "ATT&CK"], rows) if rows else "None.\n"]
    text += [_rule(rule, one, pack) for rule, one in zip(pack.rules, accounts)]
    return "\n".join(text)


def _rule(rule: Rule, about: Mapping[str, Any], pack: Pack) -> str:
    lines = [f"### {rule.id}\n", f"{_flat(rule.title)}. {_flat(rule.why)}\n"]
    entries: list[tuple[str, Iterable[str]]] = [
        ("Catches", [about["catches"]]),
        ("Only where", [f"`{rule.when}` is set"] if rule.when else []),
        *((f"Under {name}", [text]) for name, text in about["variants"].items()),
        ("Benchmarks", [", ".join(about["sections"])]),
        ("Noise", [rule.noise]),
        ("False positives", [rule.false_positives]),
        ("Evaded by", about["evaded_by"]),
        ("Proven on", [host for host, word in about["hosts"].items() if word == PROVEN]),
        ("Cases", [", ".join(f"`{case.id}`" for case in pack.cases if rule.id in case.rules)]),
    ]
    for name, texts in entries:
        lines += [f"- {name}: {_flat(text)}" for text in texts if text]
    return "\n".join(lines) + "\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(_cell, row))} |" for row in rows)]) + "\n"


def _flat(text: str) -> str:
    """One line; what would be markup is shown as it stands."""
    return " ".join(text.split()).replace("<", "&lt;")


def _cell(text: str) -> str:
    return _flat(text).replace("|", "\\|")


def _anchor(text: str) -> str:
    """As GitHub makes it of a heading."""
    return "".join(char for char in text.lower() if char.isalnum() or char in "-_")
