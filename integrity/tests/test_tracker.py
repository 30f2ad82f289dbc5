# SPDX-License-Identifier: Apache-2.0
"""Events of the audit system become changes with their users: each way in which a file can change has one answer."""

from __future__ import annotations

import os
import subprocess
import time

import pytest
from audit_support import Audited
from integrity_support import World

from auditpack_integrity.change import Change


@pytest.fixture
def audited(world: World) -> Audited:
    (world.top / "a").write_text("a")
    (world.top / "sub").mkdir()
    (world.top / "sub" / "b").write_text("b")
    world.scan()
    return Audited(world)


def sums(audited: Audited) -> None:
    """In = out: every touch is in one counter."""
    counters = audited.tracker.counters
    waiting = sum(1 for _ in audited.tracker.waiting._names)
    assert waiting == 0
    assert counters["touches"] == sum(value for name, value in counters.items() if name != "touches"), counters


def test_write_create_delete_with_who(audited: Audited) -> None:
    audited.write("a", "changed")
    audited.write("new", "n")
    audited.remove("sub/b")
    events = {event["file"]["name"]: event for event in audited.settle()}
    assert {name: event["event"]["action"] for name, event in events.items()} == {
        "a": ["updated"], "new": ["created"], "b": ["deleted"],
    }  # fmt: skip
    event = events["a"]
    assert event["user"] == {"id": "0", "name": "root", "audit": {"id": "1000", "name": "alice"}}
    assert event["process"]["executable"] == "/usr/bin/test"
    assert event["auditd"] == {"session": "4", "syscall": "openat", "event_ids": ["1795180126.804:1"]}
    assert event["tags"] == ["file-integrity"]
    assert event["file_integrity"]["source"] == "audit"
    assert "why_unknown" not in event["file_integrity"]
    sums(audited)
    assert audited.world.scan() == []


def test_reading_and_what_is_excluded_tell_nothing(audited: Audited) -> None:
    found = os.stat(audited.path("a"))
    audited.feed("openat", [(audited.path("a"), found, "NORMAL")], a2="0x80000")
    audited.write(".a.swp", "x")
    audited.write("a~", "x")
    audited.feed("openat", [(b"/etc/hosts", os.stat("/etc/hosts"), "NORMAL")], a2="0x1")
    assert audited.settle() == []
    assert audited.tracker.counters["touches"] == 3
    sums(audited)


def test_mode_owner_and_times(audited: Audited) -> None:
    path = audited.path("a")
    os.chmod(path, 0o4755)  # noqa: S103
    audited.feed("fchmod", [(None, os.stat(path), "NORMAL")])  # by descriptor: no name
    os.utime(path, (1, 1))
    audited.feed("utimensat", [(path, os.stat(path), "NORMAL")])
    events = audited.settle()
    assert audited.world.told(events) == {"a": ["attributes_modified"]}
    assert events[0]["file_integrity"]["changed"] == ["mode", "mtime"]
    assert events[0]["event"]["severity"] == 73
    sums(audited)


def test_a_name_relative_to_a_descriptor_is_found_by_its_directory(audited: Audited) -> None:
    audited.remove("sub/b", at="/somewhere/else")
    assert audited.told() == {"sub/b": ["deleted"]}
    sums(audited)


def test_new_directories_in_new_directories(audited: Audited) -> None:
    """As tar and git make them: relative to descriptors and to a working directory that is itself new."""
    audited.mkdir("t")
    audited.mkdir("t/u", cwd=b"/elsewhere")
    path = audited.path("t/u/file")
    with open(path, "w") as file:
        file.write("x")
    audited.feed(
        "openat",
        [(b"/elsewhere", os.stat(audited.path("t/u")), "PARENT"), (b"file", os.stat(path), "CREATE")],
        cwd=b"/elsewhere",
        a2="0x241",
    )
    assert audited.told() == {"t": ["created"], "t/u": ["created"], "t/u/file": ["created"]}
    sums(audited)


def test_a_rename_is_one_event(audited: Audited) -> None:
    audited.rename("a", "sub/c")
    events = audited.settle()
    assert audited.world.told(events) == {"sub/c": ["moved"]}
    assert events[0]["file_integrity"]["moved_from"] == f"{audited.world.top}/a"
    assert events[0]["user"]["audit"]["name"] == "alice"
    sums(audited)
    audited.write("sub/c", "later")
    assert audited.told() == {"sub/c": ["updated"]}


def test_a_rename_over_a_known_file(audited: Audited) -> None:
    audited.rename("a", "sub/b")
    events = {event["file"]["name"]: event for event in audited.settle()}
    assert events["b"]["event"]["action"] == ["updated"]
    assert events["b"]["file_integrity"]["renamed_from"] == f"{audited.world.top}/a"
    assert events["a"]["event"]["action"] == ["deleted"]
    assert events["a"]["file_integrity"]["moved_to"] == f"{audited.world.top}/sub/b"
    sums(audited)


def test_the_atomic_replacement_of_editors_and_dpkg_is_one_update(audited: Audited) -> None:
    """vi, sed -i, rsync, dpkg: a new file under another name, written, renamed over the old one."""
    audited.write("sub/sedAb12", "replaced")
    audited.rename("sub/sedAb12", "sub/b")
    events = audited.settle()
    assert audited.world.told(events) == {"sub/b": ["updated"]}
    assert events[0]["file_integrity"]["renamed_from"] == f"{audited.world.top}/sub/sedAb12"
    assert events[0]["auditd"]["event_ids"] == ["1795180126.804:1", "1795180126.804:2"]
    sums(audited)


def test_a_backup_by_rename_and_a_new_file_in_its_place(audited: Audited) -> None:
    """vi with backupcopy=no: the file goes to another name, a new one takes its place."""
    audited.rename("a", "a.bak")
    audited.write("a", "edited")
    assert audited.told() == {"a.bak": ["moved"], "a": ["created"]}
    sums(audited)
    assert audited.world.scan() == []


def test_moved_out_and_in(audited: Audited) -> None:
    outside = audited.world.folder / "outside"
    outside.mkdir()
    prefix = os.fsencode(outside)
    moved = os.stat(audited.path("sub"))
    parents = [(audited.path("")[:-1], os.stat(audited.world.top), "PARENT"), (prefix, os.stat(outside), "PARENT")]
    os.rename(audited.path("sub"), prefix + b"/sub")
    audited.feed("rename", [*parents, (audited.path("sub"), moved, "DELETE"), (prefix + b"/sub", moved, "CREATE")])
    events = audited.settle()
    assert audited.world.told(events) == {"sub": ["deleted"], "sub/b": ["deleted"]}
    assert {event["file_integrity"]["moved_to"] for event in events} == {f"{outside}/sub", f"{outside}/sub/b"}
    os.rename(prefix + b"/sub", audited.path("back"))
    audited.feed(
        "rename", [*reversed(parents), (prefix + b"/sub", moved, "DELETE"), (audited.path("back"), moved, "CREATE")]
    )
    assert audited.told() == {"back": ["created"], "back/b": ["created"]}
    sums(audited)


def test_a_renamed_tree_tells_every_name(audited: Audited) -> None:
    audited.write("sub/fresh", "not looked at yet")
    audited.rename("sub", "other")
    audited.write("other/b", "written under the new name")
    told = [(event["file"]["name"], event["event"]["action"]) for event in audited.settle()]
    assert told == [("other", ["moved"]), ("b", ["moved"]), ("b", ["updated"]), ("fresh", ["created"])]
    assert audited.world.scan() == []
    assert {path for path, _ in audited.world.baseline.everything()} >= {
        audited.path("other"), audited.path("other/b"), audited.path("other/fresh"),
    }  # fmt: skip
    sums(audited)


def test_hard_links_share_their_writes(audited: Audited) -> None:
    os.link(audited.path("a"), audited.path("hard"))
    found = os.stat(audited.path("a"))
    parent = (os.fsencode(audited.world.top), os.stat(audited.world.top), "PARENT")
    audited.feed("linkat", [(audited.path("a"), found, "NORMAL"), parent, (audited.path("hard"), found, "CREATE")])
    events = {event["file"]["name"]: event for event in audited.settle()}
    assert events["hard"]["event"]["action"] == ["created"]
    assert events["hard"]["file_integrity"]["linked_to"] == f"{audited.world.top}/a"
    audited.write("a", "through one name")
    assert audited.told() == {"a": ["updated"], "hard": ["updated"]}
    sums(audited)


def test_a_swapped_symbolic_link(audited: Audited) -> None:
    os.symlink("a", audited.path("link"))
    audited.world.scan()
    os.symlink("/etc/shadow", audited.path("link.new"))
    found = os.lstat(audited.path("link.new"))
    parent = (os.fsencode(audited.world.top), os.stat(audited.world.top), "PARENT")
    audited.feed("symlinkat", [parent, (audited.path("link.new"), found, "CREATE")])
    audited.rename("link.new", "link")
    events = audited.settle()
    assert audited.world.told(events) == {"link": ["updated"]}
    assert events[0]["file"]["target_path"] == "/etc/shadow"
    assert events[0]["file_integrity"]["previous"]["target_path"] == "a"
    sums(audited)


def test_what_was_written_through_a_link_is_told_of_the_file(audited: Audited) -> None:
    os.symlink("a", audited.path("alias"))
    audited.world.scan()
    with open(audited.path("a"), "w") as file:
        file.write("through the alias")
    parent = (os.fsencode(audited.world.top), os.stat(audited.world.top), "PARENT")
    audited.feed("openat", [parent, (audited.path("alias"), os.stat(audited.path("a")), "NORMAL")], a2="0x201")
    assert audited.told() == {"a": ["updated"]}


def test_gone_before_anyone_looked(audited: Audited) -> None:
    audited.write("flash", "secret")
    audited.remove("flash")
    events = audited.settle()
    assert audited.world.told(events) == {"flash": ["created", "deleted"]}
    assert events[0]["file_integrity"]["short_lived"] is True
    assert "hash" not in events[0]["file"]
    sums(audited)


def test_truncation_to_the_same_size_later(audited: Audited) -> None:
    path = audited.path("a")
    os.truncate(path, 0)
    audited.feed("truncate", [(path, os.stat(path), "NORMAL")])
    events = audited.settle()
    assert events[0]["file"]["size"] == 0
    assert events[0]["auditd"]["syscall"] == "truncate"


def test_several_users_at_once_are_all_named(audited: Audited) -> None:
    audited.write("a", "one")
    audited.login, audited.pid = "bob", 4_000_001
    audited.write("a", "two!")
    events = audited.settle()
    assert events[0]["user"]["audit"]["name"] == "bob"
    actors = events[0]["file_integrity"]["actors"]
    assert [actor["user"]["audit"]["name"] for actor in actors] == ["alice", "bob"]


def test_a_write_after_the_opening_is_told_when_the_writer_closes(audited: Audited) -> None:
    """Audit tells of the opening alone; what is written later, by write or by mmap, is read when it is closed."""
    path = audited.path("a")
    code = (
        "import sys, mmap, os; f = open(sys.argv[1], 'r+b'); print('open', flush=True); sys.stdin.readline();"
        "m = mmap.mmap(f.fileno(), 1); m[0:1] = b'Z'; m.close(); f.close(); print('closed', flush=True);"
        "sys.stdin.readline()"
    )
    with subprocess.Popen(
        ["python3", "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdin
        assert writer.stdout
        writer.stdout.readline()
        audited.pid = writer.pid
        audited.feed("openat", [(path, os.stat(path), "NORMAL")], a2="0x2")
        assert audited.settle() == []
        assert path in audited.tracker.writers
        writer.stdin.write("go\n")
        writer.stdin.flush()
        writer.stdout.readline()
        events = []
        for _ in range(50):
            events = audited.settle()
            if events:
                break
            time.sleep(0.05)
        assert audited.world.told(events) == {"a": ["updated"]}
        assert events[0]["user"]["audit"]["name"] == "alice"
        writer.stdin.write("end\n")
    audited.settle(5)
    assert path not in audited.tracker.writers


def test_a_change_that_a_scan_finds_first_waits_for_its_event(audited: Audited) -> None:
    path = audited.path("a")
    old = audited.world.baseline.get(path)
    with open(path, "w") as file:
        file.write("changed")
    audited.tracker.suspect(Change(path, old, old), "no-event")
    assert audited.settle(1.0) == []
    audited.write("a", "changed")
    assert audited.told() == {"a": ["updated"]}
    with open(path, "w") as file:
        file.write("again")
    audited.tracker.suspect(Change(path, old, old), "no-event")
    events = audited.settle(4.0)
    assert audited.world.told(events) == {"a": ["updated"]}
    assert "user" not in events[0]
    assert events[0]["file_integrity"]["why_unknown"] == "no-event"
    assert events[0]["file_integrity"]["source"] == "scan"


@pytest.mark.parametrize("name", [b"new\nline", b"\xff%41\xfe", b"n" * 255, b" "])
def test_hostile_names(audited: Audited, name: bytes) -> None:
    audited.write(name, "x")
    audited.rename(name, b"sub/" + name)
    audited.remove(b"sub/" + name)
    events = audited.settle()
    assert [event["event"]["action"] for event in events] == [["created", "deleted"]]
    audited.write(name, "x")
    assert [event["event"]["action"] for event in audited.settle()] == [["created"]]
    sums(audited)


def test_a_directory_swapped_for_a_link_leads_nowhere(audited: Audited) -> None:
    """Between the event and the look: nothing is read through the link."""
    audited.write("sub/b", "written")
    os.rename(audited.path("sub"), audited.path("aside"))
    os.symlink("/etc", audited.path("sub"))
    (audited.world.top / "aside" / "b").write_text("x")
    events = audited.settle()
    assert audited.world.told(events) == {"sub/b": ["deleted"]}


def test_a_thousand_files_each_with_its_user(audited: Audited) -> None:
    for number in range(20):
        audited.mkdir(f"burst{number}")
        for each in range(50):
            audited.write(f"burst{number}/{each}", str(each))
    told = audited.told()
    assert len(told) == 1020
    assert set(map(tuple, told.values())) == {("created",)}
    sums(audited)


def test_an_exchange_of_two_names(audited: Audited) -> None:
    first, second = audited.path("a"), audited.path("sub/b")
    one, two = os.stat(first), os.stat(second)
    parents = [(os.path.dirname(each), os.stat(os.path.dirname(each)), "PARENT") for each in (first, second)]
    os.rename(first, audited.path("c"))
    os.rename(second, first)
    os.rename(audited.path("c"), second)
    audited.feed(
        "renameat2",
        [*parents, (first, one, "DELETE"), (second, two, "DELETE"), (second, one, "CREATE"), (first, two, "CREATE")],
    )
    assert audited.told() == {"a": ["updated"], "sub/b": ["updated"]}
    sums(audited)
