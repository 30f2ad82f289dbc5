# SPDX-License-Identifier: Apache-2.0
"""status.json as Prometheus text, for node_exporter's textfile collector. Names are those of status.json."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

PREFIX = "auditpack_collector_"
_GAUGES = ("open_events",)
_OUTPUT_COUNTERS = ("events", "bytes", "errors", "rotations", "torn_lines", "oversize", "compress_errors")
_QUEUE_GAUGES = ("bytes", "high_bytes", "max_bytes", "disk_bytes", "disk_high_bytes", "disk_max_bytes")
Sample = tuple[dict[str, str], Any]


def prometheus(report: dict[str, Any]) -> str:
    out = _Text()
    about = {"implementation": report["implementation"], "version": report["version"]}
    out.add("info", "gauge", [(about, 1)])
    out.add("running", "gauge", [({}, int(report["state"] == "running"))])
    out.add("start_time_seconds", "gauge", [({}, round(report["since"], 3))])
    out.add("updated_seconds", "gauge", [({}, round(report["updated"], 3))])
    for name, value in report["counters"].items():
        if name in _GAUGES:
            out.add(name, "gauge", [({}, value)])
        else:
            out.add(f"{name}_total", "counter", [({}, value)])
    types = [
        ({"type": name, "way": way}, count) for name, counts in report["types"].items() for way, count in counts.items()
    ]
    out.add("records_by_type_total", "counter", types)
    for kind in ("matched", "held"):
        rules = [({"filter": name}, counts[kind]) for name, counts in report["filters"].items()]
        out.add(f"filter_{kind}_events_total", "counter", rules)
    dropped: list[Sample] = []
    for output in report["outputs"]:
        dropped += [({"output": output["name"], "reason": why}, count) for why, count in output["dropped"].items()]
    out.add("dropped_events_total", "counter", dropped)
    for name in _OUTPUT_COUNTERS:
        found = [({"output": each["name"]}, each[name]) for each in report["outputs"] if name in each]
        out.add(f"output_{name}_total", "counter", found)
    out.add("output_failing", "gauge", [({"output": each["name"]}, int(each["failing"])) for each in report["outputs"]])
    out.add(
        "output_lag_seconds", "gauge", [({"output": each["name"]}, each["lag_seconds"]) for each in report["outputs"]]
    )
    for name in _QUEUE_GAUGES:
        out.add(
            f"queue_{name}", "gauge", [({"output": each["name"]}, each["queue"][name]) for each in report["outputs"]]
        )
    inputs = [({"kind": each["kind"], "path": each["path"]}, each) for each in report["inputs"]]
    out.add("input_connected", "gauge", [(labels, int(each["connected"])) for labels, each in inputs])
    out.add("input_bytes_total", "counter", [(labels, each["bytes"]) for labels, each in inputs])
    out.add("cpu_seconds_total", "counter", [({"mode": mode}, value) for mode, value in report["cpu_seconds"].items()])
    for name, value in report["memory"].items():
        out.add(f"memory_{name}", "gauge", [({}, value)])
    return "\n".join(out.lines) + "\n"


class _Text:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, name: str, kind: str, samples: Iterable[Sample]) -> None:
        """One family; nothing for no samples."""
        rows = [f"{PREFIX}{name}{_labels(labels)} {value}" for labels, value in samples]
        if rows:
            self.lines += [f"# TYPE {PREFIX}{name} {kind}", *rows]


def _labels(labels: dict[str, str]) -> str:
    escaped = (
        name + '="' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        for name, value in labels.items()
    )
    joined = ",".join(escaped)
    return "{" + joined + "}" if joined else ""
