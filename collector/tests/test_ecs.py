# SPDX-License-Identifier: Apache-2.0
"""Format `ecs`: what the proof and dashboards rely on, and that no field of any record is lost."""

from __future__ import annotations

from typing import Any

import pytest
from collector_support import Run, corpus, events_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditpack_collector import decode, normalise
from auditpack_collector.quote import ecs_text, records_text, unquote
from auditpack_collector.scan import Record, scan
from auditpack_collector.tables import ARCHES, RECORD_TYPES, SYSCALLS

TEXT_TAIL = '\x1dAUID="alice" UID="root"'


def line(type_: str, body: str, serial: int = 3) -> bytes:
    return f"type={type_} msg=audit(1795180126.804:{serial}): {body}\n".encode()


OPEN = (
    line("SYSCALL", "arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=7f a2=241 a3=1b6 items=2 ppid=831"
         ' pid=867 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=4 comm="touch"'
         ' exe="/usr/bin/touch" subj=unconfined key=6964656E74697479016278' + TEXT_TAIL)
    + line("CWD", 'cwd="/etc"')
    + line("PATH", 'item=0 name="/etc/" inode=1 dev=fe:00 mode=040755 ouid=0 ogid=0 rdev=00:00 nametype=PARENT')
    + line("PATH", 'item=1 name="passwd" inode=9 dev=fe:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL'
           '\x1dOUID="root" OGID="root"')
    + line("PROCTITLE", "proctitle=746F75636800706173737764")
)  # fmt: skip


def test_file_event(run: Run) -> None:
    (event,) = run(OPEN)
    records = event["auditd"].pop("records")
    assert event == {
        "@timestamp": "2026-11-20T13:08:46.804Z",
        "ecs": {"version": "8.17.0"},
        "event": {
            "id": "1795180126.804:3", "sequence": 3, "kind": "event", "module": "auditd", "category": ["file"],
            "type": ["change"], "action": "opened-file", "outcome": "success",
        },
        "tags": ["identity", "bx"],
        "user": {
            "id": "0", "name": "root", "group": {"id": "0"}, "audit": {"id": "1000", "name": "alice"},
            "effective": {"id": "0", "group": {"id": "0"}},
        },
        "process": {
            "pid": 867, "parent": {"pid": 831}, "name": "touch", "executable": "/usr/bin/touch",
            "args": ["touch", "passwd"], "title": "touch passwd", "working_directory": "/etc",
        },
        "file": {
            "path": "/etc/passwd", "name": "passwd", "mode": "0644", "type": "file", "inode": "9", "uid": "0",
            "gid": "0", "device": "fe:00", "owner": "root", "group": "root",
        },
        "related": {"user": ["root", "alice"]},
        "auditd": {
            "schema": 1, "session": "4", "result": "success",
            "summary": {
                "actor": {"primary": "alice", "secondary": "root"},
                "object": {"type": "file", "primary": "/etc/passwd"}, "how": "/usr/bin/touch",
            },
        },
    }  # fmt: skip
    assert [record["type"] for record in records] == ["SYSCALL", "CWD", "PATH", "PATH", "PROCTITLE"]
    assert records[0]["key"] == ["identity", "bx"]
    assert (records[0]["auid"], records[0]["auid_name"], records[0]["syscall"]) == (1000, "alice", "openat")
    assert (records[3]["mode"], records[3]["ouid_name"]) == ("0100644", "root")


@pytest.mark.parametrize(
    ("flags", "nametype", "type_"),
    [("0", "NORMAL", "access"), ("1", "NORMAL", "change"), ("2", "NORMAL", "change"), ("40", "CREATE", "creation"),
     ("200", "NORMAL", "change"), ("80000", "NORMAL", "access")],
)  # fmt: skip
def test_opening_is_access_change_or_creation(run: Run, flags: str, nametype: str, type_: str) -> None:
    data = OPEN.replace(b"a2=241", f"a2={flags}".encode()).replace(b"nametype=NORMAL", f"nametype={nametype}".encode())
    assert run(data)[0]["event"]["type"] == [type_]


def test_failed_call_names_its_errno(run: Run) -> None:
    (event,) = run(OPEN.replace(b"success=yes exit=3", b"success=no exit=-13"))
    assert event["event"]["outcome"] == "failure"
    record = event["auditd"]["records"][0]
    assert (record["exit"], record["exit_name"]) == (-13, "EACCES")


def test_relative_to_an_unknown_directory_stays_relative(run: Run) -> None:
    assert run(OPEN.replace(b"a0=ffffff9c", b"a0=5"))[0]["file"]["path"] == "passwd"


@pytest.mark.parametrize(
    ("body", "user"),
    [
        # beats#11430: a failed login has the account it failed for, not "unset"
        ("pid=9 uid=0 auid=4294967295 ses=4294967295 msg='op=login acct=\"eve\" addr=10.0.2.2 res=failed'",
         {"name": "eve"}),
        ("pid=9 uid=0 auid=1000 ses=5 msg='op=login id=1000 addr=10.0.2.2 res=success'\x1dUID=\"root\" "
         "AUID=\"alice\" ID=\"alice\"", {"id": "1000", "name": "alice", "audit": {"id": "1000", "name": "alice"}}),
    ],
)  # fmt: skip
def test_login(run: Run, body: str, user: dict[str, Any]) -> None:
    (event,) = run(line("USER_LOGIN", body))
    assert event["event"]["category"] == ["authentication"]
    assert event["source"]["ip"] == "10.0.2.2"
    assert event["user"] == user


def test_sudo_keeps_actor_and_account_apart(run: Run) -> None:
    body = 'pid=9 uid=1000 auid=1000 ses=5 msg=\'op=PAM:session_open acct="root" exe="/usr/bin/sudo" res=success\''
    (event,) = run(line("USER_START", body + '\x1dUID="alice" AUID="alice"'))
    assert (event["user"]["name"], event["user"]["effective"]["name"]) == ("alice", "root")


def test_marker_text(run: Run) -> None:
    body = "pid=9 uid=0 auid=0 ses=5 msg='text=auditpack-proof 1 a.b begin exe=\"/usr/sbin/auditctl\" res=success'"
    (event,) = run(line("USER", body))
    assert event["message"] == "auditpack-proof 1 a.b begin"


@pytest.mark.parametrize(
    ("number", "end", "direction"), [(42, "destination", "egress"), (43, "source", "ingress"), (49, None, None)]
)
def test_socket(run: Run, number: int, end: str | None, direction: str | None) -> None:
    data = line("SYSCALL", f"arch=c000003e syscall={number} success=yes exit=0 items=0 pid=1")
    (event,) = run(data + line("SOCKADDR", "saddr=020000357F0000010000000000000000"))
    for name in ("source", "destination"):
        expected = {"address": "127.0.0.1", "ip": "127.0.0.1", "port": 53} if name == end else None
        assert event.get(name) == expected
    assert event.get("network", {}).get("direction") == direction
    assert event["auditd"]["records"][1]["saddr"] == {"family": "inet", "addr": "127.0.0.1", "port": 53}


def test_avc(run: Run) -> None:
    body = 'avc:  denied  { read open } for  pid=5 comm="x" path="/etc/shadow" scontext=a tclass=file permissive=0'
    (event,) = run(line("AVC", body))
    assert event["event"]["category"][0] == "intrusion_detection"
    assert event["auditd"]["records"][0]["seperms"] == ["read", "open"]


def test_malformed_line_is_an_event(run: Run) -> None:
    (event,) = run(b"rub\xffbish %41\n")
    assert event["event"]["kind"] == "pipeline_error"
    assert unquote(event["event"]["original"]) == b"rub\xffbish %41"


def test_tables_name_what_exists() -> None:
    assert set(normalise.SYSCALL_MEANINGS) <= set().union(*(table.values() for table in SYSCALLS.values()))
    assert set(normalise.RECORD_MEANINGS) - set(RECORD_TYPES) == {"IPE_ACCESS"}  # newer than the headers


@given(st.binary(max_size=60))
def test_quoting_loses_nothing(data: bytes) -> None:
    assert unquote(ecs_text(data)) == data
    assert unquote(records_text(data)) == data


def names_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for each in value.values() for name in names_of(each)}
    return {name for each in value for name in names_of(each)} if isinstance(value, list) else set()


def flat(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [leaf for each in value for leaf in flat(each)]
    return [leaf for each in value.values() for leaf in flat(each)] if isinstance(value, dict) else [value]


def found(name: bytes, token: bytes, objects: list[Any]) -> bool:
    """Whether the field stands in one of the objects, decoded or not, under its own name or `<name>_text`."""
    key = ecs_text(name or b"text").lower().replace(".", "_")
    key = "type_field" if key == "type" else key
    leaves = [leaf for each in objects for leaf in flat([each.get(key), each.get(key + "_text"), each.get("args")])]
    argument = bool(decode._ARGUMENT_LENGTH(name) or decode._ARGUMENT(name))
    value = decode.plain(token)
    if value is None or (key == "key" and token == b"(null)"):
        return any(key in each or (argument and "args" in each) for each in objects)  # a vector has "" for (null)
    candidates = {ecs_text(value), ecs_text(decode.encoded(token) or b"")}
    candidates |= {decode.hexadecimal(token) or "", "0" + (decode.octal(token) or "0o")[2:]}
    texts = {str(leaf) for leaf in leaves}
    if candidates & texts or ARCHES.get(token) in texts:
        return True
    if key == "syscall":
        return any(table.get(decode.decimal(token) or -1) in texts for table in SYSCALLS.values())
    if key in ("key", "proctitle", "seperms"):
        separator = {b"key": b"\x01", b"proctitle": b"\0"}.get(name.lower(), b" ")
        words = decode.words(token) if key == "seperms" else (decode.encoded(token) or b"").split(separator)
        return all(ecs_text(word) in texts for word in words)
    return key == "saddr" or argument


def lost(data: bytes, events: list[dict[str, Any]]) -> list[tuple[bytes, bytes]]:
    by_id: dict[str, list[Any]] = {}
    for event in events:
        for record in event["auditd"].get("records", ()):
            by_id.setdefault(f"{event['event']['id']} {record['type']}", []).append(record)
    out = []
    for raw in data.split(b"\n"):
        record = scan(raw)
        if not isinstance(record, Record) or record.type == b"EOE":
            continue
        objects = by_id.get(f"{record.id.decode()} {record.type.decode()}", [])
        messages = [record["msg"] for record in objects if "msg" in record]
        inner = [each for message in messages for each in (message if isinstance(message, list) else [message])]
        out += [(name, token) for name, token in record.fields if not found(name, token, objects + inner)]
        out += [(name, token) for name, token in record.message or () if not found(name, token, inner)]
        for name, token in record.tail:
            key = ecs_text(name or b"text").lower().replace(".", "_")
            if key not in ("arch", "syscall") and not any(key + "_name" in each for each in objects):
                out.append((name, token))
    return out


@pytest.mark.parametrize("source", ["enriched", "raw"])
def test_corpus_loses_no_field(run: Run, source: str) -> None:
    data = corpus(f"debian13-{source}.log")
    events = run(data)
    assert lost(data, events) == []
    names = {name for event in events for name in names_of(event)}
    assert len({name.lower() for name in names}) == len(names)
    assert all(event["event"]["kind"] == "event" for event in events)
    assert not any("incomplete" in event["auditd"] for event in events)


NAMES = st.sampled_from(
    b"""a0 a1 a1[0] a1[1] a1_len a9999 argc arch syscall success exit items pid uid auid mode key Key name comm exe
    cwd msg type text args saddr proctitle seperms res id acct unit a.b X""".decode().split()
)
TOKENS = st.one_of(
    st.sampled_from(["", '""', "(null)", "?", "0", "-13", "59", "c000003e", "0100644", "99999999999999999999", '"a b"',
                     "010000", "0200003500", "6100620163", "{ a b }", "x y", "\x1d", "'", "%41", "100%", "\u00e9"]),
    st.text(max_size=8),
    st.binary(max_size=6).map(lambda data: data.hex().upper()),
)  # fmt: skip
TYPES = st.sampled_from(
    ["SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE", "SOCKADDR", "USER_LOGIN", "ADD_USER", "AVC", "LOGIN", "X", "EOE"]
)
LINES = st.tuples(TYPES, st.lists(st.tuples(NAMES, TOKENS), max_size=6), st.booleans(), st.integers(1, 3))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LINES, max_size=6))
@pytest.mark.parametrize("options", [{}, {"format": "records", "translate": "all"}, {"translate": "all"}])
def test_any_records_pass_and_lose_no_field(options: dict[str, str], lines: list[Any]) -> None:
    data = b"".join(
        line(
            type_, "pid=1 msg='" * nested + " ".join(f"{name}={token}" for name, token in fields) + "'" * nested, serial
        )
        for type_, fields, nested, serial in lines
    )
    events = events_of(data, **options)
    assert len(events) <= data.count(b"\n")
    if options.get("format") != "records":
        assert lost(data, events) == []
