#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The local lab as the commands use it: its Terraform state, keys and inventory all lie in one folder.
#   tools/lab.sh images [STATE_DIR]   build the host images, nothing else
#   tools/lab.sh up     [STATE_DIR]   terraform apply; writes STATE_DIR/inventory.json and ssh.json
#   tools/lab.sh down   [STATE_DIR]   terraform destroy
# STATE_DIR is build/lab unless given; each has its own hosts, keys and ports. Images are shared. Variables of its hosts
# come from .config/<name of STATE_DIR>/group_vars, where there is such a folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

action=${1-}
state_dir=$(realpath -m "${2:-build/lab}")
lab=terraform/labs/local

export TF_DATA_DIR=$state_dir/.terraform TF_IN_AUTOMATION=1 TF_INPUT=0 TF_CLI_ARGS=-no-color CHECKPOINT_DISABLE=1
variables=(-var "state_dir=$state_dir")
state=(-state="$state_dir/terraform.tfstate")
terraform() { tools/terraform -chdir="$lab" "$@"; }

mkdir -p "$state_dir"
case $action in
    images)
        terraform init
        terraform apply -auto-approve "${state[@]}" "${variables[@]}" -target=terraform_data.image
        ;;
    up)
        terraform init
        terraform apply -auto-approve "${state[@]}" "${variables[@]}"
        terraform output "${state[@]}" -json inventory >"$state_dir/inventory.json"
        variables_of_hosts=$PWD/.config/${state_dir##*/}/group_vars
        [[ ! -d $variables_of_hosts ]] || ln -sfn "$variables_of_hosts" "$state_dir/group_vars"
        terraform output "${state[@]}" -json ssh >"$state_dir/ssh.json"
        ;;
    down)
        if [[ -e $state_dir/terraform.tfstate ]]; then
            terraform init
            terraform destroy -auto-approve "${state[@]}" "${variables[@]}"
        else
            echo "no lab in ${state_dir#"$PWD/"}"
        fi
        rm -f "$state_dir"/{inventory,ssh}.json
        ;;
    *)
        echo "tools/lab.sh: unknown action '$action' — give images, up or down" >&2
        exit 2
        ;;
esac
