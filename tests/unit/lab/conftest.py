# SPDX-License-Identifier: Apache-2.0
"""The lab's scripts are no installed package: make them importable."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "terraform" / "labs" / "local" / "scripts"))
sys.path.insert(0, str(ROOT / "terraform"))
