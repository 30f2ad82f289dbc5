# SPDX-License-Identifier: Apache-2.0
"""Which pipeline runs: the C where it loads, else the Python; AUDITPACK_COLLECTOR_IMPLEMENTATION forces one of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from .errors import CollectorError
from .options import Options
from .users import Names

if TYPE_CHECKING:
    from .limit import Repeat

VARIABLE = "AUDITPACK_COLLECTOR_IMPLEMENTATION"


class Pipeline(Protocol):
    """What both implementations offer; semantics: pipeline.Pipeline."""

    @property
    def implementation(self) -> str: ...
    def feed(self, data: bytes, now: float) -> bytes: ...
    def flush(self, now: float, all: bool = False) -> bytes: ...
    def others(self) -> tuple[bytes, ...]: ...
    def counters(self) -> dict[str, int]: ...
    def types(self) -> dict[str, tuple[int, int]]: ...
    def rules(self) -> tuple[tuple[int, int], ...]: ...
    def repeats(self) -> list[Repeat]: ...


class ImplementationError(CollectorError):
    """The implementation that was forced cannot run."""


def make_pipeline(options: Options, implementation: str = "") -> Pipeline:
    """`implementation`: "python", "native", or "" for the environment's choice, else native where it loads."""
    return choose(options, implementation)[0]


def choose(options: Options, implementation: str = "") -> tuple[Pipeline, str]:
    """The pipeline, and why it is not the native one ("" if it is)."""
    wanted = implementation or os.environ.get(VARIABLE, "")
    if wanted not in ("", "python", "native"):
        raise ImplementationError(f"{VARIABLE}={wanted}: expected python or native")
    if wanted != "python":
        try:
            from ._native import Pipeline as NativePipeline  # noqa: PLC0415 - optional
        except ImportError as error:
            reason = str(error)
            if wanted == "native":
                raise ImplementationError(f"the native implementation does not load: {error}") from error
        else:
            native: Pipeline = NativePipeline(options, Names())
            return native, ""
    else:
        reason = ""
    from .pipeline import Pipeline as PythonPipeline  # noqa: PLC0415 - its tables take long to load where C serves

    return PythonPipeline(options), f"native does not load: {reason}" if reason else f"{VARIABLE}=python"
