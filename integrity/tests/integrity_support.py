# SPDX-License-Identifier: Apache-2.0
"""A watched tree of real files in a fresh directory, with a baseline of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from auditpack_integrity.baseline import Baseline
from auditpack_integrity.config import Config, parse
from auditpack_integrity.ledger import Ledger
from auditpack_integrity.rescan import Rescanner
from auditpack_integrity.selection import Selection


class World:
    """`top` is watched. `scan()` returns the events it gave, JSON parsed, without the notes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.top = folder / "top"
        self.top.mkdir()
        (folder / "state").mkdir()
        self.settings = ""
        self._seen: dict[str, int] = {}
        self._open: tuple[Baseline, Ledger] | None = None

    def write_config(self) -> Path:
        """The configuration as a file, for commands."""
        path = self.folder / "integrity.toml"
        path.write_text(self._text())
        return path

    @property
    def config(self) -> Config:
        return parse(self._text(), "integrity.toml")

    def _text(self) -> str:
        text = f'''
state = "{self.folder}/state"
skip_file_systems = ["proc"]
{self.settings if "paths" in self.settings else f'paths = ["{self.top}"]' + chr(10) + self.settings}
'''
        if "[output]" not in text:
            text += f'[output]\npath = "{self.folder}/events.jsonl"\n'
        return text

    @property
    def ledger(self) -> Ledger:
        if self._open is None:
            baseline = Baseline(self.config.database)
            baseline.rehash(self.config.hashes)
            self._open = (baseline, Ledger(self.config, baseline))
        return self._open[1]

    @property
    def baseline(self) -> Baseline:
        return self.ledger.baseline

    def reopen(self) -> None:
        if self._open is not None:
            self._open[0].close()
        self._open = None

    def scan(self, full: bool = False) -> list[dict[str, Any]]:
        for _ in Rescanner(self.config, self.ledger).slices(Selection(self.config), full):
            pass
        assert self.baseline.computed_sum() == self.baseline.sum()
        assert self.ledger.journal.verify() == ""
        return self.events()

    def events(self, kind: str = "change") -> list[dict[str, Any]]:
        """Those since the last call."""
        rows = self.baseline.database.execute(
            "SELECT seq, body FROM journal WHERE seq > ? AND kind = ? ORDER BY seq", (self._seen.get(kind, 0), kind)
        ).fetchall()
        self._seen[kind] = self.ledger.journal.head()[0]
        return [json.loads(body) for _, body in rows]

    def path(self, name: str | bytes) -> bytes:
        return os.fsencode(self.top) + b"/" + os.fsencode(name)

    def told(self, events: list[dict[str, Any]]) -> dict[str, list[str]]:
        """Path below top → actions."""
        prefix = str(self.top) + "/"
        return {event["file"]["path"].replace(prefix, "", 1): event["event"]["action"] for event in events}
