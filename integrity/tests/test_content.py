# SPDX-License-Identifier: Apache-2.0
"""Differing lines: off by default, redacted, never of secrets."""

from __future__ import annotations

from integrity_support import World

ON = "[diff]\nenabled = true\nmax_lines = 6\n"


def test_off_by_default(world: World) -> None:
    (world.top / "a").write_text("one\n")
    world.scan()
    (world.top / "a").write_text("two\n")
    assert "diff" not in world.scan()[0]["file_integrity"]
    assert world.baseline.database.execute("SELECT count(*) FROM contents").fetchone()[0] == 0


def test_lines_are_shown_and_secrets_are_not(world: World) -> None:
    world.settings = ON
    (world.top / "a.conf").write_text("name = x\npassword = hunter2\nend\n")
    (world.top / "server.key").write_text("private\n")
    (world.top / "binary").write_bytes(b"\0\1")
    (world.top / "large").write_text("x" * 70_000)
    world.scan()
    (world.top / "a.conf").write_text("name = y\npassword = hunter3\nend\n")
    (world.top / "server.key").write_text("other\n")
    (world.top / "binary").write_bytes(b"\0\2")
    (world.top / "large").write_text("y" * 70_000)
    events = {event["file"]["name"]: event["file_integrity"] for event in world.scan()}
    lines = events["a.conf"]["diff"]
    assert lines[1:3] == ["-name = x", "-password = [redacted] " + lines[2].split()[-1]]
    assert lines[3] == "+name = y"
    assert lines[4].startswith("+password = [redacted] ")
    assert lines[2].split()[-1] != lines[4].split()[-1]
    for name in ("server.key", "binary", "large"):
        assert "diff" not in events[name]
    world.baseline.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = b"".join(path.read_bytes() for path in (world.folder / "state").iterdir() if path.is_file())
    assert b"hunter" not in kept


def test_long_differences_are_cut_and_say_so(world: World) -> None:
    world.settings = ON
    (world.top / "a").write_text("".join(f"{number}\n" for number in range(100)))
    world.scan()
    (world.top / "a").write_text("".join(f"{number}!\n" for number in range(100)))
    assert world.scan()[0]["file_integrity"]["diff"][-1].startswith("… 195 more lines")
