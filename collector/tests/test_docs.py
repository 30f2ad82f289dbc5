# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/collector/{operation,filters}.md are what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_filter import ALL

from auditpack_collector.config_load import load
from auditpack_collector.implementation import make_pipeline
from auditpack_collector.service import options_of

DOCS = next(each / "docs" / "collector" for each in Path(__file__).resolve().parents if (each / "docs").is_dir())
BLOCKS = re.compile(r"(?:<!-- sample: (.*?) -->\n)?```toml\n(.*?)```", re.S)
EXAMPLES = [
    pytest.param(sample, text, id=f"{name}-{number}")
    for name in ("operation.md", "filters.md")
    for number, (sample, text) in enumerate(BLOCKS.findall((DOCS / name).read_text(encoding="utf-8")), 1)
]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 7


@pytest.mark.parametrize(("sample", "text"), EXAMPLES)
def test_example(sample: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    config = load(path)
    if not sample:
        return
    expected = {part.split()[0]: part.split()[1:] for part in sample.split(" · ")}
    made = make_pipeline(options_of(config)._replace(clock="event"), "python")
    outs = [[made.feed(ALL, 0.0)], *([each] for each in made.others())]
    for out, last in zip(outs, (made.flush(0.0, all=True), *made.others())):
        out.append(last)
    for (_, serials), out in zip(expected.items(), outs):
        found = re.findall(rb'^\{.*?"(?:ID|id)":"[^"]*:(\d+)"', b"".join(out), re.M)
        assert [number.decode() for number in found] == serials
