#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks LAUREL of Debian's newest suite and the libraries it needs under build/bench/laurel, for bench.py; nothing is
# installed. Uses the machine's own apt mirror; ends with 0 and a word when the package is not to be had.
# Not the stable suite: trixie's 0.7.1 takes quadratic time over long hex arguments and would make a cheap rival.
set -eu

suite=${LAUREL_SUITE:-sid}
work=$(cd "$(dirname "$0")/../.." && pwd)/build/bench
target=$work/laurel
skip() {
	echo "LAUREL skipped: $1"
	exit 0
}
if [ -x "$target/usr/sbin/laurel" ] && [ "$(cat "$target/suite")" = "$suite" ]; then
	exit 0
fi
command -v mmdebstrap > /dev/null || skip 'mmdebstrap is not installed'
# shellcheck disable=SC2016 # apt's own placeholder
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1)
[ -n "$mirror" ] || skip 'apt has no Debian mirror'
mkdir -p "$work"
rm -rf "$target"
# A mirror that lags has an expired index; its signature is checked all the same.
if ! mmdebstrap --quiet --mode=auto --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' --include=laurel "$suite" "$target" "$mirror"; then
	rm -rf "$target"
	skip "$suite has no such package, or the mirror does not answer"
fi
echo "$suite" > "$target/suite"
