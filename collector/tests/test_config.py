# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from auditpack_collector.cli import main
from auditpack_collector.config import Config
from auditpack_collector.config_host import check_host
from auditpack_collector.config_load import ConfigError, load


def write(folder: Path, text: str) -> Path:
    path = folder / "c.toml"
    path.write_text(text)
    return path


def test_empty_is_all_defaults(tmp_path: Path) -> None:
    assert load(write(tmp_path, "")) == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("formt = 'ecs'", "c.toml:1:1: unknown key formt"),
        ("\n[output]\n  pth = '/x'", "c.toml:3:3: unknown key output.pth"),
        ("[nosuch]\n", "c.toml:1:1: unknown key nosuch"),
        ("format = 'xml'", "c.toml:1:1: format = 'xml' — one of ecs, records"),
        ("format = 1", "c.toml:1:1: format wants a string, not 1"),
        ("timeout = 0", "c.toml:1:1: timeout = 0.0 — from 0.1 to 60"),
        ("output = 'x'", "c.toml:1:1: output is an array of tables — write [[output]]"),
        ("output = [1]", "c.toml:1:1: output is an array of tables — write [[output]]"),
        ("queue = 'x'", "c.toml:1:1: queue is a table — write [queue]"),
        ("[[output]]\n[[output]]\nname = 'b'\nkind = 'tcp'", "c.toml:4:1: output.kind = 'tcp' — one of file, stdout"),
        ("[[output]]\n[[output]]", "c.toml:2:1: output 'events' given twice"),
        (
            "[[output]]\nname = 'a'\npath = '/x/y'\n[[output]]\nname = 'b'\npath = '/x/y'",
            ":6:1: two outputs write /x/y",
        ),
        ("[[output]]\nkind = 'unix'", "c.toml:1:1: kind = 'unix' needs the path"),
        ("[[output]]\nkind = 'stdout'\ncompress = 'gzip'", ":3:1: output.compress is for kind = 'file'"),
        ("[[output]]\nreceives = 'sent'", "c.toml:2:1: no output receives all"),
        ("[[input]]\nkind = 'file'", "c.toml:1:1: input.path = '' with kind = 'file' — name the file"),
        ("[[input]]\n[[input]]", "c.toml:2:1: input stdin  given twice"),
        ("[[filter]]\nname = 'a'\nunit = ['x']", "c.toml:3:1: filter.unit needs [enrich] proc = true"),
        ("[redact]\npatterns = ['(']", "c.toml:2:1: redact.patterns: '('"),
        ("[redact]\npatterns = '('", "c.toml:2:1: redact.patterns wants a list of strings"),
        ("[output]\npath = 'events'", "c.toml:2:1: output.path = 'events' — an absolute path"),
        ("[output]\nmax_bytes = true", "c.toml:2:1: output.max_bytes wants an integer, not True"),
        ("x", "c.toml:1:1: expected `[table]` or `key = value`"),
    ],
)
def test_refused_with_its_place(tmp_path: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=r"c\.toml") as caught:
        load(path)
    assert message in str(caught.value)
    for command in (
        ["run", "--check", f"--config={path}"],
        ["check", "--config", str(path)],
        ["run", f"--config={path}"],
    ):
        assert main(command) == 2
        assert message in capsys.readouterr().err


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, "a = 1\nb = 2\n"))
    assert len(caught.value.messages) == 2


def test_missing_file_and_no_utf8(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "c.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="no UTF-8 at byte 0"):
        load(tmp_path / "c.toml")


def test_host_is_checked(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f"user = 'nobody-here'\n[output]\npath = '{tmp_path}/gone/e'\n[status]\ndirectory = '{a_file(tmp_path)}'",
    )
    messages = "\n".join(check_host(load(path), path))
    assert "user 'nobody-here' does not exist" in messages
    assert "gone: No such file or directory — create the directory" in messages
    assert "is no directory" in messages
    good = write(
        tmp_path, f"user = '{getpass.getuser()}'\n[output]\npath = '{tmp_path}/e'\n[status]\ndirectory = '{tmp_path}'"
    )
    assert check_host(load(good), good) == []
    assert main(["check", "--config", str(good)]) == 0


def a_file(folder: Path) -> Path:
    path = folder / "file"
    path.touch()
    return path
