# SPDX-License-Identifier: Apache-2.0
"""What the commands raise for a user to mend."""

from __future__ import annotations


class IntegrityError(Exception):
    """Something that cannot be done; the message says what, where and the remedy."""


class ConfigError(Exception):
    """All that is wrong with a configuration; each message is `file:line:column: what — remedy`."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("\n".join(messages))
        self.messages = messages
