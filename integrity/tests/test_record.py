# SPDX-License-Identifier: Apache-2.0
"""The database as a record: what is edited, cut or corrupt is found; what is told reaches the file. Commands."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from integrity_support import World

from auditpack_integrity.cli import main
from auditpack_integrity.output import EventFile


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
    assert main(["accept", "--config", str(config), "--all", "--reason", "first"]) == 0
    assert main(["check", "--config", str(config), "--verify"]) == 0
    changed.baseline.database.execute("UPDATE entries SET hashes = zeroblob(32) WHERE name = 'a'")
    changed.baseline.database.execute("UPDATE entries SET hashes = zeroblob(32) WHERE name = x'61'")
    assert main(["check", "--config", str(config), "--verify"]) == 1
    assert "the baseline was tampered with" in capsys.readouterr().err


def test_a_corrupt_database_is_put_aside_and_built_anew(changed: World) -> None:
    changed.reopen()
    database = changed.config.database
    data = bytearray(database.read_bytes())
    data[4096:12288] = b"\xff" * 8192
    database.write_bytes(data)
    assert changed.baseline.notices
    assert "was corrupt" in changed.baseline.notices[0]
    assert len(list(database.parent.glob("baseline.db.corrupt-*"))) >= 1
    assert changed.scan() == []
    assert changed.baseline.count() == 4


def test_a_file_that_is_no_database_is_put_aside(changed: World) -> None:
    changed.reopen()
    changed.config.database.write_text("garbage " * 1000)
    for suffix in ("-wal", "-shm"):
        Path(f"{changed.config.database}{suffix}").unlink(missing_ok=True)
    assert "was corrupt" in changed.baseline.notices[0]


def test_a_newer_schema_is_refused(changed: World, capsys: pytest.CaptureFixture[str]) -> None:
    changed.baseline.database.execute("PRAGMA user_version = 99")
    changed.reopen()
    config = changed.write_config()
    assert main(["scan", "--config", str(config), "--quiet"]) == 2
    assert "schema is version 99" in capsys.readouterr().err


def test_an_older_schema_is_brought_up_to_date(world: World) -> None:
    from auditpack_integrity import schema  # noqa: PLC0415

    database = sqlite3.connect(world.config.database)
    database.executescript(schema.STEPS[0] + "PRAGMA user_version = 1;")
    database.close()
    (world.top / "a").write_text("a")
    assert world.scan() == []
    assert world.baseline.database.execute("PRAGMA user_version").fetchone()[0] == schema.VERSION


def test_events_reach_the_file_once_and_after_a_refusal(changed: World) -> None:
    output = changed.config.output
    Path(output.path).mkdir()  # cannot be written
    file = EventFile(output)
    assert file.flush(changed.ledger.journal) == 0
    assert (file.errors, "Is a directory" in file.last_error) == (1, True)
    Path(output.path).rmdir()
    Path(output.path).write_text('{"torn')
    assert file.flush(changed.ledger.journal) == 5
    assert file.flush(changed.ledger.journal) == 0
    lines = Path(output.path).read_text().splitlines()
    assert lines[0] == '{"torn'
    events = [json.loads(line) for line in lines[1:]]
    assert [event["file_integrity"]["chain"]["sequence"] for event in events] == [1, 2, 3, 4, 5]


def test_the_event_file_is_rotated(changed: World) -> None:
    changed.settings = f'[output]\npath = "{changed.folder}/events.jsonl"\nmax_bytes = 100\ngenerations = 2\n'
    file = EventFile(changed.config.output)
    for round_ in range(4):
        (changed.top / "a").write_text(f"round {round_}")
        changed.scan()
        file.flush(changed.ledger.journal)
    assert sorted(path.name for path in changed.folder.glob("events.jsonl*")) == [
        "events.jsonl",
        "events.jsonl.1",
        "events.jsonl.2",
    ]


def test_the_commands_and_their_exits(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    config = world.write_config()

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
