#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fmt, validate and test every Terraform module and lab. labs/aws needs its provider: from a mirror on this disk (a folder
# that holds registry.terraform.io/hashicorp/aws), else from the network; with neither it is left out, and that is said.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export CHECKPOINT_DISABLE=1

echo "fmt"
tools/terraform fmt -check -diff -recursive terraform

find_mirror() { # print the folder that holds registry.terraform.io/hashicorp/aws, if this disk has one
    local found
    found=$(find "${TF_MIRROR:-/}" -xdev -maxdepth 7 -path '*/registry.terraform.io/hashicorp/aws' -type d -not -path '*/.terraform/*' -print -quit)
    [[ -z $found ]] || printf '%s\n' "${found%/registry.terraform.io/hashicorp/aws}"
}

init() { # MODULE
    local module=$1 mirror
    if ! grep -rqE 'hashicorp/aws' "$module" --include='*.tf'; then
        tools/terraform -chdir="$module" init -input=false >"$scratch/init.log" 2>&1
        return
    fi
    mirror=$(find_mirror)
    if [[ -n $mirror ]]; then
        echo "  provider hashicorp/aws from a mirror on this disk"
        printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "$mirror" >"$scratch/mirror.tfrc"
        TF_CLI_CONFIG_FILE=$scratch/mirror.tfrc tools/terraform -chdir="$module" init -input=false >"$scratch/init.log" 2>&1
    else
        timeout 120 tools/terraform -chdir="$module" init -input=false >"$scratch/init.log" 2>&1
    fi
}

skipped=()
while IFS= read -r module; do
    echo "$module"
    export TF_DATA_DIR=$scratch/${module//\//-}
    if ! init "$module"; then
        cat "$scratch/init.log"
        if grep -q 'hashicorp/aws' "$scratch/init.log" && [[ $module == */aws ]]; then
            skipped+=("$module")
            continue
        fi
        exit 1
    fi
    tools/terraform -chdir="$module" validate
    if compgen -G "$module/tests/*.tftest.hcl" >/dev/null; then
        tools/terraform -chdir="$module" test
    fi
done < <(git ls-files 'terraform/*.tf' | xargs -n1 dirname | sort -u)

((${#skipped[@]} == 0)) || echo "SKIPPED, no provider (neither a mirror on this disk nor the network): ${skipped[*]}"
