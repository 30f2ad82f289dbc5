# SPDX-License-Identifier: Apache-2.0
"""config.py → the sample, the JSON Schema and auditpack-collector(5). `--check`: fail when stale."""

from __future__ import annotations

import sys
from pathlib import Path

COLLECTOR = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(COLLECTOR / "src"))

from auditpack_collector.config_text import manual_tables, sample, schema  # noqa: E402

PACKAGING = COLLECTOR / "packaging"
HOST = COLLECTOR / "src" / "auditpack_collector" / "host"  # what the role puts on hosts


def wanted() -> dict[Path, str]:
    manual = (PACKAGING / "auditpack-collector.5.in").read_text(encoding="utf-8")
    return {
        PACKAGING / "collector.toml": sample(),
        HOST / "collector.schema.json": schema(),
        HOST / "auditpack-collector.5": manual.replace("@TABLES@\n", manual_tables()),
    }


def main(arguments: list[str]) -> int:
    stale = [path for path, text in wanted().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if "--check" in arguments:
            print(f"{path.relative_to(COLLECTOR)} is stale: run tools/generate_config.py", file=sys.stderr)
        else:
            path.write_text(wanted()[path], encoding="utf-8")
            print(path.relative_to(COLLECTOR))
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
