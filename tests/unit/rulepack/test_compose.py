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
from auditpack.versions import satisfies

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
        ([{"name": "base", "version": ">=2"}], "wanted is >=2"),
        ([{"name": "base", "version": "newest"}], "no version range"),
        ([{"name": "base", "variables": {"backlog": 1}}], "no variable `backlog`"),
        ([{"name": "base", "variables": {"immutable": "yes"}}], "must be true or false"),
        ([{"name": "base", "variables": {"backlog_limit": "8192"}}], "must be a whole number"),
        (["base", {"name": "demo", "variables": {"log": "x"}}], "must be an absolute path"),
        (["base", {"name": "demo", "variables": {"benchmark": "x"}}], "must be one of auto, deb12, deb13"),
        ([{"name": "base", "exclude": ["base.x"]}], "no rule `base.x` to exclude"),
        ([{"name": "base", "excluded": []}], "unknown key `excluded`"),
        ([{"name": "base", "exclude": "base.x"}], "`exclude` of pack `base` is no list"),
        ([{"profile": "p"}], "unknown profile `p` — known are none"),
        ([{"version": "1"}], "has no name"),
        ([7], "`7` is no entry"),
        ([{"name": "base", "version": ["^1.2", "x"]}], "`^1.2,x` is no version range"),
        ([{"name": "base", "benchmark": "deb12"}], "pack `base` has no variable `benchmark`"),
        (["base", {"name": "demo", "benchmark": "deb12", "variables": {"benchmark": "deb13"}}], "keep one of the two"),
        (["base", {"name": "demo", "rules": {"demo.x": {"off": True}}}], "no rule `demo.x` to change"),
        (["base", {"name": "demo", "rules": {"demo.zone": {}}}], "changes nothing"),
        (["base", {"name": "demo", "rules": {"demo.zone": {"kee": "x"}}}], "unknown override `kee`"),
        (["base", {"name": "demo", "rules": {"demo.zone": {"key": "a b"}}}], "cannot be a key"),
        (["base", {"name": "demo", "rules": {"demo.zone": {"off": "no"}}}], "is not true or false"),
        (["base", {"name": "demo", "rules": {"demo.zone": {"filters": ["who=me"]}}}], "unknown field `who`"),
        (["base", {"name": "demo", "rules": {"demo.zone": {"filters": ["auid!=$x"]}}}], "names $x"),
        ([{"name": "base", "rules": {"base.clear": {"key": "x"}}}], "it has no key"),
    ],
)
def test_refused(packs: list[Pack], selection: list[Any], message: str) -> None:
    with pytest.raises(PackErrors) as caught:
        compose(packs, selection)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("1.2.0", "^1.2", True), ("1.9.9", "^1.2", True), ("2.0.0", "^1.2", False), ("1.1.9", "^1.2", False),
        ("0.3.4", "^0.3", True), ("0.4.0", "^0.3", False), ("0.0.4", "^0.0.3", False), ("1.0.0", "^0", False),
        ("1.2.9", "~1.2.3", True), ("1.3.0", "~1.2.3", False), ("1.9.0", "~1", True), ("2.0.0", "~1", False),
        ("1.0.0", "=1.0", True), ("1.0.1", "=1.0.0", False), ("1.0.1", ">1.0.0", True), ("1.0.1", "<=1.0", False),
        ("1.5.0", "^1.2, <1.5", False), ("1.4.0", "^1.2,!=1.4.0", False), ("6.1.0-40-amd64", ">=6.1", True),
    ],
)  # fmt: skip
def test_ranges(version: str, wanted: str, fits: bool) -> None:
    assert satisfies(version, wanted) is fits


def test_the_newest_version_that_fits_is_taken(packs: list[Pack]) -> None:
    base = packs[1]
    many = [packs[0], base, replace(base, version="1.10.0"), replace(base, version="2.0.0")]
    for wanted, version in (("^1", "1.10.0"), (["^1", "<1.10"], "1.2.0"), ("", "2.0.0"), ("=1.2", "1.2.0")):
        assert compose(many, [{"name": "base", "version": wanted}]).packs[0].version == version


def test_rules_are_changed_and_their_cases_with_them(packs: list[Pack]) -> None:
    rules = {
        "demo.passwd": {"key": "accounts", "filters": ["auid!=$uid_min"]},
        "demo.zone": {"off": True},
    }
    chosen = compose(packs, ["base", {"name": "demo", "rules": rules}]).chosen[1]
    passwd = next(rule for rule in chosen.rules if rule.id == "demo.passwd")
    assert (passwd.key, passwd.filters) == ("accounts", ("auid!=$uid_min",))
    assert "demo.zone" not in [rule.id for rule in chosen.rules]
    assert "demo.zone" in [rule.id for rule in chosen.pack.rules]
    case = next(case for case in chosen.pack.cases if case.rules == ("demo.passwd",))
    assert case.expect[0]["key"] == "accounts"


def test_a_profile_is_a_list_that_later_entries_change(packs: list[Pack]) -> None:
    profiles = {"p": [{"name": "base"}, {"name": "demo", "exclude": ["demo.zone"], "variables": {"log": "/a"}}]}
    chosen = compose(packs, [{"profile": "p"}], profiles).chosen
    assert [one.pack.name for one in chosen] == ["base", "demo"]
    entry = {"name": "demo", "exclude": ["demo.q*"], "variables": {"quiet": "x"}}
    changed = compose(packs, [{"profile": "p"}, entry], profiles).chosen[1]
    assert (changed.variables["log"], changed.variables["quiet"]) == ("/a", "x")
    assert not {"demo.zone", "demo.quiet"} & {rule.id for rule in changed.rules}
    off = compose(packs, [{"profile": "p"}, {"name": "demo", "off": True}], profiles).chosen
    assert [one.pack.name for one in off] == ["base"]


def test_a_requirement_on_a_version(packs: list[Pack]) -> None:
    newer = [pack if pack.name == "demo" else replace(pack, version="2.0.0") for pack in packs]
    with pytest.raises(PackErrors, match=r"requires base >=1.0.0,<2, but it is 2.0.0"):
        compose(newer)


def test_conflicts_and_double_ids(packs: list[Pack]) -> None:
    demo, base = packs
    with pytest.raises(PackErrors, match=r"conflicts with `base` \(.*base/pack.yml:2\)"):
        compose([base, replace(demo, conflicts=("base",))])
    with pytest.raises(PackErrors, match=r"rule `demo.quiet` is also at .*demo/rules.yml:2"):
        compose([base, demo, replace(demo, name="again")])


def test_needs(packs: list[Pack]) -> None:
    found = needs(compose(packs, ["base", {"name": "demo", "variables": {"quiet": "ansible"}}]))
    assert found.users == ["ansible", "auditpack"]
    assert found.lists == ["setuid_files"]
    assert {"/var/log/demo.log", "/var/log", "/var/run", "/var/run/demo", "/etc/passwd", "/etc"} <= set(found.paths)
    assert needs(compose(packs)).users == ["auditpack"]
