# SPDX-License-Identifier: Apache-2.0
"""What kind of value a field name holds. One table for both formats and for the C.

DECIMAL, HEX and OCTAL are numbers. ENCODED is a string that its writer puts in quotes or, if it holds a quote, a space
or a control, in upper-case hex (kernel: audit_log_untrustedstring; libaudit: audit_encode_nv_string). Every other name
is a plain string and never taken for hex.
Source: audit-documentation specs/fields, kernel/audit*.c, security/lsm_audit.c, security/apparmor/audit.c.
"""

from __future__ import annotations

from typing import Final

DECIMAL: Final = frozenset(
    b"""argc audit_backlog_limit audit_backlog_wait_time audit_enabled audit_failure auid cap_fe capability compat
    egid enforcing errno euid exit family fd fsgid fsuid gid id igid inode inode_gid inode_uid item items iuid nargs
    oauid ogid old-auid old-ses old_enforcing old_prom opid oses ouid pid ppid prom proto qbytes res sauid seqno ses
    sgid sig suid syscall uid uring_op""".split()
)

HEX: Final = frozenset(b"a0 a1 a2 a3 arch cap_fi cap_fp cap_fver cap_pa cap_pe cap_pi cap_pp code fi fp".split())

OCTAL: Final = frozenset(b"mode".split())

ENCODED: Final = frozenset(
    b"""acct cgroup cmd comm cwd data device dir exe file grp info key label name namespace new-chardev new-disk new-fs
    new-rng ocomm old-chardev old-disk old-fs old-rng operation path peer peer_label peer_profile proctitle profile
    root_dir saddr srcname target vm watch""".split()
)

USER_IDS: Final = frozenset(b"auid euid fsuid iuid inode_uid oauid obj_uid old-auid ouid sauid suid uid".split())
GROUP_IDS: Final = frozenset(b"egid fsgid gid igid inode_gid new_gid obj_gid ogid sgid".split())
UNSET_ID: Final = 4294967295
"""(uid_t)-1: no login uid set."""
