#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Print what a host holds, a line each, sorted: files with mode and owner (contents too where configuration lies), the
# kernel's rules, units, packages. Two prints of an untouched host are the same.
set -eu
export LC_ALL=C
{
	find /etc /boot /usr /opt -xdev \( -name __pycache__ -o -path /etc/alternatives \) -prune -o \
		! -type d -printf 'file %p %y %#m %u %g %l\n'
	find /etc /boot /usr /opt -xdev -name __pycache__ -prune -o -type d -printf 'directory %p %#m %u %g\n'
	find /etc /boot/grub -xdev -type f -exec sha256sum {} + | sed 's/^/content /'
	dpkg-query -W -f 'package ${Package} ${db:Status-Abbrev}\n' | grep ' ii '
	systemctl list-unit-files --no-legend | sed 's/^/unit /'
	if command -v auditctl >/dev/null; then
		auditctl -l | sed 's/^/rule /'
	fi
} | sort
