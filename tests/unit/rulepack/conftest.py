# SPDX-License-Identifier: Apache-2.0
"""Facts of two small hosts, for rules that need little."""

from __future__ import annotations

from dataclasses import replace

import pytest
from auditpack.model import HostFacts

PATHS = {
    "/etc/passwd": {"kind": "file", "real": "/etc/passwd"},
    "/etc/localtime": {"kind": "file", "real": "/usr/share/zoneinfo/Etc/UTC"},
    "/etc": {"kind": "dir", "real": "/etc"},
    "/var/run": {"kind": "dir", "real": "/run"},
    "/var/run/utmp": {"kind": "file", "real": "/run/utmp"},
    "/var/run/demo": {"kind": "missing", "real": "/var/run/demo"},
    "/var/log": {"kind": "dir", "real": "/var/log"},
    "/var/log/demo.log": {"kind": "missing", "real": "/var/log/demo.log"},
    "/usr/bin/tool": {"kind": "missing", "real": "/usr/bin/tool"},
}
B64 = {"openat": 257, "execve": 59, "execveat": 322, "chmod": 90, "fchmod": 91, "fchmodat": 268, "unlinkat": 263}
B32 = {"openat": 295, "execve": 11, "execveat": 358, "chmod": 15, "fchmod": 94, "fchmodat": 306, "unlinkat": 301}


@pytest.fixture
def old() -> HostFacts:
    """Debian 12: audit 3.0.9."""
    return HostFacts(
        distro="debian",
        distro_version="12",
        kernel="6.1.0-40-amd64",
        machine="x86_64",
        audit_version="3.0.9",
        abis=("b64", "b32"),
        syscalls={"b64": B64, "b32": B32},
        users={"auditpack": 990, "ansible": 1500},
        paths=PATHS,
        lists={"setuid_files": ("/usr/bin/passwd", "/usr/bin/su")},
    )


@pytest.fixture
def new(old: HostFacts) -> HostFacts:
    """Debian 13: audit 4.0.2, with fchmodat2."""
    return replace(
        old,
        distro_version="13",
        kernel="6.12.48+deb13-amd64",
        audit_version="4.0.2",
        syscalls={"b64": {**B64, "fchmodat2": 452}, "b32": {**B32, "fchmodat2": 452}},
    )
