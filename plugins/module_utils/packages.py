# SPDX-License-Identifier: Apache-2.0
"""Packages through apt-get: ansible.builtin.apt needs python3-apt, which a bare host lacks in check mode."""

from __future__ import annotations

import re

from .host import HostError, find, run

APT = ["apt-get", "--yes", "--quiet", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]


def missing(names: list[str]) -> list[str]:
    """Return those of the packages that are not installed."""
    if not names:
        return []
    if find("dpkg-query") is None:
        raise HostError(
            "audit_daemon_packages: this host has no apt; install auditd by other means and set the variable to []"
        )
    out = run(["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *names], ok=(0, 1)).out
    installed = {line.split()[0] for line in out.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def parse_simulation(text: str) -> dict[str, str]:
    """Return name → version of the packages that `apt-get --simulate install` would install."""
    return dict(re.findall(r"^Inst (\S+) \((\S+)", text, re.MULTILINE))


def simulate(names: list[str], refresh: bool) -> dict[str, str]:
    """Return what installing the packages would bring; with `refresh`, ask the archive anew when one is unknown."""
    argv = [*APT, "--simulate", "install", *names]
    done = run(argv, ok=None)
    if done.rc != 0 and refresh:
        run([*APT, "update"], timeout=300)
        done = run(argv, ok=None)
    if done.rc != 0:
        hint = "" if refresh else "; check mode does not run apt-get update, a real run does"
        raise HostError(f"audit_daemon_packages: apt cannot install {' '.join(names)}: {done.said}{hint}")
    return parse_simulation(done.out)


def install(names: list[str]) -> None:
    """Install packages."""
    run([*APT, "install", *names], timeout=900)


def remove(names: list[str]) -> None:
    """Remove packages; their logs and edited configuration stay."""
    run([*APT, "remove", *names], timeout=600)
