# SPDX-License-Identifier: Apache-2.0
"""`auditpack docs`: a page per pack and the matrix of all."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .errors import PackError, PackErrors
from .pages import HEAD, pages
from .profiles import load_profiles
from .proof import Proof, load
from .schema import find_packs, load_packs

KEPT = Path("docs/proof")
"""Pages speak of kept proofs alone: they must be the same for everybody."""


def register(commands: Any) -> None:
    docs = commands.add_parser("docs", help="write a page per pack, and the matrix of all")
    docs.add_argument("--dir", type=Path, default=Path("rulepacks"), help="folder of packs (default: rulepacks)")
    docs.add_argument("--out", type=Path, default=Path("docs/packs"), help="folder of pages (default: docs/packs)")
    docs.add_argument("--proof", type=Path, default=KEPT, help=f"folder of kept proofs (default: {KEPT})")
    docs.add_argument("--check", action="store_true", help="write nothing; fail when a page is not as it would be")
    docs.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    files = sorted(options.proof.glob("**/*.json"))
    wanted = pages(
        load_packs(find_packs([options.dir])), load_profiles([options.dir]), load(files) if files else Proof()
    )
    there = {file.name: file.read_text(encoding="utf-8") for file in options.out.glob("*.md")}
    gone = [name for name, text in there.items() if text.startswith(HEAD) and name not in wanted]
    changed = [name for name, text in wanted.items() if there.get(name) != text]
    if options.check:
        if changed or gone:
            message = f"{', '.join(sorted([*changed, *gone]))} is not what the packs say"
            raise PackErrors([PackError(str(options.out), 0, message, "run `auditpack docs`")])
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    for name in changed:
        (options.out / name).write_text(wanted[name], encoding="utf-8")
    for name in gone:
        (options.out / name).unlink()
    print(f"{len(wanted)} pages in {options.out}: {len(changed)} written, {len(gone)} removed")
    return 0
