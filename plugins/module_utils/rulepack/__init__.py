# SPDX-License-Identifier: Apache-2.0
"""The rule engine: packs in, auditctl text out, and what the kernel loaded compared with it.

Ansible imports this folder as module_utils; the root pyproject.toml installs it as the package `auditpack`.
`line`, `normalise`, `fields` and `shadow` run on managed hosts too and need the standard library only.
"""
