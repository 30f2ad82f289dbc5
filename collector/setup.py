# SPDX-License-Identifier: Apache-2.0
"""The C extension of the collector; everything else is in pyproject.toml.

AUDITPACK_EXTENSION=1 the extension must build · 0 never build it (pure py3-none-any wheel) · unset: built if possible.
AUDITPACK_WERROR=1 warnings are errors · AUDITPACK_SANITIZE=1 with AddressSanitizer and UndefinedBehaviorSanitizer.
The wheel is cp39-abi3: one file per machine serves every CPython from 3.9 on.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import Distribution, Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).parent
SOURCES = sorted(str(path.relative_to(HERE)) for path in (HERE / "csrc").glob("*.c"))
HEADERS = sorted(str(path.relative_to(HERE)) for path in (HERE / "csrc").glob("*.h"))
FLAGS = [
    *("-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-fvisibility=hidden"),
    *("-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"),
]
LINK = ["-Wl,-z,relro,-z,now"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g"]


def switch(name: str) -> bool | None:
    """The environment variable: "1" is True, "0" is False, unset or empty is None."""
    value = os.environ.get(name, "")
    if value not in ("", "0", "1"):
        sys.exit(f"{name}={value}: must be 0, 1 or unset")
    return {"": None, "0": False, "1": True}[value]


WANTED = switch("AUDITPACK_EXTENSION")
FREE_THREADED = "free-threading" in sys.version  # it has no limited API


class OptionalExtension(build_ext):
    """Without AUDITPACK_EXTENSION=1 a failed build leaves a pure wheel, with a word about it."""

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except Exception as error:
            if WANTED:
                raise
            print(
                f"auditpack_collector._native not built ({error}); the pure Python implementation serves",
                file=sys.stderr,
            )
            self.distribution.ext_modules = []


def extension() -> Extension:
    compile_args, link_args = list(FLAGS), list(LINK)
    if switch("AUDITPACK_WERROR"):
        compile_args.append("-Werror")
    if switch("AUDITPACK_SANITIZE"):
        compile_args = [flag for flag in compile_args if "FORTIFY" not in flag] + SANITIZE
        link_args += SANITIZE
    macros = [] if FREE_THREADED else [("Py_LIMITED_API", "0x03090000")]
    return Extension(
        "auditpack_collector._native",
        SOURCES,
        depends=HEADERS,
        define_macros=macros,
        extra_compile_args=compile_args,
        extra_link_args=link_args,
        py_limited_api=not FREE_THREADED,
    )


class Wheel(Distribution):
    def has_ext_modules(self) -> bool:
        return bool(self.ext_modules)


if __name__ == "__main__":
    native = WANTED is not False
    setup(
        distclass=Wheel,
        ext_modules=[extension()] if native else [],
        cmdclass={"build_ext": OptionalExtension},
        options={"bdist_wheel": {"py_limited_api": "cp39"}} if native and not FREE_THREADED else {},
    )
