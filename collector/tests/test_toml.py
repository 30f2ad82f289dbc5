# SPDX-License-Identifier: Apache-2.0
"""The TOML reader, and tomllib as its judge where Python has it."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditpack_collector import toml

ACCEPTED = [
    "",
    "# only a comment",
    'a = "x"\n',
    "a = 'x\\y' # comment",
    'a = "tab\\t quote\\" \\u00e4 \\U0001F600"',
    "a = 1_000\nb = -2.5e3\nc = 0\nd = 1e3\n",
    "a = true\nb = false",
    '[t]\na = 1\n[ u ]\n"b c" = 2\r\n',
    "[[t]]\na = 1\n[[t]]\n[[u]] # c\n[v]\n[[t]]\na = [[1]]",
    'a = [1, 2,\n  3, # three\n]\nb = []\nc = ["x", [1]]',
]
REFUSED = [
    ("a", 1, 1),
    ("a =", 1, 4),
    ("a = 1 b = 2", 1, 6),
    ('a = "x', 1, 5),
    ("a = 1\na = 2", 2, 1),
    ("[t]\n[t]", 2, 1),
    ('a = """x"""', 1, 5),
    ("a = {b = 1}", 1, 5),
    ("a = 2026-11-20", 1, 9),
    ("a.b = 1", 1, 1),
    ("[[t]", 1, 1),
    ("[[t]]\n[t]", 2, 1),
    ("[t]\n[[t]]", 2, 1),
    ("t = []\n[[t]]", 2, 1),
    ("[[t]]\na = 1\na = 2", 3, 1),
    ('a = "\\q"', 1, 5),
    ("a = 01", 1, 6),
    ("a = [1 2]", 1, 8),
    ("a = yes", 1, 5),
]


@pytest.mark.parametrize("text", ACCEPTED)
@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_reads_what_tomllib_reads(text: str) -> None:
    import tomllib  # noqa: PLC0415

    assert toml.read(text)[0] == tomllib.loads(text)


@pytest.mark.parametrize(("text", "line", "column"), REFUSED)
def test_refuses_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(toml.TomlError) as caught:
        toml.read(text)
    assert caught.value.place == (line, column)


@given(st.text(alphabet="ab=[]\"'\\#,. \n1-+e_t{}\t", max_size=30))
@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_never_reads_other_than_tomllib(text: str) -> None:
    import tomllib  # noqa: PLC0415

    try:
        ours = toml.read(text)[0]
    except toml.TomlError:
        return
    assert ours == tomllib.loads(text)


LINES = st.sampled_from(["[[a]]", "[[b]]", "[a]", "[b]", "[ c ]", "[[ a ]] # x", "a = 1", "b = [[1], []]", "a=[]", ""])


@given(st.lists(LINES, max_size=12))
@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_tables_and_arrays_of_tables_as_tomllib(lines: list[str]) -> None:
    """Of whole lines both read the same documents, and refuse the same."""
    import tomllib  # noqa: PLC0415

    text = "\n".join(lines)
    try:
        theirs = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(toml.TomlError):
            toml.read(text)
    else:
        assert toml.read(text)[0] == theirs


def test_places_in_arrays_of_tables() -> None:
    _, places = toml.read("x = 1\n[[t]]\n a = 1\n[[t]]\nb = 2\n")
    assert places == {
        ("x",): (1, 1),
        ("t",): (2, 1),
        ("t", 0): (2, 1),
        ("t", 0, "a"): (3, 2),
        ("t", 1): (4, 1),
        ("t", 1, "b"): (5, 1),
    }
