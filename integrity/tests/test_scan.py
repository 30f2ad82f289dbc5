# SPDX-License-Identifier: Apache-2.0
"""Scans of real files: every change is found and told once, whatever the names are."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from integrity_support import World

from auditpack_integrity import inspect as inspecting
from auditpack_integrity import rescan
from auditpack_integrity.change import Change
from auditpack_integrity.quote import unquote
from auditpack_integrity.rescan import Rescanner
from auditpack_integrity.selection import Selection


def test_the_first_scan_tells_one_note_and_the_next_nothing(world: World) -> None:
    (world.top / "a").write_text("a")
    (world.top / "sub").mkdir()
    assert world.scan() == []
    assert [note["event"]["action"] for note in world.events("note")] == [["initial_scan"]]
    assert world.scan() == []
    assert world.baseline.count() == 3


def test_initial_events_on_request(world: World) -> None:
    world.settings = "[scan]\ninitial_events = true\n"
    (world.top / "a").write_text("a")
    events = world.scan()
    assert {event["file"]["name"]: event["event"]["action"] for event in events} == {
        "top": ["initial_scan"],
        "a": ["initial_scan"],
    }
    assert events[1]["file"]["hash"]["sha256"].startswith("ca978112")
    assert list(world.ledger.journal.unaccepted()) == []


def test_each_kind_of_change_has_its_action(world: World) -> None:
    top = world.top
    for name in ("content", "mode", "gone", "touched", "kind"):
        (top / name).write_text("one")
    (top / "link").symlink_to("content")
    world.scan()
    (top / "content").write_text("two!")
    (top / "mode").chmod(0o4711)
    (top / "gone").unlink()
    os.utime(top / "touched", ns=(5, 10**18))
    (top / "kind").unlink()
    (top / "kind").mkdir()
    (top / "new").write_text("new")
    (top / "link").unlink()
    (top / "link").symlink_to("mode")
    events = world.scan()
    assert world.told(events) == {
        "content": ["updated"],
        "mode": ["attributes_modified"],
        "gone": ["deleted"],
        "touched": ["attributes_modified"],
        "kind": ["updated", "attributes_modified"],
        "new": ["created"],
        "link": ["updated"],
    }
    by_name = {event["file"]["name"]: event for event in events}
    assert by_name["content"]["file"]["size"] == 4
    assert by_name["content"]["file_integrity"]["previous"]["size"] == 3
    assert by_name["content"]["file"]["hash"] != by_name["content"]["file_integrity"]["previous"]["hash"]
    assert by_name["mode"]["file"]["setuid"] is True
    assert by_name["mode"]["file_integrity"]["previous"]["mode"] == "0644"
    assert by_name["mode"]["event"]["severity"] == 73
    assert by_name["link"]["file"]["target_path"] == "mode"
    assert by_name["link"]["file_integrity"]["previous"]["target_path"] == "content"
    assert by_name["gone"]["file"]["hash"]["sha256"]
    assert by_name["kind"]["file"]["type"] == "dir"
    assert all("user" not in event for event in events)
    assert world.scan() == []


def test_a_file_moved_while_nobody_looked_is_one_change(world: World) -> None:
    (world.top / "sub").mkdir()
    (world.top / "z").write_text("z")
    world.scan()
    (world.top / "z").rename(world.top / "sub" / "a")
    events = world.scan()
    assert world.told(events) == {"sub/a": ["moved"]}
    assert events[0]["file_integrity"]["moved_from"] == f"{world.top}/z"
    (world.top / "sub" / "a").rename(world.top / "0")
    assert world.told(world.scan()) == {"0": ["moved"]}


def test_a_moved_tree_tells_every_name_in_it(world: World) -> None:
    tree = world.top / "b"
    (tree / "in").mkdir(parents=True)
    (tree / "in" / "file").write_text("x")
    (tree / "other").write_text("y")
    world.scan()
    tree.rename(world.top / "a")
    assert world.told(world.scan()) == {name: ["moved"] for name in ("a", "a/in", "a/in/file", "a/other")}
    (world.top / "a").rename(world.top / "c")
    assert set(world.told(world.scan())) == {"c", "c/in", "c/in/file", "c/other"}
    assert world.scan() == []


def test_a_removed_tree_tells_every_name_in_it(world: World) -> None:
    (world.top / "a" / "b").mkdir(parents=True)
    (world.top / "a" / "b" / "c").write_text("x")
    world.scan()
    for path in (world.top / "a" / "b" / "c",):
        path.unlink()
    (world.top / "a" / "b").rmdir()
    (world.top / "a").rmdir()
    assert world.told(world.scan()) == {name: ["deleted"] for name in ("a/b/c", "a/b", "a")}
    assert world.baseline.count() == 1


def test_hard_links_are_told_as_such(world: World) -> None:
    (world.top / "a").write_text("x")
    world.scan()
    os.link(world.top / "a", world.top / "b")
    events = world.scan()
    assert world.told(events) == {"a": ["attributes_modified"], "b": ["created"]}
    assert events[1]["file_integrity"]["linked_to"] == f"{world.top}/a"
    (world.top / "a").write_text("longer")
    assert world.told(world.scan()) == {"a": ["updated"], "b": ["updated"]}


def test_a_replaced_file_of_the_same_content_is_an_update(world: World) -> None:
    (world.top / "a").write_text("x")
    world.scan()
    (world.top / "b").write_text("x")
    (world.top / "b").rename(world.top / "a")
    events = world.scan()
    assert world.told(events) == {"a": ["updated"]}
    assert "inode" in events[0]["file_integrity"]["changed"]
    assert "content" not in events[0]["file_integrity"]["changed"]


HOSTILE = [
    b"new\nline",
    b"\xff\xfe",
    b"\x1b[31mred",
    b"n" * 255,
    "名前".encode(),
    b"%41",
    b"-rf",
    b" ",
    b"\xc3\xa4/"[:2],
]


def test_hostile_names_come_back_as_they_were(world: World) -> None:
    world.scan()
    for name in HOSTILE:
        Path(os.fsdecode(world.path(name))).write_text("x")
    events = world.scan()
    assert {unquote(event["file"]["path"]) for event in events} == {world.path(name) for name in HOSTILE}
    for name in HOSTILE:
        os.unlink(world.path(name))
    assert {unquote(event["file"]["path"]) for event in world.scan()} == {world.path(name) for name in HOSTILE}


def test_paths_longer_than_the_kernel_takes_at_once(world: World) -> None:
    world.scan()
    fd = os.open(world.top, os.O_RDONLY)
    names = 25
    for _ in range(names):
        os.mkdir("d" * 250, dir_fd=fd)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    events = world.scan()
    assert len(events) == names + 1
    assert len(max((event["file"]["path"] for event in events), key=len)) > 6000
    with open(f"/proc/self/fd/{fd}/file", "w") as file:
        file.write("changed")
    os.close(fd)
    assert [event["event"]["action"] for event in world.scan()] == [["updated"]]


def test_fifos_sockets_and_devices_are_never_opened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(world.top / "fifo")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(world.top / "socket"))
    (world.top / "file").write_text("x")
    opened: list[object] = []
    real = os.open

    def record(path: object, flags: int, *rest: object, **more: object) -> int:
        if not flags & os.O_PATH:
            opened.append(path)
        return real(path, flags, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(inspecting.os, "open", record)
    world.scan()
    server.close()
    assert b"fifo" not in opened
    assert b"socket" not in opened
    assert {path for path, _ in world.baseline.everything()} >= {world.path("fifo"), world.path("socket")}


def test_a_file_beyond_the_limit_is_known_by_its_metadata(world: World) -> None:
    world.settings = "max_file_size = 10\n"
    (world.top / "big").write_text("x" * 11)
    with (world.top / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    world.scan()
    state = world.baseline.get(world.path("big"))
    assert state is not None
    assert (state.note, state.hashes) == ("too-large", None)
    (world.top / "big").write_text("y" * 11)
    assert world.told(world.scan()) == {"big": ["updated"]}
    (world.top / "big").write_text("small")
    assert world.told(world.scan()) == {"big": ["updated"]}


def test_content_changed_behind_the_clock_is_found_by_a_full_scan(world: World) -> None:
    """Same size, time of writing put back: the inode's own time gives it away; without even that, a full scan does."""
    file = world.top / "a"
    file.write_text("one")
    found = file.stat()
    world.scan()
    file.write_text("two")
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))
    events = world.scan()
    assert events[0]["file_integrity"]["changed"] == ["content"]
    world.baseline.database.execute("UPDATE entries SET hashes = zeroblob(32)")
    world.baseline._sum = int(world.baseline.computed_sum(), 16)
    world.baseline.set_meta("sum", world.baseline.sum())
    assert world.scan() == []
    assert world.told(world.scan(full=True)) == {"a": ["updated"]}


def test_exclude_include_and_recursion(world: World) -> None:
    world.settings = r"""
exclude = ['\.swp$', '/skip(/|$)']
include = ['\.(conf|swp)$', '/sub']
recursion = 1
"""
    for name in ("a.conf", "a.txt", "a.conf.swp", "sub/b", "sub/deep/c.conf", "skip/d.conf"):
        (world.top / name).parent.mkdir(parents=True, exist_ok=True)
        (world.top / name).write_text("x")
    world.scan()
    kept = {os.fsdecode(path).replace(f"{world.top}/", "") for path, _ in world.baseline.everything()}
    assert kept == {"a.conf", "sub", "sub/b", "sub/deep"}


def test_what_is_no_longer_watched_is_forgotten_in_silence(world: World) -> None:
    (world.top / "a").write_text("a")
    (world.top / "sub").mkdir()
    (world.top / "sub" / "b").write_text("b")
    world.scan()
    world.settings = "exclude = ['/sub']\n"
    world.reopen()
    assert world.scan() == []
    assert world.baseline.count() == 2
    world.settings = f'paths = ["{world.top}/a"]\n'
    world.reopen()
    assert world.scan() == []
    assert {path for path, _ in world.baseline.everything()} == {world.path("a")}


def test_a_watched_path_that_goes_away_is_told_with_all_below(world: World) -> None:
    (world.top / "r" / "s").mkdir(parents=True)
    (world.top / "r" / "s" / "f").write_text("f")
    world.settings = f'paths = ["{world.top}/r", "{world.top}/one*"]\n'
    (world.top / "one.txt").write_text("1")
    world.scan()
    (world.top / "r" / "s" / "f").unlink()
    (world.top / "r" / "s").rmdir()
    (world.top / "r").rmdir()
    (world.top / "one.txt").unlink()
    assert world.told(world.scan()) == {name: ["deleted"] for name in ("r", "r/s", "r/s/f", "one.txt")}
    (world.top / "one.log").write_text("new match of the pattern")
    assert world.told(world.scan()) == {"one.log": ["created"]}


def test_a_watched_link_is_watched_with_what_it_points_to(world: World) -> None:
    (world.top / "real").mkdir()
    (world.top / "real" / "f").write_text("f")
    (world.top / "other").mkdir()
    (world.top / "alias").symlink_to("real")
    world.settings = f'paths = ["{world.top}/alias"]\n'
    world.scan()
    assert {path for path, _ in world.baseline.everything()} == {
        world.path(name) for name in ("alias", "real", "real/f")
    }
    (world.top / "alias").unlink()
    (world.top / "alias").symlink_to("other")
    assert world.told(world.scan())["alias"] == ["updated"]


def test_a_stopped_scan_goes_on_where_it_was(world: World) -> None:
    for number in range(30):
        (world.top / f"d{number:02}").mkdir()
        (world.top / f"d{number:02}" / "f").write_text("x")
    world.scan()
    for number in range(30):
        (world.top / f"d{number:02}" / "f").write_text("changed")
    (world.top / "d03" / "f").unlink()
    rescanner = Rescanner(world.config, world.ledger)
    selection = Selection(world.config)
    before = rescan._SLICE_ENTRIES
    rescan._SLICE_ENTRIES = 12
    try:
        slices = rescanner.slices(selection)
        next(slices)
        next(slices)
        slices.close()
    finally:
        rescan._SLICE_ENTRIES = before
    first = world.told(world.events())
    assert 0 < len(first) < 30
    world.reopen()
    rescanner = Rescanner(world.config, world.ledger)
    assert rescanner.interrupted
    second = world.told(world.scan())
    assert not set(first) & set(second)
    assert len(first) + len(second) == 30
    assert not rescanner.interrupted


def test_new_hash_types_are_no_change(world: World) -> None:
    (world.top / "a").write_text("a")
    world.scan()
    world.settings = 'hashes = ["md5", "blake2b_256"]\n'
    world.reopen()
    assert world.scan() == []
    (world.top / "a").write_text("b")
    assert set(world.scan()[0]["file"]["hash"]) == {"md5", "blake2b_256"}


def test_a_changed_entry_moves_the_sum_and_back(world: World) -> None:
    (world.top / "a").write_text("a")
    world.scan()
    before = world.baseline.sum()
    state = world.baseline.get(world.path("a"))
    assert state is not None
    world.ledger.apply([Change(world.path("a"), state, None)])
    assert world.baseline.sum() != before
    world.ledger.apply([Change(world.path("a"), None, state)])
    assert world.baseline.sum() == before
    assert list(world.ledger.journal.unaccepted()) == []


def test_no_permission_is_told_and_nothing_counts_as_deleted(world: World) -> None:
    (world.top / "shut").mkdir()
    (world.top / "shut" / "f").write_text("x")
    (world.top / "secret").write_text("x")
    world.scan()
    (world.top / "shut").chmod(0)
    (world.top / "secret").chmod(0)
    for folder in (world.folder, world.folder / "state", *(world.folder / "state").iterdir()):
        folder.chmod(0o777)
    for folder in world.folder.parents:
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    world.reopen()
    if os.fork() == 0:
        code = 1
        try:
            if os.getuid() == 0:
                os.setresuid(65534, 65534, 65534)
            events = world.scan()
            state = world.baseline.get(world.path("secret"))
            notes = world.events("note")
            assert world.told(events) == {"shut": ["attributes_modified"], "secret": ["attributes_modified"]}, events
            assert state is not None
            assert state.note == "unreadable"
            assert notes[-1]["file_integrity"]["unreadable"][0]["path"] == f"{world.top}/shut"
            code = 0
        except BaseException as error:
            print(repr(error))
        finally:
            os._exit(code)
    assert os.wait()[1] == 0
    (world.top / "shut").chmod(0o700)
    world.reopen()
    assert "shut/f" not in world.told(world.scan())
