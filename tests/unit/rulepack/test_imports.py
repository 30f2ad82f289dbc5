# SPDX-License-Identifier: Apache-2.0
"""Hosts have no PyYAML: what runs there must not want it, under either of its names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

UTILS = Path(__file__).parents[3] / "plugins" / "module_utils"
PROGRAM = """
import sys
sys.modules["yaml"] = None
sys.path.insert(0, sys.argv[1])
from rulepack import fields, line, normalise, shadow
assert line.parse_rules("-w /a -p w -k a")
own = {*sys.stdlib_module_names, "rulepack", "__main__"}
print(sorted(name for name in sys.modules if name.partition(".")[0] not in own))
"""


@pytest.mark.skipif(sys.version_info < (3, 10), reason="stdlib_module_names")
def test_what_runs_on_hosts_is_standard_library_only() -> None:
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(UTILS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "['yaml']\n"), done.stderr
