# SPDX-License-Identifier: Apache-2.0
"""A baseline of files, and each change to them with who made it."""

from __future__ import annotations

__version__ = "0.1.0"
