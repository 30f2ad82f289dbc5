# SPDX-License-Identifier: Apache-2.0
"""Command line: run, scan, check, status, accept, history, report, export, watches.

Exit 0 well and nothing differs, 1 something differs (check) or is not well (status),
2 bad usage, configuration or input.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import __version__
from .commands import accept, check, check_baseline, history, scan, status, watches
from .config import DEFAULT_CONFIG, load
from .errors import ConfigError, IntegrityError
from .export import export, verify
from .report import page, seconds
from .service import run

PROGRAM = "auditpack-integrity"


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.function(arguments))
    except BrokenPipeError:
        # The reader left; keep the interpreter's last flush from saying so again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except KeyboardInterrupt:
        return 130
    except ConfigError as error:
        for message in error.messages:
            print(f"{PROGRAM}: {message}", file=sys.stderr)
    except IntegrityError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
    except (OSError, sqlite3.Error) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="A baseline of files, and who changed them.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _command(commands, "run", "the service: tell changes as they come, scan in between", _run)

    scanning = _command(commands, "scan", "compare the watched paths with the baseline now", _scan)
    scanning.add_argument("--full", action="store_true", help="read contents also where no metadata changed")
    scanning.add_argument("--quiet", action="store_true", help="no progress on stderr")

    checking = _command(commands, "check", "what differs from what was last accepted", _check)
    checking.add_argument("--scan", action="store_true", help="scan first")
    checking.add_argument("--json", action="store_true", help="one JSON object per line instead of a table")
    checking.add_argument("--verify", action="store_true", help="also check the journal's chain and the baseline's sum")

    checking.add_argument("--baseline", type=Path, metavar="FILE", help="compare with an exported baseline instead")
    checking.add_argument("--root", default="/", metavar="DIR", help="the tree that stands for / (with --baseline)")
    checking.add_argument("--signers", type=Path, metavar="FILE", help="allowed signers (ssh-keygen(1)) for --baseline")
    checking.add_argument("--identity", metavar="NAME", help="who of them must have signed")
    checking.add_argument("--unsigned", action="store_true", help="do not ask for a signature")

    showing = _command(commands, "status", "how the service, the scans and the baseline are", _status)
    showing.add_argument("--json", action="store_true")

    accepting = _command(commands, "accept", "take the present state as right, with a reason that is recorded", _accept)
    accepting.add_argument("--reason", required=True, help="why; kept in the journal")
    accepting.add_argument("--all", action="store_true", help="everything that differs")
    accepting.add_argument("paths", nargs="*", metavar="PATH", help="a path; a directory means all below it")

    telling = _command(commands, "history", "every change of a path, and who made it", _history)
    telling.add_argument("--json", action="store_true", help="the events themselves")
    telling.add_argument("path", metavar="PATH")

    reporting = _command(commands, "report", "what changed as one HTML page", _report)
    reporting.add_argument("--since", metavar="TIME", help="only the last 90m, 36h, 7d, 4w; default: everything")
    reporting.add_argument("--output", "-o", type=Path, metavar="FILE", help="default: stdout")

    exporting = _command(commands, "export", "the baseline as a file, to compare elsewhere", _export)
    exporting.add_argument("--sign", type=Path, metavar="KEY", help="SSH key to sign it with, into FILE.sig")
    exporting.add_argument("file", type=Path, metavar="FILE")

    watching = _command(commands, "watches", "what the audit rules must watch, as JSON", _watches)
    watching.add_argument("--check", action="store_true", help="only check the configuration")
    return parser


def _command(commands: Any, name: str, text: str, function: Callable[[argparse.Namespace], int]) -> Any:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help="default: %(default)s")
    parser.set_defaults(function=function)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    return run(load(arguments.config))


def _scan(arguments: argparse.Namespace) -> int:
    return scan(load(arguments.config), arguments.full, not arguments.quiet)


def _check(arguments: argparse.Namespace) -> int:
    if arguments.baseline is not None:
        if not arguments.unsigned:
            if arguments.signers is None or arguments.identity is None:
                raise IntegrityError("--baseline wants --signers FILE and --identity NAME, or --unsigned")
            verify(arguments.baseline, arguments.signers, arguments.identity)
        return check_baseline(arguments.baseline, os.fsencode(arguments.root), arguments.json)
    config = load(arguments.config)
    if arguments.scan:
        scan(config, full=False, progress=sys.stderr.isatty())
    return check(config, arguments.json, arguments.verify)


def _status(arguments: argparse.Namespace) -> int:
    return status(load(arguments.config), arguments.json)


def _accept(arguments: argparse.Namespace) -> int:
    if bool(arguments.paths) == arguments.all:
        raise IntegrityError("accept wants paths, or --all for everything that differs")
    return accept(load(arguments.config), [os.fsencode(path) for path in arguments.paths], arguments.reason)


def _history(arguments: argparse.Namespace) -> int:
    return history(load(arguments.config), os.fsencode(arguments.path), arguments.json)


def _report(arguments: argparse.Namespace) -> int:
    try:
        since = time.time() - seconds(arguments.since) if arguments.since else 0.0
    except ValueError as error:
        raise IntegrityError(f"--since: {error}") from error
    text = page(load(arguments.config), since)
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        arguments.output.write_text(text, encoding="utf-8")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    count = export(load(arguments.config), arguments.file, arguments.sign)
    print(f"{arguments.file}: {count} names" + (f", signed in {arguments.file}.sig" if arguments.sign else ""))
    return 0


def _watches(arguments: argparse.Namespace) -> int:
    config = load(arguments.config)
    return 0 if arguments.check else watches(config)
