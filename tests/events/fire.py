# SPDX-License-Identifier: Apache-2.0
"""Run one batch on one host: driver and agents over SSH, their JSON lines into outcomes."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .connection import ConnectionFailed, Host
from .plan import folder

BATCH_LIMIT = 1800.0  # seconds after which a batch is ended, whatever hangs


@dataclass
class Fired:
    """What came back from a host. `outcomes` by firing ref; `error` is set when the batch broke off."""

    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    feedback: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    status_renewed: bool = False
    seen: int = 0
    error: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def fire(host: Host, batch: Mapping[str, Any], on_result: Callable[[str, Mapping[str, Any]], None]) -> Fired:
    """Fire all of `batch` (see `plan.batch`); calls `on_result(ref, outcome)` when one arrives, and when it grows."""
    fired = Fired()
    path = folder(batch["run"])
    driver = host.start_driver(path, batch)
    agents: list[subprocess.Popen[bytes]] = []
    guard = threading.Timer(BATCH_LIMIT, driver.kill)
    guard.start()
    try:
        assert driver.stdout is not None
        for line in driver.stdout:
            message = json.loads(line)
            if message["kind"] == "ready":
                agents += [host.start_agent(path, user) for user in batch["users"]]
            else:
                _take(fired, message, on_result)
    finally:
        guard.cancel()
        problem = _finish(driver, agents)
    if problem or not fired.after:
        fired.error = f"{host.name}: the batch broke off: {problem or 'the driver ended without its last word'}"
    return fired


def _take(fired: Fired, message: dict[str, Any], on_result: Callable[[str, Mapping[str, Any]], None]) -> None:
    kind = message.pop("kind")
    if kind == "begin":
        fired.before = message.pop("state")
        fired.facts = message
    elif kind == "result":
        ref = message.pop("ref")
        fired.outcomes[ref] = {**message, **fired.facts}
        on_result(ref, fired.outcomes[ref])
    elif kind == "late":
        outcome = fired.outcomes[message["ref"]]
        outcome["events"].append(message["event"])
        on_result(message["ref"], outcome)
    elif kind == "end":
        fired.after = message.pop("state")
        for name, value in message.items():
            setattr(fired, name, value)
    else:
        raise ConnectionFailed(f"the driver says {kind!r}, which nobody knows here")


def _finish(driver: subprocess.Popen[bytes], agents: list[subprocess.Popen[bytes]]) -> str:
    """Ends of the sessions; what the first one that failed printed, else empty."""
    problems = []
    for process, name in [(driver, "driver"), *((agent, "agent") for agent in agents)]:
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            problems.append(f"{name} did not end")
        assert process.stderr is not None
        text = process.stderr.read().decode(errors="replace").strip()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
        if process.returncode != 0:
            problems.append(f"{name} ended with {process.returncode}: {text[-1500:]}")
    return "; ".join(problems)
