# SPDX-License-Identifier: Apache-2.0
"""The command `explain`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from collector_support import Run, corpus, events_of

from auditpack_collector.cli import main
from auditpack_collector.errors import InputError
from auditpack_collector.explain import events, explain

DELETED = (
    b"type=SYSCALL msg=audit(1795180126.804:3): arch=c000003e syscall=87 success=no exit=-13 a0=7f items=1 ppid=1"
    b' pid=867 auid=1000 uid=0 gid=0 euid=0 comm="rm" exe="/usr/bin/rm" key="scope"\x1dAUID="alice" UID="root"\n'
    b'type=CWD msg=audit(1795180126.804:3): cwd="/etc"\n'
    b'type=PATH msg=audit(1795180126.804:3): item=0 name=610A1B nametype=DELETE\n'
    b"type=PROCTITLE msg=audit(1795180126.804:3): proctitle=726D0061\n"
)  # fmt: skip
WORDS = """1795180126.804:3 at 2026-11-20T13:08:46.804Z
  User alice as root deleted /etc/a\\n\\x1b with /usr/bin/rm (process 867).
  It failed: EACCES.
  Command: rm a
  Directory: /etc
  Keys: scope"""


@pytest.mark.parametrize("format_", ["ecs", "records"])
def test_who_did_what_to_what_how_with_which_result(run: Run, format_: str) -> None:
    """Controls in names reach no terminal."""
    (event,) = run(DELETED, format=format_)
    assert explain(event) == WORDS


def test_both_formats_say_the_same() -> None:
    data = corpus("debian13-enriched.log")
    said = [[explain(event) for event in events_of(data, format=format_)] for format_ in ("ecs", "records")]
    assert said[0] == said[1]
    assert len(set(said[0])) > 900


@pytest.mark.parametrize("format_", ["ecs", "records"])
def test_rubbish_and_loss(run: Run, format_: str) -> None:
    (event,) = run(b"rub\x1bbish\n", format=format_)
    assert explain(event).startswith("A line that is no audit record (no-header): rub")
    assert "\x1b" not in explain(event)
    assert explain({"LOSS": {"new": {"serial_gaps": 2}}}) == "Events were lost: 2 serial gaps"


@pytest.mark.parametrize("event", [{}, {"event": 1}, {"event": {"kind": "event"}}, {"ID": "1.0:1", "X": 1}])
def test_what_is_no_event(event: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="not an event of the collector"):
        explain(event)
    with pytest.raises(InputError, match=r"^x:2: "):
        list(events(io.BytesIO(b"{}\n["), "x"))


def test_by_id_in_the_output_and_its_generations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "c.toml"
    config.write_text(f"[output]\npath = '{tmp_path}/e'\n")
    (tmp_path / "e").touch()
    (tmp_path / "e.1").write_text(json.dumps(events_of(DELETED)[0]) + "\n")
    assert main(["explain", f"--config={config}", "1795180126.804:3"]) == 0
    assert capsys.readouterr().out.startswith("1795180126.804:3 at ")
    assert main(["explain", f"--config={config}", "1795180126.804:4"]) == 1
    assert "no event 1795180126.804:4 in " in capsys.readouterr().err
    assert main(["explain", str(tmp_path / "e.1")]) == 0
    assert capsys.readouterr().out == WORDS + "\n"
