# SPDX-License-Identifier: Apache-2.0
"""Run the stages of a command: in order, in two lanes, timed, logged and recorded.

A stage is one program. Its output goes to ``build/logs/<flow>/<stage>.log``; what became of it goes to
``build/stages/<flow>/<stage>.json``, which the closing gate (``tests/gate``) reads. Standard library only: the
runner starts before anything is installed.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from console import Console, tail

ROOT = Path(__file__).resolve().parent.parent
TERM_GRACE = 20.0  # seconds a stage has after SIGINT, and again after SIGTERM, before the next harder signal


@dataclasses.dataclass(frozen=True)
class Stage:
    """One program of a flow.

    ``needs`` names stages that must have succeeded before; two stages of one ``lane`` never run together.
    ``results`` are the JUnit files it must write. ``unless``, asked when its turn comes, may say why it need not run.
    ``closing`` stages run at the end whatever happened, also after an
    interrupt, provided that the stage they ``undo`` was started. ``diagnose`` runs when the stage failed.
    """

    name: str
    title: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    lane: str = "code"
    minutes: float = 10
    results: tuple[str, ...] = ()
    show: bool = False  # copy its output to the terminal
    progress: str = r"\S"  # lines of its output that say how far it is
    undo: str = ""
    diagnose: tuple[str, ...] = ()
    unless: Callable[[], str] = str  # says nothing: run it
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def closing(self) -> bool:
        return bool(self.undo)


class Interrupted(Exception):
    """SIGINT, SIGTERM or SIGHUP reached the runner."""


def _signal_group(group: int, number: int) -> bool:
    """Send a signal (0 only asks) to a process group; return whether it still has members."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


@dataclasses.dataclass
class _Running:
    stage: Stage
    process: subprocess.Popen[bytes]
    log: BinaryIO
    started: float
    shown: int = 0  # bytes of the log already copied to the terminal


class Flow:
    """The stages of one command, their records and their state.

    ``name`` is the folder of logs and records. After :meth:`run`, ``failed`` tells that a stage failed or did not run.
    """

    def __init__(self, name: str, stages: Sequence[Stage], console: Console) -> None:
        self.name = name
        self.stages = list(stages)
        self.console = console
        self.logs = ROOT / "build" / "logs" / name
        self.records = ROOT / "build" / "stages" / name
        self.outcome: dict[str, str] = {}  # stage → passed | failed | not run
        self.seconds: dict[str, float] = {}
        self.running: dict[str, _Running] = {}
        self.interrupt = ""  # name of the signal that asked to end

    @property
    def failed(self) -> bool:
        return any(self.outcome.get(stage.name) != "passed" for stage in self.stages if self._wanted(stage))

    def _wanted(self, stage: Stage) -> bool:
        return not stage.closing or stage.undo in self.seconds

    def prepare(self) -> None:
        """Remove the records of the run before and write the plan of this one."""
        for folder in (self.logs, self.records):
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.iterdir():
                old.unlink()
        plan = [{"stage": stage.name, "title": stage.title, "results": list(stage.results)} for stage in self.stages]
        (self.records / "plan.json").write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
        for stage in self.stages:
            for result in stage.results:
                (ROOT / result).unlink(missing_ok=True)

    def run(self) -> None:
        """Run every stage that can run. Ends what is running and closes down when interrupted, then raises again."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        try:
            self._run([stage for stage in self.stages if not stage.closing])
        except BaseException as error:  # an interrupt, or a fault of the runner itself: either way nothing stays behind
            what = f"interrupted by {error}" if isinstance(error, Interrupted) else f"the runner failed: {error!r}"
            self.console.line(f"{what}: ending {', '.join(self.running) or 'nothing'}, then tidying up")
            self._close()
            raise
        self._close()

    def _close(self) -> None:
        """End what runs and run the closing stages; from here on an interrupt cuts nothing short."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: None)
        self._stop_all()
        self.interrupt = ""
        self._run([stage for stage in self.stages if self._wanted(stage) and stage.closing])

    def _interrupt(self, number: int, _frame: object) -> None:
        # Acted on between two looks at the stages, so that no stage is started and then forgotten.
        self.interrupt = signal.Signals(number).name

    def _run(self, waiting: list[Stage]) -> None:
        while waiting or self.running:
            if self.interrupt:
                raise Interrupted(self.interrupt)
            for stage in list(waiting):
                verdict = self._can_start(stage)
                if verdict == "never":
                    waiting.remove(stage)
                    self._not_run(stage)
                elif verdict == "now":
                    waiting.remove(stage)
                    self._start(stage)
            self._poll()
            self.console.tick(
                {name: (running.started, self._last_line(running)) for name, running in self.running.items()}
            )
            time.sleep(0.2)

    def _can_start(self, stage: Stage) -> str:
        states = [self.outcome.get(need) for need in stage.needs]
        if any(state in ("failed", "not run") for state in states):
            return "never"
        if any(state is None for state in states) or any(one.stage.lane == stage.lane for one in self.running.values()):
            return "later"
        return "now"

    def _start(self, stage: Stage) -> None:
        if why := stage.unless():
            self.outcome[stage.name] = "passed"
            self.seconds[stage.name] = 0.0
            self.console.line(f"= {stage.name}: {why}")
            return
        # Kept open over the stage's life: the process writes to it and the poll below closes it.
        log = (self.logs / f"{stage.name}.log").open("wb")
        log.write(f"$ {shlex.join(stage.command)}\n".encode())
        log.flush()
        process = subprocess.Popen(
            stage.command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **dict(stage.environment)},
            start_new_session=True,  # so that one signal reaches all it started, and Ctrl-C reaches only the runner
        )
        self.running[stage.name] = _Running(stage, process, log, time.monotonic())
        self.seconds[stage.name] = 0.0
        self.console.started(stage.name, stage.title)

    def _poll(self) -> None:
        for name, running in list(self.running.items()):
            code = running.process.poll()
            elapsed = time.monotonic() - running.started
            self._copy_output(running)
            if code is not None:
                del self.running[name]
                self._ended(running, code, elapsed)
            elif elapsed > running.stage.minutes * 60:
                self._stop(running)
                del self.running[name]
                self._ended(
                    running, running.process.returncode, elapsed, f"ended after {running.stage.minutes:g} minutes"
                )

    def _copy_output(self, running: _Running) -> None:
        if not running.stage.show:
            return
        with Path(running.log.name).open("rb") as log:
            log.seek(running.shown)
            new = log.read()
        if running.process.poll() is None:
            new = new[: new.rfind(b"\n") + 1]
        running.shown += len(new)
        self.console.text(new.decode(errors="replace"))

    def _ended(self, running: _Running, code: int, elapsed: float, why: str = "") -> None:
        running.log.close()
        stage = running.stage
        missing = [result for result in stage.results if not (ROOT / result).is_file()]
        if not why and missing:
            why = f"wrote no {', '.join(missing)}"
        passed = code == 0 and not why
        self.outcome[stage.name] = "passed" if passed else "failed"
        self.seconds[stage.name] = elapsed
        why = why or ("" if passed else f"exit code {code}")
        self._record(stage, code, why)
        self.console.ended(stage.name, elapsed, passed, why)
        if not passed:
            log = self.logs / f"{stage.name}.log"
            if not stage.show and not self.interrupt:
                self.console.text(tail(log, 60))
            self.console.line(f"whole log: {log.relative_to(ROOT)}")
            if not self.interrupt:
                self._diagnose(stage)

    def _diagnose(self, stage: Stage) -> None:
        if not stage.diagnose:
            return
        log = self.logs / f"{stage.name}.hosts.log"
        command = ("timeout", "120", *stage.diagnose)
        with log.open("wb") as out:
            code = subprocess.run(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False
            ).returncode
        self.console.line(f"on the hosts ({shlex.join(stage.diagnose)}, exit code {code}):")
        self.console.text(tail(log, 120))

    def _not_run(self, stage: Stage) -> None:
        lost = [need for need in stage.needs if self.outcome.get(need) != "passed"]
        self.outcome[stage.name] = "not run"
        self._record(stage, None, f"not run: needs {', '.join(lost)}")
        self.console.line(f"– {stage.name}: not run, needs {', '.join(lost)}")

    def _record(self, stage: Stage, code: int | None, why: str) -> None:
        record = {
            "stage": stage.name,
            "title": stage.title,
            "command": list(stage.command),
            "outcome": self.outcome[stage.name],
            "exit_code": code,
            "reason": why,
            "seconds": round(self.seconds.get(stage.name, 0.0), 1),
            "log": str((self.logs / f"{stage.name}.log").relative_to(ROOT)),
            "results": list(stage.results),
        }
        (self.records / f"{stage.name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    def _last_line(self, running: _Running) -> str:
        lines = [
            line for line in tail(Path(running.log.name), 30).splitlines() if re.search(running.stage.progress, line)
        ]
        return lines[-1].strip() if lines else ""

    def _stop_all(self) -> None:
        for name, running in list(self.running.items()):
            self._stop(running)
            del self.running[name]
            self._ended(running, running.process.returncode, time.monotonic() - running.started, "interrupted")

    @staticmethod
    def _stop(running: _Running) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + TERM_GRACE
            _signal_group(running.process.pid, number)
            while _signal_group(running.process.pid, 0):
                if time.monotonic() > deadline:
                    break
                running.process.poll()  # reaps the leader, which else counts as a member
                time.sleep(0.2)
            else:
                break
        running.process.wait()
