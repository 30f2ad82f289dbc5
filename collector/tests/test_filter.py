# SPDX-License-Identifier: Apache-2.0
"""Filters, limits and aggregates, by both implementations, and the two held against each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest
from collector_support import corpus, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditpack_collector.config import Config
from auditpack_collector.config_load import ConfigError, load
from auditpack_collector.filter_rules import compile_rules, encode
from auditpack_collector.implementation import ImplementationError, Pipeline, make_pipeline
from auditpack_collector.options import Options
from auditpack_collector.service import options_of

Make = Callable[..., Pipeline]
OUTPUTS = "[[output]]\nname = 'main'\n[[output]]\nname = 'side'\nreceives = 'sent'\nformat = 'records'\n"
EXEC = (
    b"type=SYSCALL msg=audit(%d.000:%d): arch=c000003e syscall=59 success=yes exit=0 a0=1 items=1 ppid=1 pid=2 "
    b'auid=1000 uid=0 comm="curl" exe="/usr/bin/curl" key=6164016E6574\n'
    b'type=EXECVE msg=audit(%d.000:%d): argc=2 a0="curl" a1=2D2D6B6579206F6E65\n'
    b'type=PATH msg=audit(%d.000:%d): item=0 name="/etc/shadow" nametype=NORMAL\n'
    b"type=EOE msg=audit(%d.000:%d): \n"
)
CONNECT = (
    b"type=SYSCALL msg=audit(%d.000:%d): arch=c000003e syscall=42 success=yes exit=0 items=0 auid=4294967295 uid=33 "
    b'comm="nc" exe="/bin/nc" key=(null)\n'
    b"type=SOCKADDR msg=audit(%d.000:%d): saddr=020001BB0A01020300000000000000000000\n"
    b"type=EOE msg=audit(%d.000:%d): \n"
)
USER = (
    b'type=USER_LOGIN msg=audit(%d.000:%d): pid=1 uid=0 auid=1001 msg=\'op=login acct="x" '
    b'exe="/usr/sbin/sshd" res=success\'\n'
)


def event(kind: bytes, serial: int, second: int = 100) -> bytes:
    return kind % ((second, serial) * (kind.count(b"%d") // 2))


def configured(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "c.toml"
    path.write_text(OUTPUTS + text + ("[enrich]\nproc = true\n" if "unit = " in text or "container = " in text else ""))
    return load(path)


@pytest.fixture
def filtered(pipeline: Make, tmp_path: Path) -> Callable[[str, bytes], tuple[Pipeline, list[list[dict[str, Any]]]]]:
    """(filters, input) → the pipeline and the events of each output."""

    def run(text: str, data: bytes) -> tuple[Pipeline, list[list[dict[str, Any]]]]:
        options = options_of(configured(tmp_path, text))._replace(clock="event")
        made = pipeline(**options._asdict())
        out = [[each] for each in (made.feed(data, 0.0), *made.others())]
        for pieces, last in zip(out, (made.flush(0.0, all=True), *made.others())):
            pieces.append(last)
        return made, [parse(b"".join(pieces)) for pieces in out]

    return run


def rule(condition: str, action: str = "action = 'move'\nto = 'side'", name: str = "r") -> str:
    return f"[[filter]]\nname = '{name}'\n{condition}\n{action}\n"


ALL = event(EXEC, 1) + event(CONNECT, 2) + event(USER, 3)


@pytest.mark.parametrize(
    ("condition", "serials"),
    [
        ("key = ['net']", [1]),
        ("key = ['a?']", [1]),
        ("key = ['ad', 'zz']", [1]),
        ("key = ['!ad']", [2, 3]),
        ("key = ['']", [2, 3]),
        ("exe = ['/usr/*']", [1, 3]),
        ("exe = ['/usr/*', '!*sshd']", [1]),
        ("exe = ['/usr/bin/cur']", []),
        ("comm = ['n*c', 'c?r?']", [1, 2]),
        ("argv = ['curl --key one']", [1]),
        ("argv = ['*--key*']", [1]),
        ("argv = ['!*--key*']", [2, 3]),
        ("syscall = ['execve', 'openat']", [1]),
        ("syscall = ['conn*']", [2]),
        ("path = ['/etc/*']", [1]),
        ("type = ['USER_*']", [3]),
        ("type = ['PATH', 'SOCKADDR']", [1, 2]),
        ("auid = ['1000-2000']", [1, 3]),
        ("auid = ['unset']", [2]),
        ("auid = ['!unset']", [1, 3]),
        ("uid = ['root']", [1, 3]),
        ("uid = ['33', '34']", [2]),
        ("saddr = ['10.0.0.0/8']", [2]),
        ("saddr = ['10.1.2.3:443']", [2]),
        ("saddr = ['10.1.2.3:80']", []),
        ("saddr = ['*:400-500']", [2]),
        ("saddr = ['::/0', '[::]:443']", []),
        ("saddr = ['!10.1.0.0/16']", [1, 3]),
        ("raw = 'a1=2D2D|acct=\"x'", [1, 3]),
        ("exe = ['/usr/*']\nraw = 'acct'", [3]),
        ("exe = ['/usr/*']\nuid = ['1-9']", []),
        ("unit = ['x']", []),
        ("container = ['!x']", [1, 2, 3]),
        ("", [1, 2, 3]),
    ],
)
def test_conditions(filtered: Callable[..., Any], condition: str, serials: list[int]) -> None:
    made, (main, side) = filtered(rule(condition), ALL)
    assert [int(each["ID"].partition(":")[2]) for each in side] == serials
    assert [each["event"]["sequence"] for each in main] == [serial for serial in (1, 2, 3) if serial not in serials]
    assert made.rules() == ((len(serials), len(serials)),)


@pytest.mark.parametrize(
    ("rules", "main", "side", "counts"),
    [
        (rule("", "action = 'drop'"), [], [], ((3, 3),)),
        (rule("", "action = 'drop'\noutputs = ['main']"), [], [], ((3, 3),)),
        (rule("", "action = 'drop'\noutputs = ['side']"), [1, 2, 3], [], ((3, 0),)),
        (rule("", "action = 'count'"), [1, 2, 3], [], ((3, 0),)),
        (rule("key = ['net']", "action = 'copy'\nto = 'side'"), [1, 2, 3], [1], ((1, 0),)),
        (rule("key = ['net']", "action = 'keep'") + rule("", "action = 'drop'", "s"), [1], [], ((1, 0), (2, 2))),
        (
            rule("", "action = 'copy'\nto = 'side'") + rule("", "action = 'drop'", "s"),
            [],
            [1, 2, 3],
            ((3, 0), (3, 3)),
        ),
        (
            rule("", "action = 'drop'") + rule("", "action = 'copy'\nto = 'side'", "s"),
            [],
            [],
            ((3, 3), (0, 0)),
        ),
        (rule("", "action = 'limit'\nrate = 0.001\nburst = 2"), [1, 2], [], ((3, 1),)),
        (rule("", "action = 'limit'\nrate = 0.001\nburst = 1\nper = ['exe']"), [1, 2, 3], [], ((3, 0),)),
        (rule("", "action = 'aggregate'\nper = ['key']"), [1, 2], [], ((3, 1),)),
    ],
)
def test_actions(
    filtered: Callable[..., Any], rules: str, main: list[int], side: list[int], counts: tuple[tuple[int, int], ...]
) -> None:
    made, outputs = filtered(rules, ALL)
    assert [each["event"]["sequence"] for each in outputs[0]] == main
    assert [int(each["ID"].partition(":")[2]) for each in outputs[1]] == side
    assert made.rules() == counts
    counters = made.counters()
    assert counters["records_in"] == counters["records_out"] + counters["records_filtered"] == 8
    assert counters["events_filtered"] == 3 - len({*main, *side})


def test_labels_are_seen_by_later_rules_and_printed(filtered: Callable[..., Any]) -> None:
    _, (main, side) = filtered(
        rule("exe = ['*curl']", "action = 'label'\nset = 'download'")
        + rule("label = ['down*']", "action = 'label'\nset = 'seen'", "s")
        + rule("label = ['seen']", "action = 'copy'\nto = 'side'", "t"),
        ALL,
    )
    assert main[0]["auditd"]["labels"] == side[0]["LABELS"] == ["download", "seen"]
    assert "labels" not in main[1]["auditd"]


def test_rate_recovers_and_aggregates_say_first_last_and_count(filtered: Callable[..., Any]) -> None:
    data = b"".join(event(USER, serial, 100 + serial) for serial in range(1, 8))
    _, (main, _) = filtered(rule("", "action = 'limit'\nrate = 0.5\nburst = 1"), data)
    assert [each["event"]["sequence"] for each in main] == [1, 3, 5, 7]
    made, (main, _) = filtered(rule("", "action = 'aggregate'\nwindow = 3\nper = ['exe', 'auid']"), data)
    assert [each["event"]["sequence"] for each in main] == [1, 4, 7]
    group = b"/usr/sbin/sshd\x001001"
    assert [tuple(each) for each in made.repeats()] == [
        (0, group, (101, 0), (103, 0), 3),
        (0, group, (104, 0), (106, 0), 3),
    ]
    assert made.repeats() == []


def test_groups_are_bounded(filtered: Callable[..., Any]) -> None:
    """More groups than are held: the oldest is forgotten, and what it held back is said."""
    line = b'type=USER_LOGIN msg=audit(100.000:%d): pid=1 exe="/e%d" res=success\n'
    data = b"".join(line % (serial, serial // 2) for serial in range(1, 12001))
    made, (main, _) = filtered(rule("", "action = 'aggregate'\nper = ['exe']"), data)
    assert len(main) == 6001
    repeats = made.repeats()
    assert sum(each[4] - 1 for each in repeats) == made.rules()[0][1] == 12000 - 6001


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[filter]]\nname = 'a b'", ":8:1: filter.name = 'a b'"),
        ("[[filter]]\nname = 'a'\naction = 'move'", ":9:1: filter.action = 'move' needs to"),
        ("[[filter]]\nname = 'a'\naction = 'move'\nto = 'x'", ":10:1: no output is called 'x' — there are main, side"),
        ("[[filter]]\nname = 'a'\nrate = 1", ":9:1: filter.rate is for limit, not 'count' — remove it"),
        ("[[filter]]\nname = 'a'\n[[filter]]\nname = 'a'", ":10:1: filter 'a' given twice"),
        ("[[filter]]\nname = 'a'\nraw = '('", ":9:1: filter.raw: missing )"),
        ("[[filter]]\nname = 'a'\nsaddr = ['1.2.3']", ":9:1: filter.saddr = '1.2.3'"),
        ("[[filter]]\nname = 'a'\nsaddr = ['*:70000']", ":9:1: filter.saddr = '*:70000'"),
        ("[[filter]]\nname = 'a'\nauid = ['no-such-user']", ":9:1: filter.auid: no user 'no-such-user' here"),
        ("[[filter]]\nname = 'a'\nper = ['argv']", ":9:1: filter.per = 'argv' — one of key, exe"),
        ("[[filter]]\nname = 'a'\nkey = 'x'", ":9:1: filter.key wants a list of strings, not 'x'"),
    ],
)
def test_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(tmp_path, text)
    assert message in str(caught.value)


TEXTS = st.lists(
    st.sampled_from(["*", "a?", "*n*", "/usr/bin/curl", "!*e*", "", "execve", "ad", "!ad", "PATH"]), max_size=3
)
RULES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("type", "key", "exe", "comm", "argv", "syscall", "path", "label"), TEXTS),
        "auid": st.lists(st.sampled_from(["unset", "1000", "!0-5", "0-4294967295"]), max_size=2),
        "uid": st.lists(st.sampled_from(["0", "!33", "30-40"]), max_size=2),
        "saddr": st.lists(st.sampled_from(["10.0.0.0/7", "*:443", "![::1]:80", "!10.1.2.0/23"]), max_size=2),
        "raw": st.sampled_from(["exe", "^type=PATH", "a0=1", "nothing"]),
        "per": st.lists(st.sampled_from(["key", "exe", "syscall", "auid", "type"]), max_size=3),
        "outputs": st.sampled_from([["main"], ["side"], ["main", "side"]]),
    },
)
ACTION = st.sampled_from(["drop", "move", "copy", "keep", "count", "label", "limit", "aggregate"])


def both(options: Options, pieces: list[bytes]) -> list[Any]:
    results = []
    for implementation in ("python", "native"):
        made = make_pipeline(options, implementation)
        out: list[Any] = []
        for place, piece in enumerate(pieces):
            out += [made.feed(piece, place / 3), *made.others()]
        out += [made.flush(99.0, all=True), *made.others()]
        counters = made.counters()
        results.append((out, made.rules(), [tuple(each) for each in made.repeats()], made.types(), counters))
    return results


@pytest.fixture(scope="module")
def native() -> None:
    try:
        make_pipeline(Options(), "native")
    except ImplementationError as error:
        pytest.skip(str(error))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules=st.lists(st.tuples(RULES, ACTION), min_size=1, max_size=4), at=st.integers(0, 300_000))
def test_both_implementations_judge_alike(
    native: None, tmp_path_factory: pytest.TempPathFactory, rules: list[tuple[dict[str, Any], str]], at: int
) -> None:
    text = ""
    for number, (fields, action) in enumerate(rules):
        extra = {"move": {"to": "side"}, "copy": {"to": "side"}, "label": {"set": "ad"}, "limit": {"rate": 2.5}}
        extra["aggregate"] = {"window": 0.5}
        given_ = {**fields, **extra.get(action, {})}
        if action not in ("limit", "aggregate"):
            given_.pop("per", None)
        if action not in ("drop", "move", "keep", "limit", "aggregate"):
            given_.pop("outputs", None)
        lines = [f"{name} = {json.dumps(value)}" for name, value in given_.items()]
        text += f"[[filter]]\nname = 'r{number}'\naction = '{action}'\n" + "\n".join(lines) + "\n"
    options = options_of(configured(tmp_path_factory.mktemp("c"), text))
    data = corpus("debian13-raw.log")[at : at + 40_000] + ALL
    python, c = both(options, [data[:20_000], data[20_000:], b""])
    assert python == c


def test_the_program_is_refused_when_it_is_none(native: None, tmp_path: Path) -> None:
    good = encode(compile_rules(configured(tmp_path, rule("key = ['a']\nsaddr = ['1.2.3.4']", "action = 'drop'"))))

    class Bad(Options):
        def program(self) -> bytes:
            return good[:-1]

    with pytest.raises(MemoryError):
        make_pipeline(Bad(), "native")
