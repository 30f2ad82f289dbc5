# SPDX-License-Identifier: Apache-2.0
"""A registry: a folder or an HTTP(S) URL with `index.yml` and the archives that it names."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import PackError
from .packfile import LARGEST, read_archive
from .release import INDEX, Release, digest, parse_index
from .signing import SUFFIX, verify
from .versions import parts, satisfies

LARGEST_INDEX = 4 * 2**20
LARGEST_SIGNATURE = 64 * 2**10
TIMEOUT = 30
"""Seconds without a byte."""


@dataclass(frozen=True)
class Registry:
    """`signers`: an allowed-signers file; with one, index and archives must be signed by a key in it."""

    location: str
    signers: Path | None = None

    def releases(self) -> list[Release]:
        """The releases. PackError when the index is not there, malformed, or not signed as it must be."""
        data = self.read(INDEX, LARGEST_INDEX)
        self._check(INDEX, data)
        return parse_index(data, self.place(INDEX))

    def archive(self, release: Release) -> bytes:
        """The bytes of a release, checked: digest, signature, and that it holds the pack that the index says."""
        data = self.read(release.file, LARGEST)
        place = self.place(release.file)
        found = digest(data)
        if found != release.sha256:
            message = f"its SHA-256 is {found}, the index says {release.sha256}"
            raise PackError(place, 0, message, "do not use it: it is not what was released")
        self._check(release.file, data)
        pack = read_archive(data, place)
        if (pack.name, pack.version) != (release.name, release.version):
            raise PackError(place, 0, f"it holds {pack.name} {pack.version}", "release the pack again")
        return data

    def read(self, name: str, limit: int) -> bytes:
        """A file of the registry. PackError when it is not there, cut short, or larger than `limit` bytes."""
        place = self.place(name)
        try:
            data = self._download(place, limit) if self.remote else _read(Path(place), limit)
        except FileNotFoundError:
            raise PackError(place, 0, "it is not here", "name a registry: a folder or URL with index.yml") from None
        except (OSError, ValueError) as failure:
            raise PackError(place, 0, f"cannot be read: {failure}", "try again, or name another registry") from None
        if len(data) > limit:
            raise PackError(place, 0, f"it is larger than {limit} bytes", "do not use it: no release is that large")
        return data

    @property
    def remote(self) -> bool:
        return self.location.startswith(("http://", "https://"))

    def place(self, name: str) -> str:
        """Where a file lies, for messages and for reading."""
        return f"{self.location.rstrip('/')}/{name}"

    def _check(self, name: str, data: bytes) -> None:
        if self.signers is None:
            return
        try:
            signature = self.read(name + SUFFIX, LARGEST_SIGNATURE)
        except PackError as failure:
            message = f"it must be signed, and its signature {name}{SUFFIX} {failure.message}"
            raise PackError(self.place(name), 0, message, "do not use it, or take a registry that signs") from None
        verify(data, signature, self.signers, self.place(name))

    @staticmethod
    def _download(url: str, limit: int) -> bytes:
        request = urllib.request.Request(url, headers={"User-Agent": "auditpack"})  # noqa: S310 - http(s) by `remote`
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                if not answer.geturl().startswith(("http://", "https://")):
                    raise ValueError(f"redirected to {answer.geturl()}")
                said = answer.headers.get("Content-Length")
                if said and int(said) > limit:
                    return b"\0" * (limit + 1)
                data: bytes = answer.read(limit + 1)
        except urllib.error.HTTPError as failure:
            if failure.code in (404, 410):
                raise FileNotFoundError(url) from None
            raise OSError(f"HTTP status {failure.code}") from None
        if said and len(data) <= limit and len(data) != int(said):
            raise OSError(f"cut short: {len(data)} of {said} bytes")
        return data


def _read(file: Path, limit: int) -> bytes:
    with file.open("rb") as stream:
        return stream.read(limit + 1)


def newest(releases: Iterable[Release], name: str, wanted: str = "") -> Release | None:
    """The newest release of a pack within a range, or None."""
    fitting = [one for one in releases if one.name == name and satisfies(one.version, wanted)]
    return max(fitting, key=lambda one: parts(one.version), default=None)
