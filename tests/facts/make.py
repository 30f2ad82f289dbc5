#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the facts that `auditpack render --distro NAME` uses: `tests/facts/make.py [--check]`.

They are what a plain server of that distribution would answer, put together here from tables, since only the lab's own
two distributions can be asked: kernel and audit versions are those the distributions ship, the system calls are those
that audit's tables of that version name (tables/syscalls.json has those of audit 4.0.2 as `ausyscall --dump` prints it;
older tables end at a lower number), and the paths are the ones that packs watch. debian12 and debian13 were compared
with the lab's hosts. A path that is not listed counts as missing (`auditpack.kept`).
"""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

MERGED = "/bin -> /usr/bin\n/sbin -> /usr/sbin\n/lib -> /usr/lib\n/lib64 -> /usr/lib64\n/var/run -> /run\n"
KMOD = "".join(f"/usr/sbin/{name} -> /usr/bin/kmod\n" for name in ("insmod", "rmmod", "modprobe", "lsmod", "depmod"))

COMMON = """
/etc/passwd /etc/passwd- /etc/shadow /etc/shadow- /etc/group /etc/group- /etc/gshadow /etc/gshadow- /etc/shells
/etc/subuid /etc/subgid /etc/login.defs /etc/nsswitch.conf /etc/security/ /etc/security/opasswd
/etc/security/access.conf /etc/security/limits.conf /etc/pam.d/ /etc/sudoers /etc/sudoers.d/
/etc/issue /etc/issue.net /etc/hosts /etc/hostname /etc/networks /etc/resolv.conf /etc/fstab /etc/motd
/etc/crontab /etc/cron.d/ /etc/cron.hourly/ /etc/cron.daily/ /etc/cron.weekly/ /etc/cron.monthly/ /etc/at.deny
/etc/profile /etc/profile.d/ /etc/skel/ /etc/environment /etc/ld.so.conf /etc/ld.so.conf.d/
/etc/ssh/ /etc/ssh/sshd_config /etc/ssh/sshd_config.d/ /etc/ssh/ssh_config /root/ /root/.ssh/ /root/.bashrc
/etc/systemd/ /etc/systemd/system/ /etc/systemd/user/ /etc/systemd/journald.conf /usr/lib/systemd/
/usr/lib/systemd/system/ /usr/lib/systemd/user/ /etc/udev/ /etc/udev/rules.d/ /usr/lib/udev/ /usr/lib/udev/rules.d/
/etc/modprobe.d/ /etc/modules-load.d/ /usr/lib/modprobe.d/ /etc/sysctl.conf /etc/sysctl.d/ /etc/init.d/ /etc/xdg/
/etc/xdg/autostart/ /etc/audit/ /etc/audit/auditd.conf /etc/audit/rules.d/ /etc/audit/plugins.d/ /etc/libaudit.conf
/etc/rsyslog.conf /etc/rsyslog.d/ /etc/logrotate.conf /etc/logrotate.d/ /etc/ca-certificates/ /etc/ssl/
/var/log/ /var/log/audit/ /var/log/wtmp /var/log/btmp /var/log/lastlog /run/ /run/utmp /var/spool/ /var/spool/cron/
/home/ /home/alice/ /home/bob/ /proc/ /usr/local/ /usr/local/bin/ /tmp/ /var/tmp/ /dev/shm/ /boot/ /usr/lib/modules/
/usr/share/ /opt/ /srv/ /mnt/
/usr/bin/bash /usr/bin/su /usr/bin/sudo /usr/bin/passwd /usr/bin/chage /usr/bin/chcon /usr/bin/setfacl /usr/bin/chacl
/usr/bin/kmod /usr/bin/mount /usr/bin/umount /usr/bin/crontab /usr/bin/gpasswd /usr/bin/newgrp /usr/bin/chsh
/usr/bin/chfn /usr/bin/systemctl /usr/bin/journalctl /usr/bin/curl /usr/bin/wget /usr/bin/python3 /usr/bin/perl
/usr/bin/ssh /usr/bin/scp /usr/bin/id /usr/bin/whoami /usr/bin/hostname /usr/bin/hostnamectl /usr/bin/uname /usr/bin/who
/usr/bin/w /usr/bin/last /usr/bin/ps /usr/bin/ss /usr/bin/unshare /usr/bin/nsenter /usr/bin/base64 /usr/bin/strace
/usr/sbin/ip /usr/sbin/usermod /usr/sbin/useradd /usr/sbin/userdel /usr/sbin/groupadd /usr/sbin/groupmod
/usr/sbin/groupdel /usr/sbin/visudo /usr/sbin/auditctl /usr/sbin/auditd /usr/sbin/ausearch /usr/sbin/aureport
/usr/sbin/augenrules /usr/sbin/nft /usr/sbin/sshd /usr/sbin/unix_chkpwd /usr/sbin/sysctl /usr/sbin/swapoff
/usr/bin/busctl /usr/bin/dbus-send /usr/bin/setpriv /usr/bin/ssh-add /usr/bin/ssh-keygen /usr/bin/systemd-run
/usr/lib/systemd/systemd /usr/sbin/capsh /usr/sbin/chpasswd /usr/sbin/faillock /usr/sbin/newusers /usr/sbin/setcap
/usr/sbin/vipw /home/alice/.ssh/ /home/bob/.ssh/ /proc/sys/ /proc/kcore /dev/mem /dev/port /run/lock/
/run/systemd/system/ /usr/lib/sysctl.d/ /etc/binfmt.d/ /etc/tmpfiles.d/ /etc/dbus-1/ /usr/share/dbus-1/system-services/
/etc/kernel/ /etc/grub.d/
"""
APT = """
/etc/pam.conf /etc/apparmor/ /etc/apparmor.d/ /etc/network/ /etc/network/interfaces /etc/network/interfaces.d/
/etc/NetworkManager/ /etc/NetworkManager/system-connections/ /etc/netplan/ /etc/apt/ /etc/apt/apt.conf.d/
/etc/apt/sources.list /etc/apt/sources.list.d/ /etc/apt/trusted.gpg.d/ /etc/apt/preferences.d/ /etc/apt/keyrings/
/var/lib/dpkg/ /var/lib/dpkg/status /etc/ssl/private/ /etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key
/etc/ssh/ssh_host_ed25519_key /etc/dpkg/ /etc/default/ /etc/default/grub /etc/default/grub.d/
/etc/bash.bashrc /etc/update-motd.d/ /etc/initramfs-tools/ /etc/rc.local /etc/nftables.conf /var/log/faillog
/var/log/apt/ /var/log/dpkg.log /var/log/auth.log /var/log/syslog /var/spool/cron/crontabs/ /var/spool/cron/atjobs/
/usr/share/pam-configs/ /usr/lib/x86_64-linux-gnu/security/ /usr/bin/apt /usr/bin/apt-get /usr/bin/dpkg /usr/bin/at
/usr/sbin/adduser /usr/sbin/deluser /usr/sbin/iptables /usr/libexec/sudo/ /etc/sudo.conf
/etc/sudo_logsrvd.conf /etc/selinux/ /usr/sbin/pam-auth-update /usr/bin/expiry
/usr/bin/ssh-agent /usr/lib/openssh/ssh-keysign
/usr/lib/dbus-1.0/dbus-daemon-launch-helper /etc/modules /etc/dpkg/dpkg.cfg.d/ /usr/share/initramfs-tools/
/usr/sbin/apparmor_parser /usr/sbin/aa-teardown /usr/sbin/aa-remove-unknown /sys/kernel/security/apparmor/
"""
RPM = """
/etc/selinux/ /etc/selinux/config /usr/share/selinux/ /etc/sysconfig/ /etc/sysconfig/network /etc/NetworkManager/
/etc/NetworkManager/system-connections/ /etc/bashrc /etc/yum.repos.d/ /etc/dnf/ /etc/rc.d/ /etc/rc.d/rc.local
/etc/default/ /etc/default/grub /etc/dracut.conf /etc/dracut.conf.d/ /etc/pam.d/system-auth /etc/pki/ /etc/firewalld/
/usr/lib64/security/ /usr/bin/dnf-3 /usr/bin/rpm /usr/bin/at /var/log/secure /var/log/messages /var/log/cron
/var/log/dnf.log /usr/sbin/setenforce /usr/sbin/semanage /usr/sbin/setsebool /usr/sbin/iptables
/usr/bin/dnf -> /usr/bin/dnf-3
/usr/bin/yum -> /usr/bin/dnf-3
"""
APT_SETUID = """
/usr/bin/at /usr/bin/chage /usr/bin/chfn /usr/bin/chsh /usr/bin/crontab /usr/bin/expiry /usr/bin/gpasswd
/usr/bin/mount /usr/bin/newgrp /usr/bin/passwd /usr/bin/ssh-agent /usr/bin/su /usr/bin/sudo /usr/bin/umount
/usr/lib/dbus-1.0/dbus-daemon-launch-helper /usr/lib/openssh/ssh-keysign /usr/sbin/unix_chkpwd
"""
RPM_SETUID = """
/usr/bin/at /usr/bin/chage /usr/bin/chfn /usr/bin/chsh /usr/bin/crontab /usr/bin/gpasswd /usr/bin/mount /usr/bin/newgrp
/usr/bin/passwd /usr/bin/su /usr/bin/sudo /usr/bin/umount /usr/bin/write /usr/libexec/dbus-1/dbus-daemon-launch-helper
/usr/libexec/openssh/ssh-keysign /usr/libexec/utempter/utempter /usr/sbin/pam_timestamp_check /usr/sbin/unix_chkpwd
"""
APT_USERS = {"root": 0, "daemon": 1, "man": 6, "www-data": 33, "backup": 34, "_apt": 42, "nobody": 65534,
             "systemd-network": 998, "sshd": 100, "messagebus": 101, "_chrony": 110, "postgres": 111, "alice": 1000,
             "bob": 1001, "auditpack": 990}  # fmt: skip
RPM_USERS = {"root": 0, "bin": 1, "daemon": 2, "mail": 8, "apache": 48, "nginx": 990, "postgres": 26, "sshd": 74,
             "chrony": 993, "dbus": 81, "nobody": 65534, "systemd-network": 192, "alice": 1000, "bob": 1001,
             "auditpack": 989}  # fmt: skip


@dataclass(frozen=True)
class Host:
    """`last`: the highest system call that this audit's tables have; `without`: of `paths`, what this one lacks."""

    distro: str
    version: str
    kernel: str
    audit: str
    last: int
    paths: str
    setuid: str
    users: dict[str, int]
    without: tuple[str, ...] = ()
    groups: dict[str, int] = field(default_factory=lambda: {"root": 0, "adm": 4, "auditpack": 990})


SYSV = "/etc/sysconfig/network-scripts/\n"
HOSTS = {
    "debian12": Host("debian", "12", "6.1.0-56-cloud-amd64", "3.0.9", 450, APT, APT_SETUID, APT_USERS),
    "debian13": Host("debian", "13", "6.12.117+deb13-cloud-amd64", "4.0.2", 462, APT, APT_SETUID, APT_USERS,
                     without=("/var/log/faillog", "/run/utmp")),
    "ubuntu2204": Host("ubuntu", "22.04", "5.15.0-160-generic", "3.0.7", 449, APT, APT_SETUID, APT_USERS,
                       without=("/etc/network/interfaces", "/etc/network/interfaces.d/")),
    "ubuntu2404": Host("ubuntu", "24.04", "6.8.0-85-generic", "3.1.2", 450, APT, APT_SETUID, APT_USERS,
                       without=("/etc/network/interfaces", "/etc/network/interfaces.d/", "/etc/networks")),
    "rhel8": Host("rhel", "8.10", "4.18.0-553.el8_10.x86_64", "3.1.2", 450, RPM + SYSV, RPM_SETUID, RPM_USERS,
                  without=("/etc/ssh/sshd_config.d/",)),
    "rhel9": Host("rhel", "9.6", "5.14.0-570.12.1.el9_6.x86_64", "3.1.5", 450, RPM + SYSV, RPM_SETUID, RPM_USERS),
    "rhel10": Host("rhel", "10.0", "6.12.0-55.9.1.el10_0.x86_64", "4.0.3", 462, RPM, RPM_SETUID, RPM_USERS),
}  # fmt: skip
"""`auditpack render --distro` → the host. Distribution Independent Linux is any of them: `--set cis.benchmark=dil`."""
ZONE = "/etc/localtime -> /usr/share/zoneinfo/Etc/UTC\n/usr/share/zoneinfo/Etc/UTC\n"


def paths(host: Host) -> dict[str, dict[str, str]]:
    """Path → {kind, real} of all that is there, the directories above included."""
    entries: dict[str, str] = {}
    for line in (MERGED + KMOD + ZONE + COMMON + host.paths).splitlines():
        name, arrow, target = line.partition(" -> ")
        entries |= {name.strip(): target} if arrow else dict.fromkeys(line.split(), "")
    for name in host.without:
        del entries[name]
    found: dict[str, dict[str, str]] = {}
    for name, target in entries.items():
        path = name.rstrip("/")
        above = path.rpartition("/")[0]
        while above:
            found.setdefault(above, {"kind": "dir", "real": above})
            above = above.rpartition("/")[0]
        kind = "dir" if name.endswith("/") or (target and not target.startswith("/usr/bin/")) else "file"
        found[path] = {"kind": "file" if path == "/etc/localtime" else kind, "real": target or path}
    return dict(sorted(found.items()))


def facts(host: Host) -> dict[str, Any]:
    """HostFacts (docs/architecture.md, section 2)."""
    tables = json.loads((HERE / "tables" / "syscalls.json").read_text(encoding="utf-8"))
    names = {"b64": tables["x86_64"], "b32": tables["i386"]}
    status = {"enabled": 1, "failure": 1, "pid": 0, "rate_limit": 0, "backlog_limit": 8192, "lost": 0, "backlog": 0,
              "backlog_wait_time": 60000, "backlog_wait_time_actual": 0, "loginuid_immutable": 0}  # fmt: skip
    return {
        "distro": host.distro,
        "distro_version": host.version,
        "kernel": host.kernel,
        "machine": "x86_64",
        "audit_version": host.audit,
        "abis": ["b64", "b32"],
        "uid_min": 1000,
        "users": host.users,
        "groups": host.groups,
        "lists": {"setuid_files": host.setuid.split()},
        "status": status,
        "rules": [],
        "never_task": [],
        "paths": paths(host),
        "syscalls": {
            abi: {name: number for name, number in table.items() if number <= host.last} for abi, table in names.items()
        },
    }


def text(data: dict[str, Any]) -> str:
    """JSON with a path a line, and all else filled to the width of a page."""
    parts = []
    for name, value in data.items():
        if name == "paths":
            rows = [f"  {json.dumps(path)}: {json.dumps(about)}" for path, about in value.items()]
            parts.append(' "paths": {\n' + ",\n".join(rows) + "\n }")
        else:
            filled = textwrap.fill(json.dumps(value), 118, break_long_words=False, break_on_hyphens=False)
            parts.append(f" {json.dumps(name)}: " + filled.replace("\n", "\n  "))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> int:
    """Write the files; with --check only say which would change, and end with 1 then."""
    stale = []
    for name, host in HOSTS.items():
        file, wanted = HERE / f"{name}.json", text(facts(host))
        if not file.is_file() or file.read_text(encoding="utf-8") != wanted:
            stale.append(name)
            if "--check" not in sys.argv[1:]:
                file.write_text(wanted, encoding="utf-8")
    print(f"{len(HOSTS)} hosts, {len(stale)} {'stale' if '--check' in sys.argv[1:] else 'written'}: {', '.join(stale)}")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
