#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks Debian's newest LAUREL and the libraries it needs under build/bench/laurel, for bench.py; nothing is installed.
# Uses the machine's own apt mirror; ends with 0 and a word when the package is not to be had.
set -eu

suite=${LAUREL_SUITE:-trixie}
work=$(cd "$(dirname "$0")/../.." && pwd)/build/bench
target=$work/laurel
if [ -x "$target/usr/sbin/laurel" ]; then
	echo "LAUREL is in $target"
	exit 0
fi
if ! command -v mmdebstrap > /dev/null; then
	echo 'LAUREL skipped: mmdebstrap is not installed'
	exit 0
fi
# shellcheck disable=SC2016 # apt's own placeholder
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1)
if [ -z "$mirror" ]; then
	echo 'LAUREL skipped: apt has no Debian mirror'
	exit 0
fi
mkdir -p "$work"
rm -rf "$target"
if ! mmdebstrap --mode=auto --variant=extract --include=laurel "$suite" "$target" "$mirror"; then
	rm -rf "$target"
	echo "LAUREL skipped: $suite has no such package, or the mirror does not answer"
	exit 0
fi
echo "LAUREL is in $target"
