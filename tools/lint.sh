#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every linter over the tree; all of them run, the failed ones are named at the end.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

export NO_COLOR=1
failed=()
check() { # NAME COMMAND...
    local name=$1
    shift
    printf '%-16s' "$name"
    local output started=$SECONDS
    if output=$("$@" 2>&1); then
        echo "ok ($((SECONDS - started)) s)"
    else
        echo "FAILED: $*"
        echo "$output"
        failed+=("$name")
    fi
}

mapfile -t shell < <(git grep -lE '^#!.*\b(ba|da)?sh$' -- ':!*.md')

check "ruff" ruff check .
check "ruff format" ruff format --check .
# One run per tree: each has its own root of imports.
check "mypy plugins" mypy --strict --explicit-package-bases plugins
check "mypy collector" mypy --strict collector/src
check "mypy integrity" mypy --strict integrity/src
check "mypy tests" mypy --strict --explicit-package-bases tests/events tests/gate tests/collection molecule/faults/tests
check "mypy tools" env MYPYPATH=tools mypy --strict tools
check "yamllint" yamllint --strict .
check "ansible-lint" ansible-lint --offline -q
check "shellcheck" shellcheck -x "${shell[@]}"
check "auditpack lint" auditpack lint

if ((${#failed[@]})); then
    echo "failed: ${failed[*]}"
    exit 1
fi
