# SPDX-License-Identifier: Apache-2.0
"""A baseline as a signed file, and a tree compared with such a file: for a host that may lie, looked at from its disk.

The file is gzip of JSON lines: a head, then one entry per name in order of path, then an end with their number and sum.
The signature stands beside it as `<file>.sig` (ssh-keygen -Y, namespace auditpack-baseline).
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .baseline import Baseline, dump_state, load_state, split
from .change import Change
from .config import Config
from .errors import IntegrityError
from .inspect import Inspector
from .journal import Journal
from .opening import directory
from .selection import Selection
from .state import State, differences
from .walk import Notes, walk

FORMAT: Final = "auditpack-baseline-1"
NAMESPACE: Final = "auditpack-baseline"
_OF_THE_HOST_ALONE: Final = {"inode", "device"}


def export(config: Config, target: Path, key: Path | None) -> int:
    """Write the baseline and sign it; returns how many names."""
    baseline = Baseline(config.database, read_only=True)
    if baseline.meta("scan.last") is None:
        raise IntegrityError("the first scan has not ended, so there is no whole baseline to export")
    head = {
        "format": FORMAT,
        "made": time.time(),
        "paths": config.paths,
        "exclude": config.exclude,
        "include": config.include,
        "recursion": config.recursion,
        "hashes": config.hashes,
        "max_file_size": config.max_file_size,
        "chain": [Journal(baseline).head()[0], Journal(baseline).head()[1].hex()],
    }
    count = 0
    fresh = target.with_name(target.name + ".new")
    baseline.database.execute("BEGIN")  # one view of it all
    with gzip.open(fresh, "wt", encoding="utf-8", compresslevel=6) as file:
        file.write(json.dumps(head) + "\n")
        for path, state in baseline.everything():
            file.write(json.dumps([path.hex(), dump_state(state)]) + "\n")
            count += 1
        file.write(json.dumps({"end": count, "sum": baseline.computed_sum()}) + "\n")
    baseline.database.execute("COMMIT")
    fresh.replace(target)
    if key is not None:
        _ssh_keygen(["-Y", "sign", "-q", "-f", str(key), "-n", NAMESPACE, str(target)], replaces=f"{target}.sig")
    return count


def _ssh_keygen(words: list[str], replaces: str = "", data: bytes | None = None) -> None:
    if replaces:
        Path(replaces).unlink(missing_ok=True)
    try:
        done = subprocess.run(["ssh-keygen", *words], input=data, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise IntegrityError("ssh-keygen is not here — install openssh-client") from error
    if done.returncode != 0:
        raise IntegrityError(f"ssh-keygen: {(done.stderr + done.stdout).decode('utf-8', 'replace').strip()}")


def verify(file: Path, signers: Path, identity: str) -> None:
    """IntegrityError unless the signature beside the file is by `identity` of an allowed signers file."""
    signature = Path(f"{file}.sig")
    if not signature.exists():
        raise IntegrityError(f"{signature}: no signature — export with --sign, or compare with --unsigned")
    words = ["-Y", "verify", "-f", str(signers), "-I", identity, "-n", NAMESPACE, "-s", str(signature)]
    _ssh_keygen(words, data=file.read_bytes())


def entries(file: Path) -> Iterator[Any]:
    """The head, then (path, State). IntegrityError for a file that is cut or no baseline."""
    count = 0
    ended = False
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                data = json.loads(line)
                if number == 1:
                    if not isinstance(data, dict) or data.get("format") != FORMAT:
                        raise IntegrityError(f"{file}: no {FORMAT} — give what `export` wrote")
                    yield data
                elif isinstance(data, dict):
                    ended = data["end"] == count
                else:
                    count += 1
                    yield bytes.fromhex(data[0]), load_state(data[1])
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{file}: {error} — the file is damaged") from error
    if not ended:
        raise IntegrityError(f"{file}: it ends after {count} names, too early — the file is cut")


def compare(file: Path, root: bytes) -> Iterator[Change]:
    """Differences of the tree below `root` from an exported baseline; inode numbers and change times do not count."""
    reader = entries(file)
    head = next(reader)
    kept: dict[bytes, State] = dict(reader)
    config = Config(
        paths=tuple(head["paths"]),
        exclude=tuple(head["exclude"]),
        include=tuple(head["include"]),
        recursion=head["recursion"],
        hashes=tuple(head["hashes"]),
        max_file_size=head["max_file_size"],
        skip_file_systems=(),
        cross_mounts=True,
    )
    inspector = Inspector(config.hashes, config.max_file_size)
    top = b"" if root == b"/" else os.path.realpath(root)
    seen: set[bytes] = set()
    for path, state in _there(config, inspector, top):
        seen.add(path)
        old = kept.get(path)
        change = Change(path, old, state)
        if old is None or set(differences(old, state)) - _OF_THE_HOST_ALONE:
            yield change
    for path, old in kept.items():
        if path not in seen:
            yield Change(path, old, None)


def _there(config: Config, inspector: Inspector, top: bytes) -> Iterator[tuple[bytes, State]]:
    selection = Selection(config, top or b"/")
    for root in selection.roots:
        folder, name = split(root.path)
        with directory(folder) as fd:
            own = inspector.look(fd, name)
        if own is not None:
            yield root.path[len(top) :] or b"/", own
        if root.depth < 0:
            continue
        for listing in walk(root, selection, Notes()):
            stem = listing.path.rstrip(b"/") + b"/"
            for name, found in listing.entries:
                state = inspector.inspect(listing.fd, name, found)
                if state is not None:
                    yield (stem + name)[len(top) :], state
