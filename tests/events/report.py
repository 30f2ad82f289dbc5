# SPDX-License-Identifier: Apache-2.0
"""The result of a proof for people and machines: terminal table, proof.json, .md, .html and JUnit XML.

`python -m tests.events.report build/proof/proof.json` renders the other files again from that one (and from `run.json`
beside it, which holds what belongs to hosts rather than to cases).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from .catalogue import Catalogue, load
from .judge import FAILED, NOT_APPLICABLE, PROVEN, XFAIL
from .view import event_id

Row = dict[str, Any]
FIELDS = ("pack", "rule", "case", "host", "distro", "kernel", "audit", "arch", "verdict", "seconds", "reason", "event")
VERDICTS = (PROVEN, FAILED, XFAIL, NOT_APPLICABLE)
_COLOUR = {PROVEN: "32", FAILED: "31;1", XFAIL: "33", NOT_APPLICABLE: "90"}
_SIGN = {PROVEN: "✔", FAILED: "✘", XFAIL: "~", NOT_APPLICABLE: "·"}


def of_rule(rows: Sequence[Row]) -> str:
    """One word for all rows of a rule on a host: the worst, where proof outweighs what is known or does not apply."""
    verdicts = {row["verdict"] for row in rows}
    return next(verdict for verdict in (FAILED, PROVEN, XFAIL, NOT_APPLICABLE) if verdict in verdicts)


def by_rule(rows: Iterable[Row]) -> dict[str, dict[str, dict[str, list[Row]]]]:
    """pack → rule → host → rows, in the order in which they come."""
    grouped: dict[str, dict[str, dict[str, list[Row]]]] = {}
    for row in rows:
        grouped.setdefault(row["pack"], {}).setdefault(row["rule"], {}).setdefault(row["host"], []).append(row)
    return grouped


def counts(rows: Iterable[Row]) -> dict[str, int]:
    result = dict.fromkeys(VERDICTS, 0)
    for row in rows:
        result[row["verdict"]] += 1
    return result


def write(folder: Path, rows: Sequence[Row], run: Mapping[str, Any], catalogue: Catalogue) -> None:
    """Write all files of a proof into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    exact = [{field: row[field] for field in FIELDS} for row in rows]
    _json(folder / "proof.json", exact)
    _json(folder / "run.json", run)
    (folder / "proof.md").write_text(markdown(rows, run, catalogue), encoding="utf-8")
    (folder / "proof.html").write_text(page(rows, run, catalogue), encoding="utf-8")
    junit(rows).write(folder / "junit.xml", encoding="utf-8", xml_declaration=True)


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _shown(rows: Sequence[Row]) -> tuple[str, str]:
    """Verdict of a rule on a host, and what stands beside it: the proving event's id or the reason."""
    verdict = of_rule(rows)
    decisive = [row for row in rows if row["verdict"] == verdict]
    first = next((row for row in decisive if row["event"]), decisive[0])
    if verdict == PROVEN and first["event"]:
        return verdict, event_id(first["event"])
    return verdict, first["reason"]


def table(rows: Sequence[Row], run: Mapping[str, Any], colour: bool) -> list[str]:
    """Lines for the terminal: rule by rule, host by host."""
    hosts = list(dict.fromkeys(row["host"] for row in rows))
    wide = max([len(row["rule"] or row["case"]) for row in rows], default=10) + 4
    cell = 38
    lines = []
    for pack, rules in by_rule(rows).items():
        lines += ["", f"{pack:<{wide}}" + "".join(f"{host:<{cell}}" for host in hosts).rstrip()]
        for rule, places in rules.items():
            line = f"  {rule or '(pack)':<{wide - 2}}"
            for host in hosts:
                verdict, text = _shown(places[host]) if host in places else (NOT_APPLICABLE, "not on this host")
                shown = f"{_SIGN[verdict]} {verdict} {text}"
                shown = shown if len(shown) < cell else shown[: cell - 2] + "…"
                padding = " " * (cell - len(shown))
                line += (f"\x1b[{_COLOUR[verdict]}m{shown}\x1b[0m" if colour else shown) + padding
            lines.append(line.rstrip())
    lines.append("")
    lines += [summary(host, rows, run) for host in hosts]
    return lines


def summary(host: str, rows: Sequence[Row], run: Mapping[str, Any]) -> str:
    """One line for a host: what it is, how its rules and cases came out, and whether records were lost."""
    own = [row for row in rows if row["host"] == host]
    rules = {rule: of_rule(places[host]) for p in by_rule(own).values() for rule, places in p.items() if rule}
    about = run["hosts"][host]
    lost = about.get("lost") or {}
    words = ", ".join(f"{list(rules.values()).count(verdict)} {verdict}" for verdict in VERDICTS)
    cases = counts({row["case"]: row for row in own if row["case"]}.values())
    return (
        f"{host}: {own[0]['distro']}, kernel {own[0]['kernel']}, audit {own[0]['audit']}, {own[0]['arch']}: "
        f"{len(rules)} rules: {words}; {sum(cases.values())} cases: "
        + ", ".join(f"{number} {verdict}" for verdict, number in cases.items())
        + f"; lost {lost.get('before', '?')} → {lost.get('after', '?')}; {about.get('seconds', 0):.0f} s"
    )


def markdown(rows: Sequence[Row], run: Mapping[str, Any], catalogue: Catalogue) -> str:
    hosts = list(dict.fromkeys(row["host"] for row in rows))
    lines = [f"# Proof{': ' + run['label'] if run.get('label') else ''}", "", f"Started {run['started']}.", ""]
    lines += [f"- {summary(host, rows, run)}" for host in hosts]
    for pack, rules in by_rule(rows).items():
        about = catalogue["packs"].get(pack, {})
        lines += ["", f"## {pack} {about.get('version', '')}".rstrip(), ""]
        lines += ["| rule | section | " + " | ".join(hosts) + " |", "|---|---|" + "---|" * len(hosts)]
        for rule, places in rules.items():
            sections = catalogue["rules"].get(rule, {}).get("sections", [])
            cells = [_markdown_cell(places.get(host)) for host in hosts]
            lines.append(f"| {rule or '(pack)'} | {', '.join(sections)} | " + " | ".join(cells) + " |")
    for verdict in (FAILED, XFAIL):
        chosen = [row for row in rows if row["verdict"] == verdict]
        if chosen:
            lines += ["", f"## {verdict}", ""]
            lines += [f"- {row['host']} `{row['case'] or row['rule']}`: {_flat(row['reason'])}" for row in chosen]
    return "\n".join(lines) + "\n"


def _markdown_cell(rows: Sequence[Row] | None) -> str:
    if not rows:
        return "not on this host"
    verdict, text = _shown(rows)
    return f"{verdict} {_flat(text)}".strip()


def _flat(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def page(rows: Sequence[Row], run: Mapping[str, Any], catalogue: Catalogue) -> str:
    """One self-contained HTML page; its script draws the matrix from the data put in here."""
    template = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    data = json.dumps({"rows": rows, "run": run, **catalogue}, ensure_ascii=False, separators=(",", ":"))
    # Inside <script> only "<" can end the element; JSON allows to write it as an escape.
    return template.replace("/*DATA*/null", data.replace("<", "\\u003c"))


def junit(rows: Sequence[Row]) -> ElementTree.ElementTree:
    root = ElementTree.Element("testsuites", name="auditpack proof")
    for host in dict.fromkeys(row["host"] for row in rows):
        own = [row for row in rows if row["host"] == host]
        number = counts(own)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=host,
            tests=str(len(own)),
            failures=str(number[FAILED]),
            skipped=str(number[XFAIL] + number[NOT_APPLICABLE]),
            errors="0",
            time=f"{sum(row['seconds'] for row in own):.3f}",
        )
        for row in own:
            name = row["case"] or "no case"
            case = ElementTree.SubElement(
                suite, "testcase", classname=row["rule"] or row["pack"], name=name, time=f"{row['seconds']:.3f}"
            )
            if row["verdict"] == FAILED:
                ElementTree.SubElement(case, "failure", message=_xml(row["reason"]))
            elif row["verdict"] != PROVEN:
                ElementTree.SubElement(case, "skipped", message=_xml(f"{row['verdict']}: {row['reason']}"))
    return ElementTree.ElementTree(root)


def _xml(text: str) -> str:
    """Without the control characters that XML 1.0 cannot carry."""
    return "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.events.report", description=str(__doc__))
    parser.add_argument("proof", type=Path, help="proof.json of a run")
    parser.add_argument("--packs", type=Path, default=Path(__file__).resolve().parents[2] / "rulepacks")
    chosen = parser.parse_args(arguments)
    rows = json.loads(chosen.proof.read_text(encoding="utf-8"))
    run = json.loads((chosen.proof.parent / "run.json").read_text(encoding="utf-8"))
    write(chosen.proof.parent, rows, run, load([chosen.packs]))
    print("\n".join(table(rows, run, sys.stdout.isatty())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
