# SPDX-License-Identifier: Apache-2.0
"""`python3 -m auditpack_integrity`."""

import sys

from .cli import main

sys.exit(main())
