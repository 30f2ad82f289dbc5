# SPDX-License-Identifier: Apache-2.0
"""What the commands that read files raise."""

from __future__ import annotations


class InputError(Exception):
    """Input that cannot be used; the message names file and line, and says why."""
