# SPDX-License-Identifier: Apache-2.0
"""Run a command and print its CPU seconds, wall seconds and peak RSS in KiB as a JSON list to descriptor 3.

    python3 -I -S measure.py COMMAND...

A process of its own, and a small one: the kernel counts as peak of a child what its parent held when it was forked.
"""

import json
import os
import sys
import time


def main() -> int:
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(3)
        os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the command is ours
    _, status, usage = os.wait4(pid, 0)
    figures = [usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss]
    os.write(3, json.dumps(figures).encode())
    return os.waitstatus_to_exitcode(status)


sys.exit(main())
