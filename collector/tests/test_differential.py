# SPDX-License-Identifier: Apache-2.0
"""The C against the Python, which is the specification: the same values and counters for any input.

Input: the corpus whole and cut in pieces; lines of it mutated; lines built from the grammar's own pieces. Of the
corpus the same bytes; of the rest the order of names inside one JSON object is not compared.
AUDITPACK_DIFFERENTIAL_SECONDS (default 20) bounds the mutation run, AUDITPACK_DIFFERENTIAL_SEED repeats one.
"""

from __future__ import annotations

import json
import lzma
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditpack_collector.implementation import ImplementationError, make_pipeline
from auditpack_collector.options import Options

CORPUS = Path(__file__).parent / "corpus"
ALL_OPTIONS = [
    Options(format=format_, translate=translate, clock=clock, hostname=hostname)
    for format_, hostname in (("records", ""), ("ecs", "host"))
    for translate in ("none", "universal", "all")
    for clock in ("wall", "event")
] + [Options(format=format_, clock="event", original=True) for format_ in ("records", "ecs")]


@pytest.fixture(scope="module", autouse=True)
def native() -> None:
    try:
        make_pipeline(Options(), "native")
    except ImplementationError as error:
        if os.environ.get("AUDITPACK_EXTENSION") == "1":
            raise
        pytest.skip(str(error))


def corpus(name: str) -> bytes:
    return lzma.decompress((CORPUS / f"{name}.log.xz").read_bytes())


def run(implementation: str, options: Options, pieces: list[bytes]) -> tuple[list[bytes], dict[str, int]]:
    pipeline = make_pipeline(options, implementation)
    out, now = [], 0.0
    for piece in pieces:
        out.append(pipeline.feed(piece, now))
        now += 0.3
    out.append(pipeline.flush(now, all=True))
    return b"".join(out).splitlines(keepends=True), pipeline.counters()


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs), f"a name twice in one object: {pairs}"
    return dict(pairs)


def compare(options: Options, pieces: list[bytes], *, ordered: bool = False) -> None:
    expected, expected_counters = run("python", options, pieces)
    got, got_counters = run("native", options, pieces)
    for want, have in zip(expected, got):
        assert want == have or not ordered, f"{options}\npython: {want!r}\nnative: {have!r}"
        if want != have:
            values = json.loads(want), json.loads(have, object_pairs_hook=unique)
            assert values[0] == values[1], f"{options}\ninput: {pieces!r}\npython: {want!r}\nnative: {have!r}"
    assert len(expected) == len(got), f"{options}\ninput: {pieces!r}\n{expected[len(got) :]}{got[len(expected) :]}"
    assert expected_counters == got_counters, f"{options}\ninput: {pieces!r}"


def cut(data: bytes, chooser: random.Random, largest: int) -> list[bytes]:
    pieces, at = [], 0
    while at < len(data):
        size = chooser.randint(1, largest)
        pieces.append(data[at : at + size])
        at += size
    return pieces


@pytest.mark.parametrize("name", ["debian13-raw", "debian13-enriched"])
@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_corpus(options: Options, name: str) -> None:
    compare(options, cut(corpus(name), random.Random(1), 100000), ordered=True)  # noqa: S311


HEADS = [b"type=%s msg=audit(17.%03d:%d):" % (type_, ms, serial) for type_ in (
    b"SYSCALL", b"EXECVE", b"PATH", b"CWD", b"SOCKADDR", b"PROCTITLE", b"EOE", b"USER_LOGIN", b"AVC",
    b"URINGOP", b"ANOM_ABEND",
    b"UNKNOWN[1133]", b"UNKNOWN[1999]", b"ADD_USER", b"LOGIN", b"OBJ_PID", b"DAEMON_START", b"KERN_MODULE",
    b"SERVICE_START", b"ID",
) for ms in (1, 2) for serial in (3, 4)]  # fmt: skip
NAMES = [b"a0", b"a1", b"a2", b"a10", b"a1[0]", b"a1[1]", b"a1[2]", b"a1_len", b"a01", b"argc", b"arch",
    b"syscall", b"exit", b"success",
    b"items", b"pid", b"ppid", b"uid", b"auid", b"euid", b"gid", b"suid", b"ses", b"comm", b"exe", b"key",
    b"name", b"nametype", b"mode",
    b"ouid", b"cwd", b"proctitle", b"saddr", b"msg", b"type", b"text", b"ID", b"UID", b"AUID", b"ARCH",
    b"SYSCALL", b"SADDR", b"ARGV",
    b"args", b"acct", b"id", b"id_name", b"uid_name", b"hostname", b"addr", b"terminal", b"res", b"grp",
    b"unit", b"cmd", b"seperms",
    b"odd.name", b"Odd", b"\xc3\x89", b"%41", b"opid", b"ocomm", b"sig", b"tty", b"inode", b"cap_fp"]  # fmt: skip
TOKENS = [b"0", b"1", b"-13", b"59", b"257", b"42", b"4294967295", b"9999999999999999999", b"c000003e",
    b"40000003", b"ffffff9c", b"0x1F",
    b"ZZ", b"(null)", b"?", b'"?"', b'""', b'"', b'"a b"', b'"a"b', b'"/etc/passwd"', b'"rel"', b"yes", b"no",
    b"failed", b"success",
    b"CREATE", b"PARENT", b"0100755", b"08", b"61620063", b"0100616200", b"020000500A000001", b"0100002F61",
    b"61016201", b"E9FF25",
    b"{ read write }", b"{}", b"{ saddr_fam=local path=a b }", b"10.0.0.1", b"::1", b"::ffff:1.2.3.4",
    b"1.2.3.04", b"words and more",
    b"\xff\xc3", b'"%41%zz+"', b"alice", b"", b" ", b"openat", b"unset", b"unknown(5)",
    b"0A00005000000000" + b"00" * 16 + b"01000000", b"100000000100000001000000"]  # fmt: skip
PIECES = [
    b"msg='",
    b"'",
    b"\x1d",
    b"avc:  denied  { read } for ",
    b"avc: granted {} for ",
    b"node=h ",
    b"=",
    b" ",
    b"\n",
    b"\0",
    b"\t",
]


def line(chooser: random.Random) -> bytes:
    out = chooser.choice([b"", b"", b"", b"node=h "]) + chooser.choice(HEADS)
    for _ in range(chooser.randint(0, 12)):
        if chooser.random() < 0.12:
            out += chooser.choice(PIECES)
        out += b" " + chooser.choice(NAMES) + b"=" + chooser.choice(TOKENS)
    return out + b"\n"


def mutate(data: bytes, chooser: random.Random) -> bytes:
    text = bytearray(data)
    for _ in range(chooser.randint(1, 4)):
        at = chooser.randrange(len(text) + 1)
        what = chooser.random()
        if what < 0.3:
            text[at:at] = chooser.choice([*PIECES, *TOKENS, *NAMES])
        elif what < 0.6:
            del text[at : at + chooser.choice([1, 1, 2, 8, 40])]
        elif what < 0.8:
            text[at : at + 1] = bytes((chooser.randrange(256),))
        else:
            text[at:at] = text[chooser.randrange(len(text) + 1) :][: chooser.randint(1, 60)]
    return bytes(text)


def test_mutation() -> None:
    seed = int(os.environ.get("AUDITPACK_DIFFERENTIAL_SEED", "") or random.SystemRandom().randrange(1 << 32))
    until = time.monotonic() + float(os.environ.get("AUDITPACK_DIFFERENTIAL_SECONDS", "20"))
    lines = [line for name in ("debian13-raw", "debian13-enriched") for line in corpus(name).splitlines(keepends=True)]
    rounds = 0
    print(f"AUDITPACK_DIFFERENTIAL_SEED={seed}")
    while time.monotonic() < until:
        chooser = random.Random(seed + rounds)  # noqa: S311
        at = chooser.randrange(len(lines))
        chosen = [
            mutate(line, chooser) if chooser.random() < 0.5 else line for line in lines[at : at + 8] if len(line) < 3000
        ]
        chosen += [line(chooser) for _ in range(chooser.randint(0, 8))]
        chooser.shuffle(chosen)
        data = b"".join(chosen)
        compare(chooser.choice(ALL_OPTIONS), cut(data, chooser, max(1, len(data))))
        rounds += 1
    print(f"{rounds} inputs, no difference")


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.one_of(st.sampled_from([*HEADS, *NAMES, *TOKENS, *PIECES]), st.binary(max_size=12)), max_size=40),
    st.sampled_from(ALL_OPTIONS),
)
def test_any_bytes(pieces: list[bytes], options: Options) -> None:
    compare(options, pieces)


def test_bounds() -> None:
    """A line too long, whole and in pieces; more open events, records and bytes than are held."""
    head = b"type=PATH msg=audit(1.001:%d): name="
    long_line = head % 1 + b"x" * 200000 + b"\n"
    many = b"".join(head % serial + b"x\n" for serial in range(3000))
    one = (head % 7 + b"x\n") * 5000
    wide = b"".join(head % serial + b"x" * 100000 + b"\n" for serial in range(200))
    fields = b"type=PATH msg=audit(1.001:1):" + b"".join(b" n%d=1" % number for number in range(9000)) + b"\n"
    for data in (long_line, many, one, wide, fields):
        for options in (ALL_OPTIONS[0], ALL_OPTIONS[-1]):
            compare(options, [data])
            compare(options, cut(data, random.Random(3), 70000))  # noqa: S311
