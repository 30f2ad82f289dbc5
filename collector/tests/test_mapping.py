# SPDX-License-Identifier: Apache-2.0
"""The list of ECS fields: current where it is checked in, free of names that collide, and true of events."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collector_support import corpus, events_of

from auditpack_collector.ecs_mapping import mapping, record_type
from auditpack_collector.enrich_options import ALL

TOOL = Path(__file__).resolve().parent.parent / "tools/generate_mapping.py"


def test_what_is_checked_in_is_current() -> None:
    done = subprocess.run([sys.executable, str(TOOL), "--check"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_no_two_names_differ_by_case_only_or_hold_each_other() -> None:
    names = [name for name, _, _ in mapping()]
    assert len({name.lower() for name in names}) == len(names)
    assert not [one for one in names for other in names if other.startswith(one + ".")]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, path)
    elif value is not None:
        yield path, value


HEAD = b"msg=audit(1795180152.760:%d): "
EXTRA = [
    b"type=AVC " + HEAD + b'avc:  denied  { read } for  pid=7 comm="x" name="f" scontext=u:r:t:s0 tclass=file',
    b"type=USER_LOGIN " + HEAD + b"pid=7 uid=0 msg='op=login id=1000 hostname=? addr=::1 terminal=ssh res=success'",
    b"type=SOCKADDR " + HEAD + b"saddr=1F0066554433221103000000",
]
MORE = b"".join(line % number + b"\n" for number, line in enumerate(EXTRA, 1)) + b"no record\n"


def test_events_have_these_fields_and_types() -> None:
    known = {name: kind for name, kind, _ in mapping()}
    kinds = {"long": int, "boolean": bool}
    options = {"enrich": ALL, "translate": "all", "hostname": "h", "original": True}
    found = events_of(corpus("debian13-enriched.log") + MORE, **options)  # type: ignore[arg-type]
    assert len(found) > 900
    for event in found:
        for path, value in leaves(event):
            below = path.removeprefix("auditd.records.")
            kind = known.get(path) if below == path else record_type(below)
            assert kind is not None, f"{path} is in no list"
            assert isinstance(value, kinds.get(kind, str)), f"{path} = {value!r} is no {kind}"
