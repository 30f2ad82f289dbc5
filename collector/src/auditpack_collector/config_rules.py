# SPDX-License-Identifier: Apache-2.0
"""What keys of a configuration ask of each other; config.py says what each takes alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import toml
from .config import Config, Filter, Output, output_path
from .enrich_options import MAX_LABELS
from .filter_rules import RuleError, compile_rules
from .options import MAX_STREAMS
from .redact import RedactError, Redactor

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
Complaint = tuple[toml.Path, str]


def across(config: Config) -> Iterator[Complaint]:
    """(place, what is wrong — remedy)"""
    yield from _inputs(config)
    yield from _outputs(config)
    names = [output.name for output in config.outputs()]
    for place, rule in enumerate(config.filter):
        yield from _filter(rule, place, config.filter[:place], names)
        for name in ("unit", "container"):
            if getattr(rule, name) and not (config.enrich.proc and getattr(config.enrich, name)):
                yield ("filter", place, name), f"filter.{name} needs [enrich] proc = true and {name} = true"
    yield from _labels(config)
    try:
        compile_rules(config)
    except RuleError as error:
        yield error.where, error.message
    try:
        Redactor(config.redact)
    except RedactError as error:
        yield ("redact", "patterns"), str(error)


def _labels(config: Config) -> Iterator[Complaint]:
    for place, rule in enumerate(config.label):
        if not rule.name:
            yield ("label", place), "a label without name — give it one"
    names = {*config.labels.keys, *(rule.name for rule in config.label)}
    for name in config.labels.inherit:
        if name not in names:
            yield ("labels", "inherit"), f"labels.inherit: nothing gives the label {name!r} — a key or a [[label]] must"
    if len(names) > MAX_LABELS:
        yield ("label", len(config.label) - 1), f"{len(names)} different labels — at most {MAX_LABELS}"
    for place, each in enumerate(config.enrich.environment):
        if "=" in each or "*" in each[:-1] or not each:
            yield ("enrich", "environment", place), f"{each!r} — a name, or the start of names and *"


def _inputs(config: Config) -> Iterator[Complaint]:
    for place, each in enumerate(config.input):
        where: toml.Path = ("input", place)
        if (each.kind == "stdin") == bool(each.path):
            remedy = "stdin has none" if each.path else f"name the {each.kind}"
            yield (*where, "path"), f"input.path = {each.path!r} with kind = {each.kind!r} — {remedy}"
        if (each.kind, each.path) in [(other.kind, other.path) for other in config.input[:place]]:
            yield where, f"input {each.kind} {each.path} given twice — remove one"


def _outputs(config: Config) -> Iterator[Complaint]:
    if len(config.output) > MAX_STREAMS:
        yield ("output", MAX_STREAMS), f"{len(config.output)} outputs — at most {MAX_STREAMS}"
    for place, each in enumerate(config.output):
        where: toml.Path = ("output", place)
        before = config.output[:place]
        if not _NAME.fullmatch(each.name):
            yield (*where, "name"), f"output.name = {each.name!r} — letters, digits, - and _"
        if each.name in [other.name for other in before]:
            yield (*where, "name"), f"output {each.name!r} given twice — each needs a name of its own"
        elif output_path(each) and (each.kind, output_path(each)) in [
            (other.kind, output_path(other)) for other in before
        ]:
            yield (*where, "path"), f"two outputs write {output_path(each)} — give each its own path"
        if each.kind == "unix" and not each.path:
            yield (*where, "path"), "kind = 'unix' needs the path of the socket"
        if each.kind == "stdout" and each.path:
            yield (*where, "path"), "stdout has no path — remove it"
        yield from _file_only(each, where)
    if all(each.receives == "sent" for each in config.outputs()):
        yield ("output", 0, "receives"), "no output receives all — losses would be told to nobody; leave one at 'all'"


def _file_only(output: Output, where: toml.Path) -> Iterator[Complaint]:
    if output.kind == "file":
        return
    standard = Output()
    for name in ("max_bytes", "rotate_seconds", "generations", "keep_seconds", "keep_bytes", "compress", "readers"):
        if getattr(output, name) != getattr(standard, name):
            yield (*where, name), f"output.{name} is for kind = 'file', not {output.kind!r} — remove it"


_NEEDS = {"move": ("to",), "copy": ("to",), "label": ("set",)}
_OWN = {"to": ("move", "copy"), "set": ("label",), "rate": ("limit",), "burst": ("limit",), "window": ("aggregate",),
        "per": ("limit", "aggregate"), "outputs": ("drop", "move", "keep", "limit", "aggregate")}  # fmt: skip


def _filter(rule: Filter, place: int, before: tuple[Filter, ...], outputs: list[str]) -> Iterator[Complaint]:
    where: toml.Path = ("filter", place)
    if not _NAME.fullmatch(rule.name):
        yield (*where, "name"), f"filter.name = {rule.name!r} — letters, digits, - and _"
    if rule.name in [other.name for other in before]:
        yield (*where, "name"), f"filter {rule.name!r} given twice — each needs a name of its own"
    for name in _NEEDS.get(rule.action, ()):
        if not getattr(rule, name):
            yield (*where, "action"), f"filter.action = {rule.action!r} needs {name}"
    standard = Filter()
    for name, actions in _OWN.items():
        if rule.action not in actions and getattr(rule, name) != getattr(standard, name):
            yield (*where, name), f"filter.{name} is for {', '.join(actions)}, not {rule.action!r} — remove it"
    for name in (*rule.outputs, *([rule.to] if rule.to else [])):
        if name not in outputs:
            key = "to" if name == rule.to else "outputs"
            yield (*where, key), f"no output is called {name!r} — there are {', '.join(outputs)}"
