# SPDX-License-Identifier: Apache-2.0
"""The database as a record: what is edited, cut or corrupt is found; what is told reaches the file. Commands."""

from __future__ import annotations

import json

import pytest
from integrity_support import World

from auditpack_integrity.cli import main


@pytest.fixture
def changed(world: World) -> World:
    for name in ("a", "b", "c"):
        (world.top / name).write_text(name)
    world.scan()
    for name in ("a", "b", "c"):
        (world.top / name).write_text(name * 2)
    world.scan()
    return world


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE journal SET body = replace(body, 'updated', 'created') WHERE seq = 2",
            "row 2 of the journal was edited",
        ),
        ("UPDATE journal SET time = time + 1 WHERE seq = 3", "row 3 of the journal was edited"),
        ("DELETE FROM journal WHERE seq = 2", "the journal lacks row 2"),
        ("DELETE FROM journal WHERE seq >= 4", "the journal ends at row 3, the last one written was 5"),
    ],
)
def test_an_edited_journal_is_found(changed: World, statement: str, message: str) -> None:
    assert changed.ledger.journal.verify() == ""
    changed.baseline.database.execute(statement)
    assert changed.ledger.journal.verify() == message


def test_an_edited_baseline_is_found(changed: World, capsys: pytest.CaptureFixture[str]) -> None:
    config = changed.write_config()

    def run(*words: str) -> int:
        return main([words[0], "--config", str(config), *words[1:]])

    assert run("check") == 2
    assert run("accept", "--all", "--reason", "x") == 2
    (world.top / "a").write_text("a")
    (world.top / "sub").mkdir()
    assert run("scan", "--quiet") == 0
    assert run("check") == 0
    (world.top / "a").write_text("b\n")
    (world.top / "sub" / "\x1b[31m").write_text("x")
    assert run("check", "--scan") == 1
    said = capsys.readouterr().out
    assert "updated (size, content, mtime)" in said
    assert "\\x1b[31m" in said
    assert "\x1b" not in said
    assert run("accept", "--reason", " ", "--all") == 2
    assert run("accept", "--reason", "mine", str(world.top / "sub")) == 0
    assert run("accept", "--reason", "mine", str(world.top / "sub")) == 1
    assert run("check") == 1
    assert run("check", "--json") == 1
    capsys.readouterr()
    (world.top / "a").write_text("a")
    assert run("check", "--scan") == 0  # as it was accepted
    assert run("history", str(world.top / "a")) == 0
    assert "2 entries" in capsys.readouterr().out
    assert run("history", str(world.top / "none")) == 1
    assert run("history", str(world.top / "sub" / "\x1b[31m")) == 0
    assert "accepted: mine" in capsys.readouterr().out
    assert run("watches") == 0
    assert json.loads(capsys.readouterr().out) == {"dirs": [str(world.top)], "files": []}
    assert run("status") == 1
