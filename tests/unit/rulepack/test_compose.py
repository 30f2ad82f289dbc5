# SPDX-License-Identifier: Apache-2.0
"""A selection is checked against the packs, and says what to ask of a host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from auditpack.compose import compose, needs
from auditpack.errors import PackErrors
from auditpack.model import Pack
from auditpack.schema import load_packs

PACKS = Path(__file__).parent / "packs"


@pytest.fixture
def packs() -> list[Pack]:
    return load_packs([PACKS / "demo", PACKS / "base"])


def test_packs_come_in_load_order(packs: list[Pack]) -> None:
    assert [pack.name for pack in compose(packs).packs] == ["base", "demo"]


def test_variables_and_exclusions(packs: list[Pack]) -> None:
    entry = {"name": "demo", "version": ">=0.3", "variables": {"log": "/srv/x.log"}, "exclude": ["demo.zone"]}
    composition = compose(packs, ["base", entry])
    chosen = composition.chosen[1]
    assert chosen.variables["log"] == "/srv/x.log"
    assert "demo.zone" not in [rule.id for rule in chosen.rules]


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (["base", "nope"], "unknown pack `nope`"),
        (["base", "base"], "selected twice"),
        (["demo"], "requires base >=1.0.0,<2, which is not selected"),
        ([{"name": "base", "version": ">=2"}], "is 1.2.0, wanted is >=2"),
        ([{"name": "base", "version": "newest"}], "no version range"),
        ([{"name": "base", "variables": {"backlog": 1}}], "no variable `backlog`"),
        ([{"name": "base", "variables": {"immutable": "yes"}}], "must be true or false"),
        ([{"name": "base", "variables": {"backlog_limit": "8192"}}], "must be a whole number"),
        (["base", {"name": "demo", "variables": {"log": "x"}}], "must be an absolute path"),
        (["base", {"name": "demo", "variables": {"benchmark": "x"}}], "must be one of auto, deb12, deb13"),
        ([{"name": "base", "exclude": ["base.x"]}], "no rule `base.x` to exclude"),
        ([{"name": "base", "excluded": []}], "unknown key `excluded`"),
    ],
)
def test_refused(packs: list[Pack], selection: list[Any], message: str) -> None:
    with pytest.raises(PackErrors) as caught:
        compose(packs, selection)
    assert message in str(caught.value)


def test_a_requirement_on_a_version(packs: list[Pack]) -> None:
    newer = [pack if pack.name == "demo" else replace(pack, version="2.0.0") for pack in packs]
    with pytest.raises(PackErrors, match=r"requires base >=1.0.0,<2, but it is 2.0.0"):
        compose(newer)


def test_conflicts_and_double_ids(packs: list[Pack]) -> None:
    demo, base = packs
    with pytest.raises(PackErrors, match="conflicts with `base`"):
        compose([base, replace(demo, conflicts=("base",))])
    with pytest.raises(PackErrors, match=r"rule `demo.quiet` is also at .*demo/rules.yml:2"):
        compose([base, demo, replace(demo, name="again")])


def test_needs(packs: list[Pack]) -> None:
    found = needs(compose(packs, ["base", {"name": "demo", "variables": {"quiet": "ansible"}}]))
    assert found.users == ["ansible", "auditpack"]
    assert found.lists == ["setuid_files"]
    assert {"/var/log/demo.log", "/var/log", "/var/run", "/var/run/demo", "/etc/passwd", "/etc"} <= set(found.paths)
    assert needs(compose(packs)).users == ["auditpack"]
