# SPDX-License-Identifier: Apache-2.0
"""The kept facts are what their script makes, and answer for every path and list."""

from __future__ import annotations

import subprocess
import sys

import pytest
from auditpack import kept
from auditpack.errors import PackError


def test_the_files_are_what_the_script_writes() -> None:
    script = kept.FOLDER / "make.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}edit the tables of {script} and run it; the files are not for editing"


def test_there_is_a_host_for_each_distribution() -> None:
    assert kept.names() == ["debian12", "debian13", "rhel10", "rhel8", "rhel9", "ubuntu2204", "ubuntu2404"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(PackError, match="there are no such facts"):
        kept.load("windows")


@pytest.mark.parametrize(
    ("path", "kind", "real"),
    [
        ("/", "dir", "/"),
        ("/etc/passwd", "file", "/etc/passwd"),
        ("/sbin/insmod", "file", "/usr/bin/kmod"),
        ("/var/run/utmp", "file", "/run/utmp"),
        ("/var/run/faillock", "missing", "/run/faillock"),
        ("/nowhere/at/all", "missing", "/nowhere/at/all"),
        ("/etc/localtime", "file", "/usr/share/zoneinfo/Etc/UTC"),
    ],
)
def test_paths(path: str, kind: str, real: str) -> None:
    assert kept.load("debian12").paths[path] == {"kind": kind, "real": real}


@pytest.mark.parametrize(
    ("name", "elements"),
    [
        ("home:.netrc", ("/home/alice/.netrc", "/home/bob/.netrc", "/root/.netrc")),
        ("home:.ssh/authorized_keys", ("/home/alice/.ssh/authorized_keys", "/home/bob/.ssh/authorized_keys",
                                       "/root/.ssh/authorized_keys")),
        ("home-dir:.aws", ()),
        ("homes_elsewhere", ()),
    ],
)  # fmt: skip
def test_lists(name: str, elements: tuple[str, ...]) -> None:
    assert kept.load("rhel9").lists[name] == elements
