# SPDX-License-Identifier: Apache-2.0
"""The page holds the changes as data that nothing in them can break out of; a baseline travels signed."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from audit_support import Audited
from integrity_support import World

from auditpack_integrity.cli import main
from auditpack_integrity.report import page, seconds


def test_the_page_is_whole_and_keeps_hostile_names_as_data(world: World) -> None:
    world.scan()
    audited = Audited(world)
    name = "</script><img src=x onerror=alert(1)>"
    (world.top / name.replace("/", "_")).write_text("x")
    audited.write(b"<!--\xff-->", "x")
    audited.settle()
    world.scan()
    html = page(world.config, 0.0)
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", html)
    blocks = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert len(blocks) == 1
    assert "<" not in blocks[0]
    data = json.loads(blocks[0])
    assert {event["path"].rpartition("/")[2] for event in data["events"]} == {name.replace("/", "_"), "<!--%ff-->"}
    assert data["chain"].startswith("whole")
    assert {event["who"] for event in data["events"]} == {"alice as root", "unknown (no-audit)"}
    assert html.count("<script") == 2


def test_the_report_command(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.scan()
    config = str(world.write_config())
    assert main(["report", "--config", config, "-o", str(world.folder / "report.html")]) == 0
    assert "@DATA@" not in (world.folder / "report.html").read_text()
    assert main(["report", "--config", config, "--since", "1h"]) == 0
    assert main(["report", "--config", config, "--since", "soon"]) == 2
    assert "no length of time" in capsys.readouterr().err
    assert (seconds("90m"), seconds("2d")) == (5400, 172800)


@pytest.fixture
def exported(world: World) -> tuple[World, Path, str]:
    (world.top / "a").write_text("a")
    (world.top / "sub").mkdir()
    (world.top / "sub" / os.fsdecode(b"\xffb")).write_text("b")
    (world.top / "skip~").write_text("left out")
    world.settings = f"exclude = ['^{world.top}/.*~$']\n"
    world.scan()
    return world, world.folder / "baseline.gz", str(world.write_config())


def copy(world: World, to: Path) -> Path:
    """The watched tree under another root, as on a disk mounted elsewhere."""
    target = to / str(world.top).lstrip("/")
    target.parent.mkdir(parents=True)
    subprocess.run(["cp", "-a", str(world.top), str(target)], check=True)
    return target


def test_a_tree_elsewhere_is_compared_with_a_signed_baseline(
    exported: tuple[World, Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    world, file, config = exported
    key = world.folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = key.with_suffix(".pub").read_text().split()
    (world.folder / "signers").write_text(f"fleet {public[0]} {public[1]}\n")
    assert main(["export", "--config", config, "--sign", str(key), str(file)]) == 0
    root = world.folder / "disk"
    there = copy(world, root)
    words = ["check", "--config", config, "--baseline", str(file), "--root", str(root)]
    signed = [*words, "--signers", str(world.folder / "signers"), "--identity", "fleet"]
    assert main(signed) == 0
    assert "nothing differs" in capsys.readouterr().out
    (there / "a").write_text("evil")
    (there / "sub" / "new").write_text("new")
    (there / "sub" / os.fsdecode(b"\xffb")).unlink()
    assert main([*signed, "--json"]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(row["path"].rpartition("/")[2], row["what"].split()[0]) for row in told} == {
        ("a", "updated"), ("new", "created"), ("%ffb", "deleted"),
    }  # fmt: skip
    assert main(words) == 2
    assert "--unsigned" in capsys.readouterr().err
    data = bytearray(file.read_bytes())
    data[20] ^= 1
    file.write_bytes(data)
    assert main(signed) == 2
    assert "ssh-keygen" in capsys.readouterr().err


def test_a_cut_or_foreign_baseline_is_refused(
    exported: tuple[World, Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    _, file, config = exported
    words = ["check", "--config", config, "--unsigned", "--baseline", str(file)]
    assert main(["export", "--config", config, str(file)]) == 0
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join(lines[:-2])))
    assert main(words) == 2
    assert "the file is cut" in capsys.readouterr().err
    file.write_bytes(gzip.compress(b'{"format": "other"}\n'))
    assert main(words) == 2
    file.write_text("no gzip")
    assert main(words) == 2
