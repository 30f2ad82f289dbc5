# SPDX-License-Identifier: Apache-2.0
"""Tools of the faults: apply packs to a host, look at what it then holds, run a role."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
OWN_PACKS = ROOT / "rulepacks"
STATUS = "/var/lib/auditpack/collector/status.json"
EVENTS = "/var/log/auditpack/events.jsonl"

PACK = """\
# SPDX-License-Identifier: Apache-2.0
name: trial
version: 1.0.0
title: A pack that brings trouble
description: Written by a test.
licence: Apache-2.0
maintainers: [Auditpack maintainers]
maturity: sandbox
order: 20
requires: []
conflicts: []
supports: {distros: {debian: ["12", "13"]}, audit: ">=3.0", kernel: ">=5.10", machines: [x86_64, aarch64]}
"""


@dataclass
class Refused(Exception):
    """What the module said when it changed nothing."""

    result: dict[str, Any]

    def __str__(self) -> str:
        return str(self.result["msg"])


class Target:
    """One host of the lab."""

    def __init__(self, host: Any) -> None:
        self.host = host
        defaults = yaml.safe_load((ROOT / "roles/audit_rules/defaults/main.yml").read_text(encoding="utf-8"))
        self.name: str = host.ansible.get_variables()["inventory_hostname"]
        self.packs: list[dict[str, Any]] = defaults["audit_rules_packs"]

    def shell(self, script: str) -> str:
        """Run a script as root and return its output; a failure is the test's failure."""
        done = self.host.run(script)
        assert done.rc == 0, f"{self.name}: `{script}` ended with {done.rc}: {done.stderr or done.stdout}"
        return str(done.stdout)

    def apply(self, packs: list[dict[str, Any]] | None = None, **arguments: Any) -> dict[str, Any]:
        """Run the module audit_rules with the host's own packs, or others; raise Refused when it fails."""
        arguments = {"packs": self.packs if packs is None else packs, **arguments}
        try:
            answer: dict[str, Any] = self.host.ansible(
                "auditpack.linux.audit_rules", json.dumps(arguments), check=False
            )
        except self.host.ansible.AnsibleException as error:
            raise Refused(error.result) from error
        if "rules" not in answer:  # ansible-core 2.19 keeps `failed` out of the result that testinfra reads
            raise Refused(answer)
        return answer

    def state(self) -> str:
        """Return what must not change when packs are refused: loaded rules, settings, files."""
        return self.shell(
            "auditctl -l; auditctl -s | grep -v -e backlog -e lost"
            "; cat /etc/audit/audit.rules; sha256sum /etc/audit/rules.d/*"
        )

    def until(self, script: str, seconds: float = 30) -> None:
        """Wait until a script succeeds; fail when it does not in time."""
        deadline = time.monotonic() + seconds
        while self.host.run(script).rc != 0:
            assert time.monotonic() < deadline, f"{self.name}: `{script}` not true after {seconds:g} s"
            time.sleep(1)

    def status(self) -> dict[str, Any]:
        """Return the collector's status file."""
        return dict(json.loads(self.shell(f"cat {STATUS}")))

    def mark(self, text: str) -> None:
        """Send a user message through the kernel and wait until its event is written."""
        self.shell(f"auditctl -m '{text}'")
        self.until(f"grep -q '{text}' {EVENTS}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each host's tests together and in order, so that pytest-xdist can run the hosts side by side."""
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            item.add_marker(pytest.mark.xdist_group(str(item.callspec.params["_testinfra_host"])))


@pytest.fixture(scope="module")
def target(host: Any) -> Target:
    """The host of the test, with the role's own packs; pytest-testinfra runs each test on every host of `--hosts`."""
    target = Target(host)
    target.apply()
    return target


@pytest.fixture
def trial_pack(tmp_path: Path) -> Callable[[str], list[str]]:
    """A function that writes a pack `trial` with the given rules and returns the pack folders to search."""

    def write(rules: str) -> list[str]:
        pack = tmp_path / "trial"
        pack.mkdir()
        (pack / "pack.yml").write_text(PACK, encoding="utf-8")
        (pack / "rules.yml").write_text("# SPDX-License-Identifier: Apache-2.0\n" + rules, encoding="utf-8")
        (pack / "cases.yml").write_text("# SPDX-License-Identifier: Apache-2.0\n[]\n", encoding="utf-8")
        return [str(OWN_PACKS), str(tmp_path)]

    return write


@pytest.fixture
def unchanged(target: Target) -> Iterator[None]:
    """The test must leave the host's rules exactly as they were."""
    before = target.state()
    yield
    assert target.state() == before


@pytest.fixture
def role(request: pytest.FixtureRequest, target: Target) -> Callable[..., str]:
    """A function that runs one of the collection's roles on the host with more variables and returns the output."""

    def run(name: str, **variables: Any) -> str:
        done = subprocess.run(
            [
                *("ansible", target.name, "-i", request.config.getoption("ansible_inventory")),
                *("-m", "ansible.builtin.include_role", "-a", f"name=auditpack.linux.{name}"),
                *("-e", json.dumps({"audit_rules_packs": target.packs, **variables})),
            ],
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=900,
        )
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    return run
