# SPDX-License-Identifier: Apache-2.0
"""Configuration of `run`: every key with its default, what it accepts and what it means. An empty file is all defaults.

The one list: config_load.py checks files by it; config_text.py makes of it `--print-config`, the JSON Schema, the
sample and the tables of auditpack-collector(5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .options import FORMATS, TRANSLATIONS

POLICIES = ("oldest", "newest", "block")
OUTPUT_KINDS = ("file", "stdout", "unix", "syslog", "journald")
INPUT_KINDS = ("stdin", "file", "unix")
COMPRESSIONS = ("none", "gzip", "zstd")
ACTIONS = ("drop", "move", "copy", "keep", "count", "label", "limit", "aggregate")
GROUPINGS = ("key", "exe", "comm", "syscall", "auid", "uid", "type", "unit", "container")


def setting(
    default: Any,
    doc: str,
    *,
    choices: tuple[str, ...] = (),
    low: float | None = None,
    high: float | None = None,
    path: bool = False,
) -> Any:
    """A key: `choices` of a string or of a list's items, bounds of a number, `path`: an absolute path (or empty)."""
    about = {"doc": doc, "choices": choices, "low": low, "high": high, "path": path}
    return field(default=default, metadata=about)


def table(kind: type, doc: str) -> Any:
    """A table with all its defaults."""
    return field(default_factory=kind, metadata={"doc": doc})


@dataclass(frozen=True)
class Input:
    """Where records come from; several at once, each coalesced by itself. Without any: stdin, as auditd gives it."""

    kind: str = setting(
        "stdin",
        "stdin: auditd's pipe, or a file by hand; its end ends the collector. file: followed across rotation. "
        "unix: a stream socket to connect to, as auditd's af_unix plugin offers one",
        choices=INPUT_KINDS,
    )
    path: str = setting("", "of a file or socket", path=True)
    from_start: bool = setting(False, "file: read what is there at the first start too, not only what comes")


@dataclass(frozen=True)
class Output:
    """Where events go; any number up to 16, each with its own queue. Without any: the event file."""

    name: str = setting("events", "what filters and the status call it; letters, digits, - and _")
    kind: str = setting(
        "file",
        "file, stdout, unix: a stream socket to connect to (JSON lines), syslog: /dev/log, journald: its native socket",
        choices=OUTPUT_KINDS,
    )
    format: str = setting("", "empty takes the format above all tables", choices=("", *FORMATS))
    translate: str = setting("", "empty takes the one above all tables", choices=("", *TRANSLATIONS))
    original: str = setting(
        "", "events carry their raw lines; empty takes the one above all tables", choices=("", "yes", "no")
    )
    receives: str = setting(
        "all", "all events, or only those that a filter moves or copies here", choices=("all", "sent")
    )
    path: str = setting("", "of a file (default /var/log/auditpack/<name>.jsonl) or socket", path=True)
    line_prefix: str = setting("", "text before every line, such as '@cee: '")
    max_bytes: int = setting(100_000_000, "file: rotated at this size; 0 never", low=0, high=1 << 50)
    rotate_seconds: int = setting(
        0, "file: rotated when a multiple of this passes, UTC; 0 never", low=0, high=366 * 86400
    )
    generations: int = setting(5, "file: rotated files kept", low=1, high=10000)
    keep_seconds: int = setting(
        0, "file: rotated files older than this go; 0 keeps them", low=0, high=100 * 366 * 86400
    )
    keep_bytes: int = setting(
        0, "file: the oldest rotated files go while all take more; 0 no bound", low=0, high=1 << 50
    )
    compress: str = setting("none", "file: of rotated files", choices=COMPRESSIONS)
    readers: tuple[str, ...] = setting((), "file: users, and groups as @group, that may read it (POSIX ACL)")
    facility: str = setting("authpriv", "syslog: as in syslog(3), and the priority info")
    queue_bytes: int = setting(0, "memory for events that wait; 0 takes [queue]'s max_bytes", low=0, high=1 << 32)
    disk_bytes: int = setting(-1, "disk for events that wait; -1 takes [queue]'s disk_bytes", low=-1, high=1 << 50)
    policy: str = setting("", "what goes when both are full; empty takes [queue]'s", choices=("", *POLICIES))


@dataclass(frozen=True)
class Filter:
    """A rule on events, in the order of the file. All conditions given must hold; a list holds when one of it matches.

    Texts are matched whole, with `*` and `?`; `!` before a value takes it out (`["*", "!/usr/bin/sudo"]`).
    """

    name: str = setting("", "what counters and reports call it; must be given")
    type: tuple[str, ...] = setting((), "record types of the event")
    key: tuple[str, ...] = setting((), "keys of the audit rule; the empty text is an event without key")
    exe: tuple[str, ...] = setting((), "executable")
    comm: tuple[str, ...] = setting((), "the process's own name")
    argv: tuple[str, ...] = setting((), "arguments of an execve, joined by one space")
    syscall: tuple[str, ...] = setting((), "system call's name")
    path: tuple[str, ...] = setting((), "file names of the event, as the process gave them")
    auid: tuple[str, ...] = setting((), "login user: name, number, range 1000-1999 or unset")
    uid: tuple[str, ...] = setting((), "user: name, number or range")
    unit: tuple[str, ...] = setting((), "systemd unit of the process (needs its enrichment)")
    container: tuple[str, ...] = setting((), "container id of the process (needs its enrichment)")
    label: tuple[str, ...] = setting((), "labels of the process, and those that rules above gave the event")
    saddr: tuple[str, ...] = setting(
        (), "socket address: ip, cidr, ip:port, [v6/bits]:port, *:port, port ranges 1-1023"
    )
    raw: str = setting("", "regular expression (Python, on bytes) found in one of the event's lines; tried last")
    action: str = setting(
        "count",
        "drop; move: only to the output `to`; copy: also to it; keep: no later rule holds the event back; count; "
        "label; limit: what is above `rate` is dropped; aggregate: repeats within `window` are dropped and summed up",
        choices=ACTIONS,
    )
    outputs: tuple[str, ...] = setting((), "outputs that drop, keep, limit and aggregate concern; empty is all")
    to: str = setting("", "move, copy: the output")
    set: str = setting("", "label: the label")
    rate: float = setting(100.0, "limit: events a second", low=0.001, high=1e6)
    burst: int = setting(0, "limit: events at once; 0 is rate, at least 1", low=0, high=10_000_000)
    window: float = setting(60.0, "aggregate: seconds from the first event on", low=0.1, high=86400)
    per: tuple[str, ...] = setting(
        (), "limit, aggregate: one count for each value of these; empty is one for all", choices=GROUPINGS
    )


@dataclass(frozen=True)
class Enrich:
    """What is added to events; each switch and its cost: docs/collector/enrichment.md."""

    decode: bool = setting(False, "records: what flags, modes and commands mean (ecs always has it)")
    process: bool = setting(True, "records: which program a pid runs (PID, PPID)")
    parent: bool = setting(True, "parent's name, executable and identity")
    ancestors: int = setting(0, "how many ancestors are listed", low=0, high=32)
    script: bool = setting(True, "the script behind an interpreter")
    guid: bool = setting(True, "an identity of processes that survives the reuse of pids")
    proc: bool = setting(False, "/proc may be asked, once for each new process or program")
    container: bool = setting(True, "with proc: container, its names, pod")
    unit: bool = setting(True, "with proc: systemd unit")
    environment: tuple[str, ...] = setting((), "with proc: variables of an execve; LD_* takes all that begin so")
    hash: bool = setting(False, "SHA-256 of the executable of an execve")
    hash_max_bytes: int = setting(10_000_000, "a larger executable has no hash", low=1, high=1 << 32)
    hash_cache: int = setting(1024, "hashes remembered, by device, inode, mtime and size", low=0, high=1_000_000)
    host: bool = setting(False, "machine id, boot id, cloud provider and instance, where they are on disk")
    groups: bool = setting(False, "groups of the user, from this machine's user database")


@dataclass(frozen=True)
class Labels:
    """Labels of processes; [[label]] gives and takes them."""

    keys: tuple[str, ...] = setting((), "keys of audit rules that become labels of the process")
    inherit: tuple[str, ...] = setting((), "labels that children, and the next program of a process, keep")
    limit: int = setting(16, "labels of one process at most", low=1, high=64)


@dataclass(frozen=True)
class Label:
    """A rule, tried in the order of the file when a process appears or runs another program (with key: at any event).

    All conditions given must hold; of a list one. Texts are matched whole, with `*` and `?`.
    """

    name: str = setting("", "the label; must be given")
    remove: bool = setting(False, "take it instead")
    exe: tuple[str, ...] = setting((), "executable")
    argv: tuple[str, ...] = setting((), "the first 32 arguments or 4096 bytes, joined by one space")
    script: tuple[str, ...] = setting((), "script behind the interpreter")
    key: tuple[str, ...] = setting((), "keys of the audit rule")
    unit: tuple[str, ...] = setting((), "systemd unit (needs proc)")
    user: tuple[str, ...] = setting((), "uid, a number")
    login: tuple[str, ...] = setting((), "auid, a number; 4294967295 is unset")


@dataclass(frozen=True)
class Redact:
    """Secrets in arguments, process titles and commands, taken out of every format and of the raw lines too."""

    enabled: bool = setting(False, "evidence is changed only when asked")
    flags: bool = setting(True, "values of password flags and variables: --password=…, --token …, PGPASSWORD=…")
    urls: bool = setting(True, "the password in scheme://user:password@host")
    tokens: bool = setting(
        True, "tokens known by their form: AWS, GitHub, GitLab, Slack, JWT, private keys, Bearer and Basic"
    )
    patterns: tuple[str, ...] = setting(
        (), "own regular expressions (Python, on bytes); the group `secret`, else all, is taken out"
    )
    text: str = setting("[REDACTED]", "what stands there instead")


@dataclass(frozen=True)
class Queue:
    """Events that wait for an output: in memory, then on disk, then they are lost by policy, and counted."""

    max_bytes: int = setting(33_554_432, "memory, each output", low=1 << 16, high=1 << 32)
    policy: str = setting(
        "oldest",
        "oldest or newest events are dropped when both are full; block stalls audited programs",
        choices=POLICIES,
    )
    disk_bytes: int = setting(0, "disk, each output; 0 is none", low=0, high=1 << 50)
    directory: str = setting("", "folder of the disk queues; empty is queue below [status]'s directory", path=True)


@dataclass(frozen=True)
class Status:
    """Where the collector says how it is: status.json and metrics.prom."""

    directory: str = setting("/var/lib/auditpack/collector", "also keeps the state across restarts", path=True)
    interval: float = setting(10.0, "seconds between two writes", low=1, high=3600)
    report: float = setting(60.0, "seconds between two events that say what filters held back", low=1, high=86400)


@dataclass(frozen=True)
class Config:
    """Settings above all tables."""

    user: str = setting("auditpack", "account to become when started by root; empty stays")
    format: str = setting("ecs", "ecs, or records: what LAUREL prints", choices=FORMATS)
    translate: str = setting(
        "all", "names beside numbers: none, universal, or all, user and group names too", choices=TRANSLATIONS
    )
    original: bool = setting(False, "each event also carries its raw lines, for `auditpack-collector restore`")
    timeout: float = setting(2.0, "seconds after which an event whose end never came is written", low=0.1, high=60)
    hostname: str = setting("", "host.hostname of records without node=; empty takes the machine's")
    input: tuple[Input, ...] = setting((), "sources")
    output: tuple[Output, ...] = setting((), "destinations")
    filter: tuple[Filter, ...] = setting((), "rules on events")
    enrich: Enrich = table(Enrich, "what is added")  # noqa: RUF009 - a field, like setting()
    labels: Labels = table(Labels, "labels of processes")  # noqa: RUF009
    label: tuple[Label, ...] = setting((), "rules on labels")
    redact: Redact = table(Redact, "secrets")  # noqa: RUF009 - a field, like setting()
    queue: Queue = table(Queue, "events that wait")  # noqa: RUF009
    status: Status = table(Status, "how the collector is")  # noqa: RUF009

    def inputs(self) -> tuple[Input, ...]:
        return self.input or (Input(),)

    def outputs(self) -> tuple[Output, ...]:
        return self.output or (Output(),)


TABLES: dict[str, type] = {"input": Input, "output": Output, "filter": Filter, "label": Label}
"""Arrays of tables, [[…]]."""


def output_path(output: Output) -> str:
    """Where a file is, or a socket; empty for kinds without."""
    standard = {"file": f"/var/log/auditpack/{output.name}.jsonl", "syslog": "/dev/log"}
    return output.path or standard.get(output.kind, "/run/systemd/journal/socket" if output.kind == "journald" else "")
