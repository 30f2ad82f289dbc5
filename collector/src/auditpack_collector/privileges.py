# SPDX-License-Identifier: Apache-2.0
"""From root to the collector's own user, for good."""

from __future__ import annotations

import os
import pwd


def drop(user: str) -> None:
    """Become `user`. Raises PermissionError when not root and not that user already, KeyError when there is none."""
    account = pwd.getpwnam(user)
    if os.geteuid() != 0:
        if os.geteuid() != account.pw_uid:
            raise PermissionError(f"started as uid {os.geteuid()}, so cannot become {user}: start as root or set user")
        return
    os.initgroups(user, account.pw_gid)
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    if account.pw_uid != 0 and 0 in os.getresuid():
        raise PermissionError(f"still root after becoming {user}")
