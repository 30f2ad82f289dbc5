# SPDX-License-Identifier: Apache-2.0
"""Options of the proof, its parameters (host × case, host × rule), and the one batch that all tests look at."""

from __future__ import annotations

import datetime
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from . import plan, report, run
from .catalogue import of_packs
from .connection import ROOT, ConnectionFailed, Host, hosts
from .engine import Composed, compose_for

_TABLE = pytest.StashKey[list[str]]()
_TARGETS = pytest.StashKey[list["Target"]]()


@dataclass
class Target:
    """A host to prove and the packs that its inventory puts on it."""

    host: Host
    composed: Composed

    @property
    def name(self) -> str:
        return self.host.name


@dataclass
class Proof:
    """All host runs by name."""

    runs: dict[str, run.HostRun] = field(default_factory=dict)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("proof", "rules proven by their events")
    group.addoption("--proof-out", type=Path, default=ROOT / "build/proof", metavar="DIR", help="where the reports go")
    group.addoption("--proof-packs", metavar="NAMES", help="fire only cases of these packs (comma separated)")
    group.addoption("--proof-cases", default="*", metavar="GLOB", help="fire only cases whose id matches")
    group.addoption("--proof-label", default="", metavar="TEXT", help="title of this run, for example after-reboot")


def targets(config: pytest.Config) -> list[Target]:
    """The hosts of `--hosts` with what is composed for each; made once."""
    if _TARGETS not in config.stash:
        spec = config.getoption("hosts")
        if not spec:
            raise pytest.UsageError("the proof needs hosts: --hosts=ansible://lab --ansible-inventory=FILE")
        try:
            found = [
                Target(host, compose_for(host.variables)) for host in hosts(spec, config.getoption("ansible_inventory"))
            ]
        except ConnectionFailed as error:
            raise pytest.UsageError(str(error)) from error
        if not found:
            raise pytest.UsageError(f"--hosts={spec} names no host of the inventory")
        config.stash[_TARGETS] = found
    return config.stash[_TARGETS]


def chosen(config: pytest.Config) -> plan.Choice:
    names = config.getoption("proof_packs")
    return plan.Choice(config.getoption("proof_cases"), frozenset(names.split(",")) if names else None)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = metafunc.fixturenames
    if "target" not in names:
        return
    choice = chosen(metafunc.config)
    places = targets(metafunc.config)
    if "case_id" in names:
        pairs = [
            (t, case.id)
            for t in places
            for case in t.composed.cases
            if choice.takes(t.composed.pack_of[case.id], case.id)
        ]
        metafunc.parametrize(("target", "case_id"), pairs, ids=[f"{t.name}-{case}" for t, case in pairs])
    elif "rule_id" in names:
        pairs = [
            (t, rule)
            for t in places
            for rule in t.composed.rules
            if choice.everything
            or any(
                rule in case.rules and choice.takes(t.composed.pack_of[case.id], case.id) for case in t.composed.cases
            )
        ]
        metafunc.parametrize(("target", "rule_id"), pairs, ids=[f"{t.name}-{rule}" for t, rule in pairs])
    else:
        metafunc.parametrize("target", places, ids=[t.name for t in places])


@pytest.fixture(scope="session")
def proof(request: pytest.FixtureRequest) -> Proof:
    """Fires everything once and writes the reports; the tests only look at what came of it."""
    config = request.config
    terminal: Any = config.pluginmanager.getplugin("terminalreporter")
    lock = threading.Lock()

    def say(text: str) -> None:
        with lock:
            terminal.write_line(text)
            terminal.flush()

    started = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():  # else pytest keeps the progress to itself
        terminal.ensure_newline()
        runs = run.prove([(t.host, t.composed) for t in targets(config)], chosen(config), say)
    rows = run.rows(runs)
    label = config.getoption("proof_label")
    about = run.about(runs, label, started)
    folder: Path = config.getoption("proof_out")
    report.write(folder, rows, about, of_packs(pack for t in targets(config) for pack in t.composed.packs))
    config.stash[_TABLE] = [
        *report.table(rows, about, terminal.hasmarkup),
        "",
        f"reports: {folder}/proof.html, .md, .json, junit.xml",
    ]
    return Proof({found.name: found for found in runs})


@pytest.fixture
def host_run(proof: Proof, target: Target) -> run.HostRun:
    """The run of the test's host."""
    return proof.runs[target.name]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    lines = config.stash.get(_TABLE, [])
    if lines:
        terminalreporter.section("proof")
        for line in lines:
            terminalreporter.write_line(line)
