# SPDX-License-Identifier: Apache-2.0
"""The configuration's tables [enrich], [labels] and [[label]] → EnrichOptions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from .enrich_options import CONDITIONS, NO_MACHINE, EnrichOptions, LabelRule
from .machine import machine

if TYPE_CHECKING:
    from .config import Config

PROC: Final = "/proc"


def options(config: Config) -> EnrichOptions:
    """Raises ValueError for too many labels."""
    wanted, labels = config.enrich, config.labels
    proc = PROC if wanted.proc else ""
    made = EnrichOptions(
        decode=wanted.decode,
        process=wanted.process,
        parent=wanted.parent,
        ancestors=wanted.ancestors,
        script=wanted.script,
        guid=wanted.guid,
        keys=labels.keys,
        inherit=labels.inherit,
        limit=labels.limit,
        rules=tuple(
            LabelRule(rule.name, rule.remove, **{name: getattr(rule, name) for name in CONDITIONS})
            for rule in config.label
        ),
        groups=wanted.groups,
        container=bool(proc) and wanted.container,
        unit=bool(proc) and wanted.unit,
        environment=wanted.environment if proc else (),
        hash=wanted.hash,
        hash_max_bytes=wanted.hash_max_bytes,
        hash_cache=wanted.hash_cache,
        machine=machine() if wanted.host else NO_MACHINE,
        proc=proc,
        boot=_boot_id(proc) if proc else "",
    )
    made.labels()
    return made


def _boot_id(proc: str) -> str:
    return Path(f"{proc}/sys/kernel/random/boot_id").read_text("ascii").strip()
