# SPDX-License-Identifier: Apache-2.0
"""List facts about homes: which accounts count, and which of their paths."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from plugins.module_utils import homes
from plugins.module_utils.host import HostError
from plugins.modules import audit_facts


def account(name: str, home: Path, *, login: str = "/bin/bash", uid: int | None = None) -> pwd.struct_passwd:
    number = os.getuid() if uid is None else uid
    return pwd.struct_passwd((name, "x", number, number, "", str(home), login))


def test_shells() -> None:
    assert homes.valid_shells("# comment\n/bin/sh\n\n/bin/bash \n") == {"/bin/sh", "/bin/bash"}


def test_accounts_that_can_log_in_and_own_their_home(tmp_path: Path) -> None:
    accounts = [
        account("alice", tmp_path),
        account("www-data", tmp_path, login="/usr/sbin/nologin"),
        account("gone", tmp_path / "none"),
        account("sync", tmp_path, uid=os.getuid() + 4),
    ]
    assert [one.pw_name for one in homes.login_accounts(accounts, {"/bin/bash"})] == ["alice"]


def test_a_file_is_watched_for_where_its_directory_is_there(tmp_path: Path) -> None:
    (tmp_path / "alice/.ssh").mkdir(parents=True)
    (tmp_path / "bob").mkdir()
    both = [str(tmp_path / "alice"), str(tmp_path / "bob")]
    assert homes.in_homes(both, "home", ".ssh/authorized_keys") == [str(tmp_path / "alice/.ssh/authorized_keys")]
    assert homes.in_homes(both, "home", ".bashrc") == [str(tmp_path / "alice/.bashrc"), str(tmp_path / "bob/.bashrc")]


def test_a_directory_is_watched_when_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "alice/.aws").mkdir(parents=True)
    (tmp_path / "bob").mkdir()
    both = [str(tmp_path / "alice"), str(tmp_path / "bob")]
    assert homes.in_homes(both, "home-dir", ".aws") == [str(tmp_path / "alice/.aws")]


def test_the_last_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "alice").symlink_to("real")
    (tmp_path / "real/.bash_history").symlink_to("/dev/null")
    found = homes.in_homes([str(tmp_path / "alice")], "home", ".bash_history")
    assert found == [str(tmp_path / "real/.bash_history")]


def test_homes_outside_of_the_base(tmp_path: Path) -> None:
    for name in ("home/alice", "srv/carol", "homework"):
        (tmp_path / name).mkdir(parents=True)
    paths = [str(tmp_path / name) for name in ("home/alice", "srv/carol", "homework")]
    assert homes.elsewhere(paths, str(tmp_path / "home")) == [str(tmp_path / "homework"), str(tmp_path / "srv/carol")]


def test_a_home_on_its_own_file_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "home/alice").mkdir(parents=True)
    real = os.stat

    def other_device(path: str | Path) -> os.stat_result:
        found = real(path)
        if not str(path).endswith("alice"):
            return found
        return os.stat_result((found.st_mode, found.st_ino, found.st_dev + 1, *found[3:]))

    monkeypatch.setattr(homes.os, "stat", other_device)
    assert homes.elsewhere([str(tmp_path / "home/alice")], str(tmp_path / "home")) == [str(tmp_path / "home/alice")]


@pytest.mark.parametrize("name", ["home", "home:", "home:/etc/passwd", "shells"])
def test_an_unknown_list_is_named(name: str) -> None:
    with pytest.raises(HostError, match="unknown list fact"):
        audit_facts.gather_list(name, 1000)
