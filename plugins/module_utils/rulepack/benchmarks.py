# SPDX-License-Identifier: Apache-2.0
"""The audit-rule sections of the CIS benchmarks: number and, in words of ours, what each asks for.

Versions: Distribution Independent Linux 2.0.0, Debian 12 1.1.0, Debian 13 1.0.0, Ubuntu 22.04 2.0.0, Ubuntu 24.04
1.0.0, RHEL 8 4.0.0, RHEL 9 2.0.0, RHEL 10 1.0.1. Numbers, levels and assessments are those of the published
benchmarks, as ComplianceAsCode's controls and dev-sec/cis-dil-benchmark repeat them.
"""

from __future__ import annotations

from typing import NamedTuple


class Section(NamedTuple):
    """`level` 1 or 2; `automated`: the benchmark has a check for it, else it is to be looked at by a person."""

    title: str
    level: int = 2
    automated: bool = True


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
_CONTINUE, _IMMUTABLE = "rules load regardless of errors", "rules are immutable"
_SAME = Section("running rules are those on disk", automated=False)
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
    _CONTINUE,
    _IMMUTABLE,
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
    _IMMUTABLE,
)


def _numbered(chapter: str, titles: tuple[str, ...], *last: Section, first: int = 1) -> dict[str, Section]:
    every = (*(Section(title) for title in titles), *last)
    return {f"{chapter}.{number}": section for number, section in enumerate(every, first)}


SECTIONS: dict[str, dict[str, Section]] = {
    "dil": _numbered("4.1", _INDEPENDENT, first=5),
    "debian12": _numbered("6.2.3", (*_OLD, _IMMUTABLE), _SAME),
    "debian13": _numbered("6.2.3", _NEW, _SAME),
    "ubuntu2204": _numbered("6.3.3", (*_OLD, _IMMUTABLE), _SAME),
    "ubuntu2404": _numbered("6.2.3", (*_OLD, _IMMUTABLE), _SAME),
    "rhel8": _numbered("6.3.3", (*_OLD, _CONTINUE, _IMMUTABLE), _SAME),
    "rhel9": _numbered("6.3.3", (*_OLD, _IMMUTABLE), _SAME),
    "rhel10": _numbered("6.3.3", _NEW, _SAME),
}
"""Benchmark id → section → what it is, in the order of the sections."""
