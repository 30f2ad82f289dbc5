#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a failed stage leaves on the hosts: audit status, journal, last events. Usage: tools/diagnose.sh INVENTORY
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ! -e ${1-} ]]; then
    echo "tools/diagnose.sh: no inventory at '${1-}' — the hosts were never up"
    exit 0
fi
# shellcheck disable=SC2016 # expanded on the hosts
exec ansible lab -i "$1" -m ansible.builtin.raw -a '
    export SYSTEMD_COLORS=0 SYSTEMD_PAGER=cat TERM=dumb
    echo "--- status"; auditctl -s
    echo "--- failed units"; systemctl --failed --no-legend
    echo "--- journal"; journalctl -b -p notice -n 25 --no-pager -o short
    echo "--- auditd"; journalctl -b -u auditd -n 10 --no-pager -o short
    echo "--- collector"; cat /var/lib/auditpack/collector/status.json
    echo "--- last events"; tail -n 3 /var/log/auditpack/events.jsonl | cut -c1-600'
