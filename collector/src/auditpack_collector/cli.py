# SPDX-License-Identifier: Apache-2.0
"""Command line: run, check, status, replay, restore, explain, import-laurel.

Exit 0 well, 1 failed, 2 bad usage or configuration.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import BinaryIO

from . import __version__
from .config import ConfigError, check_host, load
from .errors import InputError
from .implementation import ImplementationError
from .import_laurel import import_laurel
from .options import ENRICHMENTS, FORMATS, TRANSLATIONS, Options
from .replay import replay, report
from .run import run
from .status import show

DEFAULT_CONFIG = Path("/etc/auditpack/collector.toml")


def main(argv: list[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        return int(options.function(options))
    except BrokenPipeError:
        # The reader left; keep the interpreter's last flush from saying so again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except ConfigError as error:
        for message in error.messages:
            print(f"auditpack-collector: {message}", file=sys.stderr)
        return 2
    except (OSError, ImplementationError, InputError) as error:
        print(f"auditpack-collector: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="auditpack-collector", description="Linux audit records → JSON events.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    running = commands.add_parser("run", help="the auditd plugin: records on stdin, events to the configured file")
    _add_config(running)
    running.add_argument("--check", action="store_true", help="only check the configuration and what it needs here")
    running.set_defaults(function=_run)

    checking = commands.add_parser("check", help="the same as `run --check`")
    _add_config(checking)
    checking.set_defaults(function=_run, check=True)

    showing = commands.add_parser("status", help="how the running collector is, as a table")
    _add_config(showing)
    showing.set_defaults(function=_status)

    replaying = commands.add_parser("replay", help="print the events of an audit log as JSON lines")
    replaying.add_argument("--format", choices=FORMATS, default="ecs")
    replaying.add_argument("--enrich", choices=ENRICHMENTS, default="none")
    replaying.add_argument(
        "--translate",
        choices=TRANSLATIONS,
        default="none",
        help="names beside numbers; `all` also asks this machine's user database (default: %(default)s)",
    )
    replaying.add_argument("--original", action="store_true", help="events also carry their raw lines")
    replaying.add_argument("file", nargs="?", default="-", metavar="FILE|-")
    replaying.set_defaults(function=_replay)

    restoring = commands.add_parser("restore", help="print the audit lines that events were made of")
    restoring.add_argument("file", nargs="?", default="-", metavar="FILE|-")
    restoring.set_defaults(function=_restore)

    explaining = commands.add_parser("explain", help="an event in words: who did what to what, how, with which result")
    _add_config(explaining)
    explaining.add_argument("what", metavar="ID|FILE|-", help="an event's id, looked up in the output file, or events")
    explaining.set_defaults(function=_explain)

    importing = commands.add_parser("import-laurel", help="turn LAUREL's configuration into ours; says what is lost")
    importing.add_argument("file", type=Path, metavar="FILE")
    importing.set_defaults(function=_import_laurel)
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help="default: %(default)s")


def _run(arguments: argparse.Namespace) -> int:
    config = load(arguments.config)
    if not arguments.check:
        return run(arguments.config, config)
    problems = check_host(config, arguments.config)
    for problem in problems:
        print(f"auditpack-collector: {problem}", file=sys.stderr)
    return 2 if problems else 0


def _status(arguments: argparse.Namespace) -> int:
    return show(Path(load(arguments.config).status.directory))


def _replay(arguments: argparse.Namespace) -> int:
    options = Options(
        format=arguments.format,
        translate=arguments.translate,
        enrich=arguments.enrich,
        original=arguments.original,
        clock="event",
    )
    with _source(arguments.file) as source:
        report(replay(source, sys.stdout.buffer, options))
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from .restore import restore  # noqa: PLC0415 - like the next, loads tables that `run` does without

    with _source(arguments.file) as source:
        restore(source, sys.stdout.buffer, "stdin" if arguments.file == "-" else arguments.file)
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    from .explain import events, explain, find, is_id  # noqa: PLC0415

    if is_id(arguments.what):
        for event in find(arguments.what, Path(load(arguments.config).output.path)):
            print(explain(event))
        return 0
    with _source(arguments.what) as source:
        for event in events(source, arguments.what):
            print(explain(event))
    return 0


def _import_laurel(arguments: argparse.Namespace) -> int:
    text, missed = import_laurel(arguments.file)
    for message in missed:
        print(f"auditpack-collector: {message}", file=sys.stderr)
    sys.stdout.write(text)
    return 0


def _source(file: str) -> BinaryIO:
    return sys.stdin.buffer if file == "-" else Path(file).open("rb")
