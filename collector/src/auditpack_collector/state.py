# SPDX-License-Identifier: Apache-2.0
"""What is kept from one run to the next, in status.directory/state.json: where each followed file was read to, and the
highest serial that was dealt with since the boot, for filters may have kept its event out of every output."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .resume import boot_time

Position = tuple[int, int, int]
"""(device, inode, bytes read)"""


class State:
    """Saved when all that was read is out, so a kill makes lines be read again rather than be lost."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "state.json"
        self.error = ""
        self.files: dict[str, Position] = {}
        self.serial = 0
        self._saved = ""
        self._boot = boot_time()

    def load(self) -> None:
        """Nothing where there is none, nor for rubbish, which is said in `error`."""
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            files = {str(path): (int(at[0]), int(at[1]), int(at[2])) for path, at in data["files"].items()}
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            self.error = f"{self._path}: {error}; files are read as at a first start"
            return
        self.files = files
        if data.get("boot") == self._boot and isinstance(data.get("serial"), int):
            self.serial = data["serial"]

    def save(self, sync: bool = False) -> None:
        """`sync`: to the disk itself, at the end; a kill needs no more than the page cache."""
        text = json.dumps({"files": self.files, "boot": self._boot, "serial": self.serial})
        if text == self._saved and not sync:
            return
        fresh = self._path.with_name("state.json.new")
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.write(text)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            self.error = f"{error.filename}: {error.strerror}"
            return
        self._saved = text
        self.error = ""
