# SPDX-License-Identifier: Apache-2.0
"""Command line: run, check, print-config, schema, status, replay, restore, explain, import-laurel.

Exit 0 well, 1 failed, 2 bad usage or configuration.
"""

# ruff: noqa: PLC0415
# Each command imports what it needs: a replay of 100 MB takes less time than the modules of `run` take to load.
from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from . import __version__
from .errors import CollectorError
from .options import ENRICHMENTS, FORMATS, TRANSLATIONS

if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from .options import Options

DEFAULT_CONFIG = "/etc/auditpack/collector.toml"


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
    except CollectorError as error:
        for message in error.messages:
            print(f"auditpack-collector: {message}", file=sys.stderr)
        return error.status
    except OSError as error:
        print(f"auditpack-collector: {error}", file=sys.stderr)
        return 1


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100)  # asking for the terminal's width loads shutil and what it compresses with


class _Parser(argparse.ArgumentParser):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"formatter_class": _Formatter, **settings})


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="auditpack-collector", description="Linux audit records → JSON events.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", prog=parser.prog)

    running = commands.add_parser("run", help="the auditd plugin: records on stdin, events to the configured file")
    _add_config(running)
    running.add_argument("--print-config", action="store_true", help="only print the configuration in force")
    running.add_argument("--check", action="store_true", help="only check the configuration and what it needs here")
    running.set_defaults(function=_run)

    checking = commands.add_parser("check", help="the same as `run --check`")
    _add_config(checking)
    checking.set_defaults(function=_run, check=True, print_config=False)

    printing = commands.add_parser("print-config", help="the configuration in force, every key with its value")
    _add_config(printing)
    printing.set_defaults(function=_print_config)

    describing = commands.add_parser("schema", help="the JSON Schema of the configuration")
    describing.set_defaults(function=_schema)

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
    replaying.add_argument("--config", default="", metavar="FILE", help="apply its filters, redaction and first format")
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
    importing.add_argument("file", metavar="FILE")
    importing.set_defaults(function=_import_laurel)
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", default=DEFAULT_CONFIG, metavar="FILE", help="default: %(default)s")


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from .config_host import check_host
    from .config_load import load
    from .run import run

    if arguments.print_config:
        return _print_config(arguments)
    path = Path(arguments.config)
    config = load(path)
    if not arguments.check:
        return run(path, config)
    problems = check_host(config, path)
    for problem in problems:
        print(f"auditpack-collector: {problem}", file=sys.stderr)
    return 2 if problems else 0


def _print_config(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from .config_load import load
    from .config_text import print_config

    sys.stdout.write(print_config(load(Path(arguments.config))))
    return 0


def _schema(_: argparse.Namespace) -> int:
    from .config_text import schema

    sys.stdout.write(schema())
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from .config_load import load
    from .show import show

    return show(Path(load(Path(arguments.config)).status.directory))


def _replay(arguments: argparse.Namespace) -> int:
    from .options import Options
    from .replay import replay, report

    options = Options(
        format=arguments.format,
        translate=arguments.translate,
        enrich=arguments.enrich,
        original=arguments.original,
        clock="event",
    )
    if arguments.config:
        options = _configured(arguments.config)
    with _source(arguments.file) as source:
        report(replay(source, sys.stdout.buffer, options))
    return 0


def _configured(path: str) -> Options:
    """As `run` would do it, for the first output alone, and without this machine's processes."""
    from pathlib import Path

    from .config_load import load
    from .service import options_of

    return options_of(load(Path(path)))._replace(clock="event", enrich="none")


def _restore(arguments: argparse.Namespace) -> int:
    from .restore import restore

    with _source(arguments.file) as source:
        restore(source, sys.stdout.buffer, "stdin" if arguments.file == "-" else arguments.file)
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from .config import output_path
    from .config_load import load
    from .explain import events, explain, find, is_id

    if is_id(arguments.what):
        for event in find(arguments.what, Path(output_path(load(Path(arguments.config)).outputs()[0]))):
            print(explain(event))
        return 0
    with _source(arguments.what) as source:
        for event in events(source, arguments.what):
            print(explain(event))
    return 0


def _import_laurel(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from .import_laurel import import_laurel

    text, missed = import_laurel(Path(arguments.file))
    for message in missed:
        print(f"auditpack-collector: {message}", file=sys.stderr)
    sys.stdout.write(text)
    return 0


def _source(file: str) -> BinaryIO:
    return sys.stdin.buffer if file == "-" else open(file, "rb")  # noqa: PTH123 - pathlib is slow to load
