# SPDX-License-Identifier: Apache-2.0
"""Why a case failed, in a few lines for whoever has to mend it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .judge import judge, nearest

_LONG = 600


def explain(case: Mapping[str, Any], outcome: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Trigger, its end, what was wanted, and the event that came nearest; `after` is the state at the batch's end."""
    lines = [
        f"{case['id']} as {case['as']}: {judge(case, outcome).reason}",
        f"trigger: {case['trigger'].strip()}",
        f"rc {outcome['rc']}, {len(outcome['events'])} events between the markers",
    ]
    lines += [f"{name}: {_short(outcome[name])}" for name in ("stdout", "stderr") if outcome[name].strip()]
    for entry, near in nearest(case, outcome):
        lines.append(f"expected: {json.dumps(dict(entry))}")
        lines.append(f"nearest: event {near.view.id} {near.view.syscall or near.view.types[:1]} keys={near.view.keys}")
        lines += [f"  ✔ {', '.join(near.held) or 'nothing'}"] + [f"  ✘ {missed}" for missed in near.missed]
    daemon = after.get("daemon", {})
    if daemon.get("journal"):
        lines.append(f"auditd is {daemon['state']}:\n{daemon['journal']}")
    return "\n".join(lines)


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _LONG else "…" + text[-_LONG:]
