# SPDX-License-Identifier: Apache-2.0
"""What a configuration asks of this machine: users, folders, programs. Opens nothing for writing."""

from __future__ import annotations

import os
import posixpath
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from . import acl, compress
from .config import Config, Output, output_path


def check_host(config: Config, path: Path) -> list[str]:
    """What is not there, each as `file: what — remedy`."""
    return [f"{path}: {message}" for message in _problems(config)]


def queue_folder(config: Config) -> str:
    """Where the disk queues are; each output has a folder below."""
    return config.queue.directory or posixpath.join(config.status.directory, "queue")


def _problems(config: Config) -> Iterator[str]:
    account = None
    if config.user:
        try:
            account = pwd.getpwnam(config.user)
        except KeyError:
            yield f"user {config.user!r} does not exist — create it or set user"
    folders = [("status.directory", config.status.directory)]
    for output in config.outputs():
        if output.kind == "file":
            folders.append(("output.path", posixpath.dirname(output_path(output))))
            yield from _file(output)
    if config.queue.directory:
        folders.append(("queue.directory", config.queue.directory))
    for name, folder in folders:
        try:
            found = os.stat(folder)  # noqa: PTH116
        except OSError as error:
            yield f"{name}: {folder}: {error.strerror} — create the directory"
            continue
        if not stat.S_ISDIR(found.st_mode):
            yield f"{name}: {folder} is no directory"
        elif account is not None and os.geteuid() == 0 and not _may_write(found, account):
            yield f"{name}: {folder}: user {config.user!r} may not write there — chown it"


def _file(output: Output) -> Iterator[str]:
    try:
        acl.entries(output.readers)
    except KeyError as error:
        yield f"output.readers: {error.args[0]} — create the account or remove it"
    if not compress.available(output.compress):
        yield f"output.compress: {output.compress} is not on this machine — install zstd, or use gzip"


def _may_write(found: os.stat_result, account: pwd.struct_passwd) -> bool:
    if found.st_uid == account.pw_uid:
        return found.st_mode & 0o300 == 0o300
    if found.st_gid in os.getgrouplist(account.pw_name, account.pw_gid):
        return found.st_mode & 0o030 == 0o030
    return found.st_mode & 0o003 == 0o003
