# SPDX-License-Identifier: Apache-2.0
"""What hosts of an Ansible inventory say of their rules: the module audit_installed, asked by ansible(1)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .errors import PackError

MODULE = "auditpack.linux.audit_installed"


def ask(inventory: str, pattern: str) -> dict[str, dict[str, Any]]:
    """Host → the module's answer, or `{failed|unreachable: true, msg}`. PackError when there is no host at all."""
    with tempfile.TemporaryDirectory(prefix="auditpack-") as folder:
        beside = Path(sys.executable).with_name("ansible")
        program = shutil.which("ansible") or (str(beside) if beside.exists() else "ansible")
        words = [program, pattern, "-i", inventory, "-b", "-m", MODULE, "--tree", folder]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise PackError("ansible", 0, "it is not on this machine", "install ansible-core") from None
        answers = read_tree(Path(folder))
    if not answers:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else "no host answers"
        raise PackError(
            inventory, 0, f"no host of `{pattern}` was asked: {reason}", "name an inventory with such hosts"
        )
    return answers


def read_tree(folder: Path) -> dict[str, dict[str, Any]]:
    """Host → answer, from a folder that `ansible --tree` wrote. PackError when a file is no such answer."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.iterdir()):
        try:
            answer = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as failure:
            raise PackError(str(file), 0, f"this is no host's answer: {failure}", "ask the hosts again") from None
        if not isinstance(answer, dict) or not {"installed", "failed", "unreachable"} & set(answer):
            raise PackError(str(file), 0, f"this is no answer of {MODULE}", "ask the hosts again")
        found[file.name] = answer
    return found
