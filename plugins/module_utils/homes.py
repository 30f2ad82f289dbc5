# SPDX-License-Identifier: Apache-2.0
"""List facts about the homes of accounts that can log in, since no rule can say "in every home" by itself.

`home:<path>` is that path in each home where its parent directory is there (the kernel arms the watch of a file that
comes later); `home-dir:<path>` is each such directory that is there; `homes_elsewhere` are the homes of people that a
watch of /home does not reach: outside of it, or on another file system.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable
from pathlib import Path

SHELLS = "/etc/shells"
NOBODY = 65534


def valid_shells(text: str) -> set[str]:
    """Return the shells of a shells(5) file."""
    lines = (line.strip() for line in text.splitlines())
    return {line for line in lines if line and not line.startswith("#")}


def login_accounts(accounts: Iterable[pwd.struct_passwd], shells: set[str]) -> list[pwd.struct_passwd]:
    """Return the accounts whose shell is a valid one and whose home is a directory of their own.

    `sync` of Debian has a shell and /bin as its home: a home must belong to its account.
    """
    return [
        account
        for account in accounts
        if account.pw_shell in shells
        and os.path.isdir(account.pw_dir)
        and os.stat(account.pw_dir).st_uid == account.pw_uid
        and os.path.realpath(account.pw_dir) != "/"
    ]


def in_homes(homes: Iterable[str], kind: str, relative: str) -> list[str]:
    """Return the path below each home. Links in the middle are resolved, the last name is not.

    A history that leads to /dev/null must not become a watch of /dev/null.
    """
    found = set()
    for home in homes:
        path = os.path.join(home, relative)
        if kind == "home-dir":
            if os.path.isdir(path):
                found.add(os.path.realpath(path))
        elif os.path.isdir(os.path.dirname(path)):
            found.add(os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)))
    return sorted(found)


def elsewhere(homes: Iterable[str], base: str = "/home") -> list[str]:
    """Return the homes that a watch of `base`, which stops at mount points, does not reach."""
    root = os.path.realpath(base)
    device = os.stat(root).st_dev if os.path.isdir(root) else -1
    found = set()
    for home in map(os.path.realpath, homes):
        below = home == root or home.startswith(f"{root}/")
        if not below or os.stat(home).st_dev != device:
            found.add(home)
    return sorted(found)


def gather(name: str, uid_min: int) -> list[str]:
    """Return the list fact of that name on this host."""
    shells = Path(SHELLS)
    accounts = login_accounts(pwd.getpwall(), valid_shells(shells.read_text() if shells.exists() else ""))
    if name == "homes_elsewhere":
        return elsewhere(one.pw_dir for one in accounts if uid_min <= one.pw_uid and one.pw_uid != NOBODY)
    kind, _, relative = name.partition(":")
    return in_homes((one.pw_dir for one in accounts), kind, relative)
