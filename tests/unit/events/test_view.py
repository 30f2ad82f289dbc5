# SPDX-License-Identifier: Apache-2.0
"""The same fields out of both formats."""

from __future__ import annotations

from typing import Any

import pytest

from tests.events.view import UNSET, Socket, View, event_id, serial
from tests.unit.events.samples import SYSCALLS, touch, touch_records


@pytest.mark.parametrize("event", [touch(), touch_records()], ids=["ecs", "records"])
def test_both_formats_give_the_same_fields(event: dict[str, Any]) -> None:
    view = View(event, SYSCALLS)
    assert (view.id, serial(event)) == ("1795180126.804:204", 204)
    assert view.keys == ["identity"]
    assert (view.abi, view.syscall, view.success, view.exit) == ("b64", "openat", True, 3)
    assert (view.text("exe"), view.text("comm")) == ("/usr/bin/touch", "touch")
    assert (view.user("auid"), view.user("euid")) == ((1000, "alice"), (0, "root"))
    assert [view.argument(index) for index in (0, 2)] == [0xFFFFFF9C, 0x941]
    assert [(path.names, path.nametype, path.ouid) for path in view.paths] == [
        (("/etc",), "PARENT", 0),
        (("/etc/passwd",), "NORMAL", 0),
    ]
    assert "PATH" in view.types


def event(*records: dict[str, Any]) -> dict[str, Any]:
    return {"event": {"id": "1.000:1"}, "auditd": {"records": list(records)}}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"saddr": "020004010A000202" + "0" * 16}, Socket("inet", "10.0.2.2", 1025)),
        ({"saddr": "0A000401" + "00000000" + "0" * 31 + "1" + "00000000"}, Socket("inet6", "::1", 1025)),
        ({"saddr": "01002F6465762F6C6F6700"}, Socket("unix", path="/dev/log")),
        ({"saddr": "010000616263"}, Socket("unix", path="@abc")),
        ({"saddr": "1100"}, Socket("packet")),
        ({"saddr": "xx", "SADDR": "{saddr_fam=inet laddr=10.0.2.2 lport=34224}"}, Socket("inet", "10.0.2.2", 34224)),
        ({"SADDR": {"saddr_fam": "local", "path": "/dev/log"}}, Socket("unix", path="/dev/log")),
        ({"saddr": {"family": "unix", "abstract": "abc"}}, Socket("unix", path="@abc")),
        ({"saddr": {"family": "inet6", "addr": "::1", "port": 7}}, Socket("inet6", "::1", 7)),
    ],
)
def test_socket_addresses(record: dict[str, Any], expected: Socket) -> None:
    assert View(event({"type": "SOCKADDR", **record})).sockets == [expected]


def test_relative_names_are_joined_with_cwd_and_with_the_parent() -> None:
    view = View(
        event(
            {"type": "SYSCALL"},
            {"type": "CWD", "cwd": "/home/alice"},
            {"type": "PATH", "name": "a/", "nametype": "PARENT"},
            {"type": "PATH", "name": "a/../a/b", "nametype": "CREATE"},
            {"type": "PATH", "name": "(null)", "nametype": "NORMAL"},
        )
    )
    assert view.paths[1].names == ("/home/alice/a/b",)
    assert view.paths[2].names == ()


def test_name_below_a_directory_descriptor_is_found_by_its_parent() -> None:
    view = View(
        event(
            {"type": "CWD", "cwd": "/root"},
            {"type": "PATH", "name": "/srv/x", "nametype": "PARENT"},
            {"type": "PATH", "name": "f", "nametype": "DELETE"},
        )
    )
    assert view.paths[1].names == ("/root/f", "/srv/x/f")


def test_several_keys_in_every_spelling() -> None:
    assert View(event({"type": "SYSCALL", "key": "a\x01b"})).keys == ["a", "b"]
    assert View(event({"type": "SYSCALL", "key": ["a", "b"]})).keys == ["a", "b"]
    assert View(event({"type": "SYSCALL", "key": None})).keys == []


def test_user_records_have_result_and_program_in_their_message() -> None:
    view = View(event({"type": "USER_AUTH", "auid": UNSET, "msg": {"exe": "/usr/bin/sudo", "res": "failed"}}))
    assert (view.success, view.text("exe"), view.user("auid")[0]) == (False, "/usr/bin/sudo", UNSET)
    assert view.field("res") == ["failed"]


def test_32_bit_calls_are_named_from_their_own_table() -> None:
    view = View({"ID": "1.0:2", "SYSCALL": {"arch": "0x40000003", "syscall": 295}}, SYSCALLS)
    assert (view.abi, view.syscall) == ("b32", "openat")
    assert View({"ID": "1.0:2", "SYSCALL": {"arch": "0x40000003", "syscall": 1}}, SYSCALLS).syscall == "1"


def test_what_is_no_event_is_refused() -> None:
    with pytest.raises(ValueError, match="neither an ecs nor a records event"):
        event_id({"message": "hello"})
