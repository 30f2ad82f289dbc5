# SPDX-License-Identifier: Apache-2.0
"""How the proof reaches hosts: the one place that imports testinfra.

testinfra gives the hosts and their variables (`--hosts=ansible://…`) and runs our fact module; the batch itself goes
over plain `ssh` with the key and known_hosts of the inventory, one real session per lab user.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import testinfra

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("driver.py", "agent.py", "condition.py", "marker.py", "raw.py", "tail.py", "judge.py", "view.py")
PYTHON = "exec python3 -sEB -m"


class ConnectionFailed(Exception):
    """A host cannot be reached or refuses what is asked of it."""


def hosts(spec: str, inventory: str | None) -> list[Host]:
    """The hosts of `--hosts`, which must name the Ansible backend."""
    if not spec.startswith("ansible://"):
        raise ConnectionFailed(
            f"--hosts={spec}: the proof needs the Ansible backend, for example --hosts=ansible://lab"
        )
    os.environ.setdefault("ANSIBLE_CONFIG", str(ROOT / "ansible.cfg"))
    tools = str(Path(sys.executable).parent)  # testinfra calls `ansible` by name
    if tools not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([tools, os.environ["PATH"]])
    return [Host(backend) for backend in testinfra.get_hosts([spec], ansible_inventory=inventory)]


class Host:
    """One host of the inventory."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.name: str = backend.backend.host
        self.variables: dict[str, Any] = backend.ansible.get_variables()

    def module(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What an Ansible module returns; raises ConnectionFailed with its message when it fails."""
        try:
            options = {} if self._login == "root" else {"become": True}
            result: dict[str, Any] = self._backend.ansible(name, json.dumps(arguments), check=False, **options)
        except self._backend.ansible.AnsibleException as error:
            raise ConnectionFailed(f"{self.name}: {name}: {error.result.get('msg', error)}") from error
        except AssertionError as error:  # what testinfra raises when `ansible` ends with 4: the host cannot be reached
            raise ConnectionFailed(f"{self.name}: {name}: {error}") from error
        return result

    @property
    def _login(self) -> str:
        return str(self.variables.get("ansible_user", "root"))

    def ssh(self, user: str, command: str) -> list[str]:
        """Command line that runs `command` in a new SSH session of `user`."""
        have = self.variables
        line = ["ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=20"]
        line += ["-o", "ControlMaster=no", "-o", "ControlPath=none"]
        key = have.get("ansible_ssh_private_key_file") or have.get("ansible_private_key_file")
        if key:
            line += ["-o", "IdentitiesOnly=yes", "-i", str(key)]
        if have.get("ansible_port"):
            line += ["-p", str(have["ansible_port"])]
        line += shlex.split(str(have.get("ansible_ssh_common_args", "")))
        return [*line, f"{user}@{have.get('ansible_host', self.name)}", command]

    def start_driver(self, folder: str, plan: Mapping[str, Any]) -> subprocess.Popen[bytes]:
        """Copy driver and plan into `folder` on the host and start it; its JSON lines come out of `stdout`."""
        quoted = shlex.quote(folder)
        # One folder, made anew: a name that exists already is not ours to use.
        script = f"umask 022 && mkdir {quoted} && cd {quoted} && tar -xf - && {PYTHON} events.driver"
        command = script if self._login == "root" else f"sudo -n sh -c {shlex.quote(script)}"
        process = subprocess.Popen(
            self.ssh(self._login, command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        # When ssh is gone already, its exit status and stderr tell why.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(_bundle(plan))
            process.stdin.close()
        process.stdin = None
        return process

    def start_agent(self, folder: str, user: str) -> subprocess.Popen[bytes]:
        """A real login session of `user` that executes triggers for the driver."""
        command = f"cd {shlex.quote(folder)} && {PYTHON} events.agent events/agents.sock"
        return subprocess.Popen(
            self.ssh(user, command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def run(self, command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """One command as the inventory's user (root in the lab)."""
        return subprocess.run(
            self.ssh(self._login, command), check=False, capture_output=True, text=True, timeout=timeout
        )


def _bundle(plan: Mapping[str, Any]) -> bytes:
    """A tar of the package `events` with what the host needs of it."""
    buffer = io.BytesIO()
    here = Path(__file__).resolve().parent
    files = [(name, (here / name).read_bytes(), 0o644) for name in SHIPPED]
    files += [("__init__.py", b"", 0o644), ("plan.json", json.dumps(plan).encode(), 0o600)]
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content, mode in files:
            entry = tarfile.TarInfo(f"events/{name}")
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def selection(host: Host, default: Sequence[Any]) -> list[dict[str, Any]]:
    """Packs that the inventory puts on a host (`audit_rules_packs`), else the role's default."""
    wanted = host.variables.get("audit_rules_packs", default)
    return [{"name": entry} if isinstance(entry, str) else dict(entry) for entry in wanted]
