# SPDX-License-Identifier: Apache-2.0
"""Linux audit records in, one JSON event per line out."""

from __future__ import annotations

__version__ = "0.1.0"
