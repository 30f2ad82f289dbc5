# SPDX-License-Identifier: Apache-2.0
"""A wheel as the role needs it: which one suits a host, what it holds, unpacked and checked against its RECORD."""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl")
_GLIBC = re.compile(r"manylinux_(\d+)_(\d+)_(\w+)")


@dataclass(frozen=True)
class Wheel:
    """A wheel's file name taken apart (PEP 427); `digest` names its contents, not its zip."""

    file: str
    digest: str = ""

    @property
    def parts(self) -> dict[str, str]:
        """Name, version, python, abi, platform; ValueError for another kind of name."""
        found = _NAME.fullmatch(self.file)
        if found is None:
            raise ValueError(f"{self.file} is not named like a wheel (name-version-python-abi-platform.whl)")
        return found.groupdict()

    @property
    def native(self) -> bool:
        """Tell whether it carries machine code."""
        return self.parts["platform"] != "any"

    def suits(self, machine: str, glibc: tuple[int, int]) -> bool:
        """Tell whether it runs on a machine (uname -m) with this glibc and any CPython from 3.9 on."""
        parts = self.parts
        if not self.native:
            return parts["python"] == "py3"
        if parts["abi"] != "abi3":
            return False
        for platform in parts["platform"].split("."):
            found = _GLIBC.fullmatch(platform)
            if platform == f"linux_{machine}":
                return True
            if found and found[3] == machine and glibc >= (int(found[1]), int(found[2])):
                return True
        return False


def choose(wheels: Iterable[Wheel], machine: str, glibc: tuple[int, int]) -> Wheel | None:
    """Return the first native wheel that suits, else the first pure one; the caller sorts newest first."""
    fitting = [wheel for wheel in wheels if wheel.suits(machine, glibc)]
    return next((wheel for wheel in fitting if wheel.native), next(iter(fitting), None))


def record_digest(text: str) -> str:
    """Return a digest of a RECORD, equal for wheels of the same contents whenever they were zipped."""
    return hashlib.sha256("\n".join(sorted(text.splitlines())).encode()).hexdigest()


def read_record(path: str) -> str:
    """Return the RECORD of a wheel file."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(_dist_info(archive.namelist(), "RECORD")).decode()


def unpack(path: str, folder: str) -> None:
    """Unpack a wheel; raise ValueError for a member that would leave the folder, or one unlike its RECORD."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("/") or ".." in name.split("/") or ".data/" in name:
                raise ValueError(f"{path}: member {name} has no place in a wheel of the collector")
        archive.extractall(folder)  # every name was looked at
    wrong = damaged(folder)
    if wrong:
        raise ValueError(f"{path}: {', '.join(wrong)} differ from the wheel's RECORD; build or fetch it again")


def installed_record(folder: str) -> str | None:
    """Return the RECORD of what is unpacked in a folder, None where there is none."""
    found = sorted(Path(folder).glob("*.dist-info/RECORD"))
    return found[0].read_text() if len(found) == 1 else None


def damaged(folder: str) -> list[str]:
    """Return the files of an unpacked wheel that are missing or unlike its RECORD."""
    wrong = []
    for name, digest, _size in csv.reader((installed_record(folder) or "").splitlines()):
        if digest:
            kind, _, value = digest.partition("=")
            file = Path(folder, name)
            real = hashlib.new(kind, file.read_bytes()).digest() if file.is_file() else b""
            if base64.urlsafe_b64encode(real).rstrip(b"=").decode() != value:
                wrong.append(name)
    return wrong


def entry_point(folder: str, script: str) -> tuple[str, str]:
    """Return module and function of a console script of an unpacked wheel."""
    parser = configparser.ConfigParser()
    for file in Path(folder).glob("*.dist-info/entry_points.txt"):
        parser.read(file)
    if not parser.has_option("console_scripts", script):
        raise ValueError(f"the wheel has no console script {script}; it is not the collector's")
    module, _, function = parser.get("console_scripts", script).partition(":")
    return module.strip(), function.strip()


def _dist_info(names: list[str], file: str) -> str:
    found = [name for name in names if re.fullmatch(rf"[^/]+\.dist-info/{file}", name)]
    if len(found) != 1:
        raise ValueError(f"a wheel has one {file}, this has {len(found)}")
    return found[0]
