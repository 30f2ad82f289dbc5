# SPDX-License-Identifier: Apache-2.0
"""Rules about a path in every home."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from auditpack.compose import compose, needs
from auditpack.errors import PackErrors
from auditpack.model import HostFacts
from auditpack.render import Rendered, render
from auditpack.schema import load_packs

KEYS = "home:.ssh/authorized_keys"
AWS = "home-dir:.aws"
PACK = """\
name: homes
version: 1.0.0
title: Homes
description: Paths in homes.
licence: Apache-2.0
maintainers: [Nobody]
maturity: sandbox
order: 20
"""


def rules(*each: str) -> str:
    body = "- {{id: homes.r{0}, title: t, why: w, key: k{0}, each: '{1}', perm: wa, maturity: sandbox}}\n"
    return "".join(body.format(number, name) for number, name in enumerate(each))


def rendered(tmp_path: Path, facts: HostFacts, *each: str) -> Rendered:
    folder = tmp_path / "homes"
    folder.mkdir()
    for name, text in (("pack", PACK), ("rules", rules(*each)), ("cases", "[]\n")):
        (folder / f"{name}.yml").write_text(f"# SPDX-License-Identifier: Apache-2.0\n{text}")
    composition = compose(load_packs([folder]))
    assert needs(composition).lists == sorted(each)
    return render(composition, facts)


def test_files_and_directories(tmp_path: Path, old: HostFacts) -> None:
    facts = replace(
        old,
        abis=("b64",),
        lists={KEYS: ("/root/.ssh/authorized_keys",), AWS: ("/home/alice/.aws",), "homes_elsewhere": ("/srv/carol",)},
    )
    found = [str(line.line) for line in rendered(tmp_path, facts, KEYS, AWS, "homes_elsewhere").lines]
    assert [text.partition(" -F ")[2].partition(" -F ")[2] for text in found] == [
        "path=/root/.ssh/authorized_keys -F perm=wa -F key=k0",
        "dir=/home/alice/.aws -F perm=wa -F key=k1",
        "dir=/srv/carol -F perm=wa -F key=k2",
    ]


def test_a_home_with_white_space_is_told_of(tmp_path: Path, old: HostFacts) -> None:
    found = rendered(tmp_path, replace(old, lists={AWS: ("/home/a b/.aws",)}), AWS)
    assert not found.lines
    assert found.notes == ["homes.r0: '/home/a b/.aws' is not watched: auditctl cannot read white space"]


def test_an_absolute_path_is_in_no_home(tmp_path: Path, old: HostFacts) -> None:
    with pytest.raises(PackErrors, match="is malformed"):
        rendered(tmp_path, old, "home:/etc/passwd")
