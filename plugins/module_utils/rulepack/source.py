# SPDX-License-Identifier: Apache-2.0
"""YAML with line numbers: text → plain data, and for every value the line it stands on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

import yaml

from .errors import PackError

Step = Union[str, int]
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SPDX = re.compile(r"#\s*SPDX-License-Identifier:\s*\S+")


@dataclass
class Document:
    """One YAML file: `data` is plain (dict, list, str, number, bool, None); `lines` maps a path into it to a line."""

    file: str
    data: Any
    lines: dict[tuple[Step, ...], int] = field(default_factory=dict)

    def line(self, path: tuple[Step, ...]) -> int:
        """Line of the value at `path`, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(path: Path, errors: list[PackError], display: str = "") -> Document | None:
    """Read one YAML file. Problems are appended to `errors`; None when there is nothing to go on with."""
    file = display or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        errors.append(PackError(file, 0, "the file is missing", "a pack has pack.yml, rules.yml and cases.yml"))
        return None
    except (OSError, UnicodeDecodeError) as failure:
        errors.append(PackError(file, 0, f"cannot be read: {failure}", "make it a readable UTF-8 text file"))
        return None
    if not _SPDX.match(text):
        errors.append(
            PackError(file, 1, "no licence line", "begin the file with `# SPDX-License-Identifier: Apache-2.0`")
        )
    return parse(text, file, errors)


def parse(text: str, file: str, errors: list[PackError]) -> Document | None:
    """Parse YAML text; a repeated key is an error, since YAML would keep the last one and say nothing."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        document = Document(file, None)
        if root is not None:
            document.data = _plain(loader, root, (), document, errors)
    except yaml.MarkedYAMLError as failure:
        mark = failure.problem_mark or failure.context_mark
        errors.append(PackError(file, mark.line + 1 if mark else 1, f"not YAML: {failure.problem}", "mend the syntax"))
        return None
    except yaml.YAMLError as failure:
        errors.append(PackError(file, 1, f"not YAML: {failure}", "mend the syntax"))
        return None
    finally:
        loader.dispose()
    return document


def _plain(loader: Any, node: Any, path: tuple[Step, ...], document: Document, errors: list[PackError]) -> Any:
    document.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, child, (*path, index), document, errors) for index, child in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        line = key_node.start_mark.line + 1
        if key is None or key == "<<":
            errors.append(PackError(document.file, line, "a key must be a plain word", "write the keys out"))
            continue
        if key in data:
            errors.append(PackError(document.file, line, f"`{key}` stands twice in one map", "keep one of the two"))
            continue
        data[key] = _plain(loader, value_node, (*path, key), document, errors)
        document.lines[(*path, key)] = line
    return data
