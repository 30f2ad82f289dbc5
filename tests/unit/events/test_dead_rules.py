# SPDX-License-Identifier: Apache-2.0
"""Planted rules that can be seen to be dead without a kernel: the engine refuses or mends each."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from plugins.module_utils.rulepack.compose import compose
from plugins.module_utils.rulepack.errors import PackErrors
from plugins.module_utils.rulepack.model import HostFacts, Pack
from plugins.module_utils.rulepack.render import Rendered, render
from plugins.module_utils.rulepack.schema import check_packs, load_packs
from tests.events.connection import ROOT

PLANTED = ROOT / "tests/fixtures/dead-rules"


def rendered(packs: list[Pack]) -> Rendered:
    facts = HostFacts.from_json(json.loads((ROOT / "tests/facts/debian13.json").read_text()))
    paths = {"/home": {"kind": "dir", "real": "/home"}, "/usr/sbin/insmod": {"kind": "file", "real": "/usr/bin/kmod"}}
    return render(compose(packs), replace(facts, paths={**facts.paths, **paths}))


def test_auid_0_and_at_least_1000_is_refused() -> None:
    with pytest.raises(PackErrors, match=r"impossible-auid/rules.yml:\d+: .*auid"):
        rendered(load_packs([PLANTED / "impossible-auid"]))


def test_exit_eperm_without_minus_is_refused() -> None:
    with pytest.raises(PackErrors, match=r"positive-exit/rules.yml:\d+: .*exit=-EPERM"):
        load_packs([PLANTED / "positive-exit"])


def test_open_without_openat_is_warned_of() -> None:
    """Valid where programs still call open, so no more than a warning; tests/events/test_can_fail.py shows it dead."""
    _, problems = check_packs([PLANTED / "open-only"])
    assert [problem.level for problem in problems] == ["warning"]
    assert "openat" in str(problems[0])


def test_link_is_followed_unless_the_pack_wants_the_link() -> None:
    [pack] = load_packs([PLANTED / "symlink"])
    assert "path=/usr/sbin/insmod" in rendered([pack]).text
    followed = replace(pack, rules=tuple(replace(rule, symlink="follow") for rule in pack.rules))
    assert "path=/usr/bin/kmod" in rendered([followed]).text
