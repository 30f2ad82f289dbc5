# SPDX-License-Identifier: Apache-2.0
"""The one table behind `event.action/category/type` and `auditd.summary.object.type` of the `ecs` format.

A row is (action, categories, types, object); object says what the event is about and so which ECS fields it fills:
file, process, socket-out (destination), socket-in (source), socket, user-session, account, group, service, module,
system, or none. Values of category and type are ECS 8's; action names follow Auditbeat's where it has one.
`types` of opening calls is refined by emit_ecs: creation, change or access by nametype and flags.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Meaning(NamedTuple):
    action: str
    categories: tuple[str, ...]
    types: tuple[str, ...]
    object: str


_FILE = ("file",)
_PROCESS = ("process",)
_NETWORK = ("network",)
_CONFIGURATION = ("configuration",)
_AUTH = ("authentication",)
_IAM = ("iam",)

# action, categories, types, object, syscalls
_SYSCALLS = (
    ("opened-file", _FILE, ("access",), "file", "open openat openat2 open_by_handle_at creat"),
    ("read-file", _FILE, ("access",), "file", "read pread64 readv preadv preadv2 sendfile sendfile64"),
    ("read-link", _FILE, ("access",), "file", "readlink readlinkat"),
    ("read-file-metadata-of", _FILE, ("access",), "file",
     "stat lstat fstat newfstatat stat64 lstat64 fstat64 fstatat64 statx access faccessat faccessat2 statfs fstatfs "
     "getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr"),
    ("listed-directory", _FILE, ("access",), "file", "getdents getdents64"),
    ("wrote-to-file", _FILE, ("change",), "file", "write pwrite64 writev pwritev pwritev2 copy_file_range splice"),
    ("truncated-file", _FILE, ("change",), "file", "truncate ftruncate truncate64 ftruncate64 fallocate"),
    ("changed-file-permissions-of", _FILE, ("change",), "file", "chmod fchmod fchmodat fchmodat2"),
    ("changed-file-ownership-of", _FILE, ("change",), "file",
     "chown fchown lchown fchownat chown32 fchown32 lchown32"),
    ("changed-file-attributes-of", _FILE, ("change",), "file",
     "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr setxattrat removexattrat file_setattr"),
    ("changed-timestamp-of", _FILE, ("change",), "file",
     "utime utimes utimensat futimesat utimensat_time64"),
    ("renamed", _FILE, ("change",), "file", "rename renameat renameat2"),
    ("deleted", _FILE, ("deletion",), "file", "unlink unlinkat rmdir"),
    ("created-directory", _FILE, ("creation",), "file", "mkdir mkdirat"),
    ("created-node", _FILE, ("creation",), "file", "mknod mknodat"),
    ("linked", _FILE, ("creation",), "file", "link linkat"),
    ("symlinked", _FILE, ("creation",), "file", "symlink symlinkat"),
    ("created-anonymous-file", _FILE, ("creation",), "file", "memfd_create memfd_secret"),
    ("mounted", _FILE, ("change",), "file",
     "mount move_mount fsmount fsopen fsconfig fspick open_tree open_tree_attr mount_setattr"),
    ("unmounted", _FILE, ("change",), "file", "umount umount2"),
    ("changed-root-directory", _PROCESS, ("change",), "file", "chroot pivot_root"),
    ("changed-directory", _PROCESS, ("info",), "file", "chdir fchdir"),
    ("changed-swap", ("host",), ("change",), "file", "swapon swapoff"),
    ("executed", _PROCESS, ("start",), "process", "execve execveat"),
    ("created-process", _PROCESS, ("start",), "process", "clone clone3 fork vfork"),
    ("ended-process", _PROCESS, ("end",), "process", "exit exit_group"),
    ("killed-pid", _PROCESS, ("change",), "process",
     "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal"),
    ("traced-process", _PROCESS, ("access",), "process", "ptrace process_vm_readv pidfd_getfd"),
    ("wrote-process-memory", _PROCESS, ("change",), "process", "process_vm_writev process_madvise"),
    ("changed-memory-protection", _PROCESS, ("change",), "process",
     "mprotect pkey_mprotect mmap mmap2 remap_file_pages"),
    ("changed-namespace", _PROCESS, ("change",), "process", "unshare setns"),
    ("changed-identity-of", _PROCESS, ("change",), "process",
     "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups setuid32 setgid32 setreuid32 "
     "setregid32 setresuid32 setresgid32 setfsuid32 setfsgid32 setgroups32"),
    ("changed-capabilities-of", _PROCESS, ("change",), "process", "capset"),
    ("changed-process-control-of", _PROCESS, ("change",), "process", "prctl seccomp personality"),
    ("changed-limits-of", _PROCESS, ("change",), "process", "setrlimit prlimit64 setpriority"),
    ("connected-to", _NETWORK, ("connection", "start"), "socket-out", "connect"),
    ("accepted-connection-from", _NETWORK, ("connection", "start"), "socket-in", "accept accept4"),
    ("bound-socket", _NETWORK, ("start",), "socket", "bind"),
    ("listened-for-connections", _NETWORK, ("start",), "socket", "listen"),
    ("opened-socket", _NETWORK, ("info",), "socket", "socket socketpair"),
    ("used-socket", _NETWORK, ("info",), "socket", "socketcall setsockopt getsockopt shutdown"),
    ("sent-to", _NETWORK, ("connection",), "socket-out", "sendto sendmsg sendmmsg"),
    ("received-from", _NETWORK, ("connection",), "socket-in", "recvfrom recvmsg recvmmsg recvmmsg_time64"),
    ("loaded-kernel-module", ("driver",), ("start",), "module", "init_module finit_module create_module"),
    ("unloaded-kernel-module", ("driver",), ("end",), "module", "delete_module"),
    ("loaded-kernel", ("host",), ("change",), "system", "kexec_load kexec_file_load"),
    ("used-bpf", _PROCESS, ("change",), "process", "bpf"),
    ("monitored-performance", _PROCESS, ("access",), "process", "perf_event_open"),
    ("used-keyring", _PROCESS, ("access",), "process", "add_key request_key keyctl"),
    ("used-io-uring", _PROCESS, ("access",), "process", "io_uring_setup io_uring_enter io_uring_register"),
    ("handled-page-faults", _PROCESS, ("access",), "process", "userfaultfd"),
    ("changed-system-time", ("host", "configuration"), ("change",), "system",
     "settimeofday stime clock_settime clock_settime64 adjtimex clock_adjtime clock_adjtime64"),
    ("changed-system-name", ("host", "configuration"), ("change",), "system", "sethostname setdomainname"),
    ("rebooted-system", ("host",), ("change",), "system", "reboot"),
    ("changed-quota", _FILE, ("change",), "file", "quotactl quotactl_fd"),
    ("changed-accounting", _CONFIGURATION, ("change",), "file", "acct"),
    ("changed-system-log", _CONFIGURATION, ("change",), "system", "syslog"),
    ("changed-port-permissions", _PROCESS, ("change",), "process", "ioperm iopl"),
    ("controlled-device", _FILE, ("change",), "file", "ioctl"),
)  # fmt: skip

# action, categories, types, object, record types; of an event's record types the first row here wins
_RECORDS = (
    ("logged-in", _AUTH, ("start",), "user-session", "USER_LOGIN"),
    ("logged-out", _AUTH, ("end",), "user-session", "USER_LOGOUT"),
    ("authenticated", _AUTH, ("start",), "user-session", "USER_AUTH"),
    ("was-authorized", _AUTH, ("info",), "user-session", "USER_ACCT"),
    ("started-session", ("session", "authentication"), ("start",), "user-session", "USER_START"),
    ("ended-session", ("session", "authentication"), ("end",), "user-session", "USER_END"),
    ("acquired-credentials", _AUTH, ("info",), "user-session", "CRED_ACQ"),
    ("refreshed-credentials", _AUTH, ("info",), "user-session", "CRED_REFR"),
    ("disposed-credentials", _AUTH, ("info",), "user-session", "CRED_DISP"),
    ("error", _AUTH, ("info",), "user-session", "USER_ERR"),
    ("ran-command", _PROCESS, ("start",), "process", "USER_CMD"),
    ("typed", _PROCESS, ("info",), "process", "USER_TTY TTY"),
    ("changed-password", _IAM, ("user", "change"), "account", "USER_CHAUTHTOK"),
    ("changed-identity", _IAM, ("user", "change"), "account", "CHUSER_ID CHGRP_ID"),
    ("added-user-account", _IAM, ("user", "creation"), "account", "ADD_USER"),
    ("deleted-user-account", _IAM, ("user", "deletion"), "account", "DEL_USER"),
    ("modified-user-account", _IAM, ("user", "change"), "account", "USER_MGMT ACCT_LOCK ACCT_UNLOCK"),
    ("added-group-account", _IAM, ("group", "creation"), "group", "ADD_GROUP"),
    ("deleted-group-account", _IAM, ("group", "deletion"), "group", "DEL_GROUP"),
    ("modified-group-account", _IAM, ("group", "change"), "group", "GRP_MGMT GRP_CHAUTHTOK GRP_AUTH"),
    ("assigned-role", _IAM, ("user", "change"), "account", "ROLE_ASSIGN"),
    ("removed-role", _IAM, ("user", "change"), "account", "ROLE_REMOVE ROLE_MODIFY"),
    ("started-service", _PROCESS, ("start",), "service", "SERVICE_START"),
    ("stopped-service", _PROCESS, ("end",), "service", "SERVICE_STOP"),
    ("booted-system", ("host",), ("start",), "system", "SYSTEM_BOOT"),
    ("shutdown-system", ("host",), ("end",), "system", "SYSTEM_SHUTDOWN"),
    ("changed-runlevel", ("host",), ("change",), "system", "SYSTEM_RUNLEVEL"),
    ("updated-software", ("package",), ("installation",), "system", "SOFTWARE_UPDATE"),
    ("started-audit", ("host",), ("start",), "system", "DAEMON_START"),
    ("shutdown-audit", ("host",), ("end",), "system", "DAEMON_END"),
    ("aborted-audit", ("host",), ("end",), "system", "DAEMON_ABORT"),
    ("changed-audit-daemon", _CONFIGURATION, ("change",), "system",
     "DAEMON_CONFIG DAEMON_ROTATE DAEMON_RESUME DAEMON_RECONFIG DAEMON_ERR DAEMON_ACCEPT DAEMON_CLOSE"),
    ("sent-message", _PROCESS, ("info",), "process", "USER TEST TRUSTED_APP"),
    ("violated-selinux-policy", ("intrusion_detection", "process"), ("denied",), "file", "AVC"),
    ("violated-user-space-policy", ("intrusion_detection", "process"), ("denied",), "process", "USER_AVC"),
    ("violated-apparmor-policy", ("intrusion_detection", "process"), ("denied",), "file",
     "APPARMOR_DENIED APPARMOR_ERROR"),
    ("allowed-by-apparmor", ("intrusion_detection", "process"), ("allowed",), "file",
     "APPARMOR_ALLOWED APPARMOR_AUDIT APPARMOR_HINT APPARMOR_STATUS"),
    ("violated-seccomp-policy", ("intrusion_detection", "process"), ("denied",), "process", "SECCOMP"),
    ("crashed-program", _PROCESS, ("end",), "process", "ANOM_ABEND"),
    ("changed-promiscuous-mode-on-device", _NETWORK, ("change",), "system", "ANOM_PROMISCUOUS"),
    ("used-suspicious-link", ("intrusion_detection", "file"), ("denied",), "file", "ANOM_LINK ANOM_CREAT"),
    ("failed-log-in-too-many-times-to", ("intrusion_detection", "authentication"), ("denied",), "user-session",
     "ANOM_LOGIN_FAILURES"),
    ("attempted-log-in-during-unusual-hour-to", ("intrusion_detection", "authentication"), ("denied",), "user-session",
     "ANOM_LOGIN_TIME"),
    ("opened-too-many-sessions-to", ("intrusion_detection", "authentication"), ("denied",), "user-session",
     "ANOM_LOGIN_SESSIONS"),
    ("attempted-log-in-from-unusual-place-to", ("intrusion_detection", "authentication"), ("denied",), "user-session",
     "ANOM_LOGIN_LOCATION"),
    ("tested-file-system-integrity-of", ("intrusion_detection", "file"), ("info",), "file",
     "ANOM_RBAC_INTEGRITY_FAIL"),
    ("changed-login-id-to", _AUTH, ("start",), "user-session", "LOGIN"),
    ("changed-audit-configuration", _CONFIGURATION, ("change",), "system", "CONFIG_CHANGE FEATURE_CHANGE USYS_CONFIG"),
    ("changed-netfilter-configuration", ("configuration", "network"), ("change",), "system", "NETFILTER_CFG"),
    ("dropped-packet", _NETWORK, ("denied",), "system", "NETFILTER_PKT"),
    ("changed-mac-configuration", _CONFIGURATION, ("change",), "system",
     "MAC_POLICY_LOAD MAC_STATUS MAC_CONFIG_CHANGE MAC_UNLBL_ALLOW MAC_UNLBL_STCADD MAC_UNLBL_STCDEL"),
    ("loaded-kernel-module", ("driver",), ("start",), "module", "KERN_MODULE"),
    ("used-bpf", _PROCESS, ("change",), "process", "BPF"),
    ("used-io-uring", _PROCESS, ("access",), "process", "URINGOP"),
    ("changed-system-time", ("host", "configuration"), ("change",), "system", "TIME_INJOFFSET TIME_ADJNTPVAL"),
    ("changed-device-mapper", _CONFIGURATION, ("change",), "system", "DM_CTRL DM_EVENT"),
    ("listened-for-audit-events", _PROCESS, ("access",), "process", "EVENT_LISTENER"),
    ("initialized-audit-subsystem", ("host",), ("start",), "system", "KERNEL"),
    ("violated-integrity-policy", ("intrusion_detection", "file"), ("denied",), "file",
     "INTEGRITY_DATA INTEGRITY_METADATA INTEGRITY_HASH INTEGRITY_PCR INTEGRITY_RULE INTEGRITY_EVM_XATTR "
     "INTEGRITY_POLICY_RULE INTEGRITY_STATUS IPE_ACCESS"),
    ("managed-virtual-machine", ("host",), ("change",), "system",
     "VIRT_CONTROL VIRT_CREATE VIRT_DESTROY VIRT_RESOURCE VIRT_MACHINE_ID VIRT_INTEGRITY_CHECK VIRT_MIGRATE_IN "
     "VIRT_MIGRATE_OUT"),
    ("used-cryptography", _PROCESS, ("info",), "process",
     "CRYPTO_KEY_USER CRYPTO_SESSION CRYPTO_LOGIN CRYPTO_LOGOUT CRYPTO_IKE_SA CRYPTO_IPSEC_SA CRYPTO_TEST_USER "
     "CRYPTO_PARAM_CHANGE_USER CRYPTO_REPLAY_USER CRYPTO_FAILURE_USER"),
)  # fmt: skip


def _expand(rows: tuple[tuple[str, tuple[str, ...], tuple[str, ...], str, str], ...]) -> dict[str, Meaning]:
    return {name: Meaning(*row[:4]) for row in rows for name in row[4].split()}


SYSCALL_MEANINGS: Final = _expand(_SYSCALLS)
RECORD_MEANINGS: Final = _expand(_RECORDS)

_ALLOWED: Final = Meaning("allowed-by-selinux-policy", ("intrusion_detection", "process"), ("allowed",), "file")
AVC_MEANINGS: Final = {
    "granted": _ALLOWED,
    "DENIED": RECORD_MEANINGS["APPARMOR_DENIED"],
    "KILLED": RECORD_MEANINGS["APPARMOR_DENIED"],
    "ERROR": RECORD_MEANINGS["APPARMOR_DENIED"],
    "ALLOWED": RECORD_MEANINGS["APPARMOR_ALLOWED"],
    "AUDIT": RECORD_MEANINGS["APPARMOR_ALLOWED"],
    "HINT": RECORD_MEANINGS["APPARMOR_ALLOWED"],
    "STATUS": RECORD_MEANINGS["MAC_STATUS"],
}
"""What an AVC record says that is no denial by SELinux: by `apparmor` or, without it, by seresult."""

AVC_OUTCOMES: Final = {
    "granted": "success", "ALLOWED": "success", "AUDIT": "success", "STATUS": "success",
    "denied": "failure", "DENIED": "failure", "KILLED": "failure", "ERROR": "failure",
}  # fmt: skip
"""event.outcome of an AVC without a system call; what is denied in permissive mode succeeds all the same."""

PREFIX_MEANINGS: Final = (
    ("ANOM_", Meaning("", ("intrusion_detection",), ("info",), "process")),
    ("RESP_", Meaning("", ("intrusion_detection",), ("info",), "process")),
    ("MAC_", Meaning("", _CONFIGURATION, ("change",), "system")),
    ("", Meaning("", _PROCESS, ("info",), "process")),
)
"""For record types and system calls without a row: the first prefix that fits; the action is the name with dashes."""

RECORD_RANK: Final = {name: rank for rank, name in enumerate(RECORD_MEANINGS)}
"""Which record type speaks for an event that has several."""

SPOKEN_BY_SYSCALL: Final = frozenset(("KERN_MODULE", "BPF", "TIME_INJOFFSET", "TIME_ADJNTPVAL", "URINGOP"))
"""Types that say less than the SYSCALL record they come with."""

ACCOUNT_TYPES: Final = frozenset(name for name, meaning in RECORD_MEANINGS.items() if meaning.object == "user-session")
"""Record types whose `acct` is the user of the session."""

AT_FUNCTIONS: Final = frozenset(
    """openat openat2 unlinkat mkdirat mknodat fchownat fchmodat fchmodat2 utimensat futimesat symlinkat readlinkat
    execveat faccessat faccessat2 newfstatat statx name_to_handle_at setxattrat removexattrat""".split()  # noqa: SIM905
)
"""System calls whose a0 is the directory that a relative path starts from."""

OPEN_FLAGS_ARGUMENT: Final = {"open": 1, "openat": 2}
"""Where the flags of an opening call are; creat has none, openat2 has them in memory."""
