# SPDX-License-Identifier: Apache-2.0
"""The audit-rule sections of the CIS benchmarks: number and, in words of ours, what each asks for.

Versions: Distribution Independent Linux 2.0.0, Debian 12 1.1.0, Debian 13 1.0.0, Ubuntu 22.04 2.0.0, Ubuntu 24.04
1.0.0, RHEL 8 4.0.0, RHEL 9 2.0.0, RHEL 10 1.0.1. All these sections are of level 2.
"""

from __future__ import annotations

LEVEL = 2

_OLD = (
    "sudoers",
    "actions as another user",
    "sudo's log file",
    "date and time",
    "network environment",
    "privileged commands",
    "denied file access",
    "users and groups",
    "permissions and owners",
    "mounts",
    "session records",
    "login records",
    "deletion and renaming",
    "mandatory access control",
    "chcon",
    "setfacl",
    "chacl",
    "usermod",
    "kernel modules",
)
_ENDS = ("rules are immutable", "running rules are those on disk")
_NEW = (
    "sudoers",
    "actions as another user",
    "sudo's log file",
    "date and time",
    "host and domain name",
    "login banners",
    "hosts and hostname",
    "network configuration",
    "NetworkManager configuration",
    "privileged commands",
    "denied file access",
    "groups",
    "users",
    "shadow files",
    "old passwords",
    "name service switch",
    "PAM configuration",
    "permissions",
    "owners",
    "extended attributes",
    "mounts",
    "session records",
    "login records",
    "deletion",
    "renaming",
    "mandatory access control",
    "chcon",
    "setfacl",
    "chacl",
    "usermod",
    "kmod",
    "module loading",
    "module unloading",
    "query_module",
    "rules load regardless of errors",
    "rules are immutable",
)
_INDEPENDENT = (
    "date and time",
    "users and groups",
    "network environment",
    "mandatory access control",
    "login records",
    "session records",
    "permissions and owners",
    "denied file access",
    "privileged commands",
    "mounts",
    "deletion and renaming",
    "sudoers",
    "sudo's log file",
    "kernel modules",
    "rules are immutable",
)


def _numbered(chapter: str, titles: tuple[str, ...], first: int = 1) -> dict[str, str]:
    return {f"{chapter}.{number}": title for number, title in enumerate(titles, first)}


SECTIONS: dict[str, dict[str, str]] = {
    "dil": _numbered("4.1", _INDEPENDENT, 5),
    "debian12": _numbered("6.2.3", (*_OLD, *_ENDS)),
    "debian13": _numbered("6.2.3", _NEW),
    "ubuntu2204": _numbered("6.3.3", (*_OLD, *_ENDS)),
    "ubuntu2404": _numbered("6.2.3", (*_OLD, *_ENDS)),
    "rhel8": _numbered("6.3.3", (*_OLD, "rules load regardless of errors", *_ENDS)),
    "rhel9": _numbered("6.3.3", (*_OLD, *_ENDS)),
    "rhel10": _numbered("6.3.3", _NEW),
}
"""Benchmark id → section → title, in the order of the sections."""

HOSTS: dict[str, str] = {
    "debian12": "debian 12",
    "debian13": "debian 13",
    "ubuntu2204": "ubuntu 22.04",
    "ubuntu2404": "ubuntu 24.04",
}
"""Benchmark id → the `distro` of its hosts in proof.json, where that is one word and version."""
