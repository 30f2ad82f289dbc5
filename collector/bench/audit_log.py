# SPDX-License-Identifier: Apache-2.0
"""A long audit log from the corpus: repeated, serials and time stamps shifted, so that no event comes twice."""

from __future__ import annotations

import lzma
import re
from pathlib import Path

CORPUS = Path(__file__).resolve().parent.parent / "tests/corpus/debian13-raw.log.xz"
ID = re.compile(rb"msg=audit\((\d+)\.(\d{3}):(\d+)\)")


def make(folder: Path, megabytes: int) -> Path:
    """The log `<megabytes>mb.log` in the folder, made unless it is there; at least that long, whole rounds."""
    path = folder / f"{megabytes}mb.log"
    wanted = megabytes * 1_000_000
    if path.is_file() and path.stat().st_size >= wanted:
        return path
    corpus = lzma.decompress(CORPUS.read_bytes())
    serials = [int(match[3]) for match in ID.finditer(corpus)]
    seconds = [int(match[1]) for match in ID.finditer(corpus)]
    serial_step, second_step = max(serials) - min(serials) + 1, max(seconds) - min(seconds) + 10
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    written = done = 0
    with partial.open("wb") as out:
        while written < wanted:

            def shift(match: re.Match[bytes], n: int = done) -> bytes:
                second, serial = int(match[1]) + n * second_step, int(match[3]) + n * serial_step
                return b"msg=audit(%d.%s:%d)" % (second, match[2], serial)

            written += out.write(ID.sub(shift, corpus))
            done += 1
    partial.rename(path)
    return path
