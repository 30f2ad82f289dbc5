# SPDX-License-Identifier: Apache-2.0
"""The table and the picture of what packs cost say what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from plugins.module_utils.rulepack.line import parse_rules
from tests.bench.cost import BROAD
from tests.bench.cost_page import hottest, picture, write_page


def run(seconds: float, events: int, keys: dict[str, int]) -> dict[str, Any]:
    return {"seconds": seconds, "events": events, "bytes": events * 1000, "keys": keys, "lost": 0}


def figures() -> dict[str, Any]:
    quiet = {"idle": run(60, 2, {}), "apt": run(5, 0, {}), "build": run(10, 0, {}), "web": run(3, 0, {})}
    busy = {**quiet, "apt": run(6, 40, {"exec": 40}), "build": run(12.5, 100, {"exec": 80, "delete": 20})}
    about = {"distro": "debian 13", "kernel": "6.12", "audit": "4.0.2", "machine": "x86_64"}
    sets = {"no rules": {"rules": 0, "work": quiet}, "a<b": {"rules": 30, "call_us": 23.49, "work": busy}}
    return {**about, "work": 1000, "idle": 60, "repeat": 2, "sets": sets, "owners": {"exec": "exec"}}


def test_the_table(tmp_path: Path) -> None:
    write_page(figures(), tmp_path / "cost.md")
    text = (tmp_path / "cost.md").read_text()
    assert "| a<b | 30 | 23.5 | 120 | 120 | 40 (40 kB) | 100 (100 kB) | 0 (0 kB) | 12.5 s (+25 %) |" in text
    assert "| `exec` (exec) 80 % | 0 |" in text
    assert "--work 1000 --idle 60 --repeat 2" in text


def test_the_hottest_key() -> None:
    assert hottest(run(1, 0, {}), {}) == "-"
    assert hottest(run(1, 4, {"-": 3, "x": 1}), {}) == "`x` 25 %"


def test_the_picture_is_xml_with_a_bar_for_each_set() -> None:
    root = ElementTree.fromstring(picture(figures()))  # noqa: S314 - our own text
    assert len(root.findall("{http://www.w3.org/2000/svg}rect")) == 3


def test_the_broad_set_can_be_read() -> None:
    text = "".join(f"{line.format(abi='b64')}\n" for line in BROAD)
    assert len(parse_rules(text)) == len(BROAD)
