#!/bin/sh
# Makes the environment VENV from LOCK and, where LAYER differs, the layer of requirements-dev.lock over it.
# Usage: make_environment.sh VENV LAYER LOCK
# Each is built under a temporary name and renamed when it is whole, so an interrupted set-up leaves nothing half-made.
set -eu

here=esteira/setup
venv=$1
layer=$2
lock=$3
new=

say() { printf '%s\n' "$*" >&2; }
. "$here/fresh.sh"
. "$here/uv.sh"
. "$here/python.sh"
. "$here/pip.sh"

remove_unfinished() { [ -z "$new" ] || rm -rf "$new"; }
trap remove_unfinished EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# build FOLDER LOCK: a relocatable environment of the lock, its byte code compiled, put in place by a rename.
build() {
    say "Set-up: making $1 from $2 (once; a minute or so)"
    new=$1.new
    rm -rf "$new"
    "$UV" venv --quiet --relocatable --python "$PYTHON" "$new"
    install "$2"
    [ "$1" = "$venv" ] || layer_over_runtime
    cp "$2" "$new/$2"
    [ ! -f "${2%.lock}.wheels" ] || cp "${2%.lock}.wheels" "$new/${2%.lock}.wheels"
    rm -rf "$1"
    mv "$new" "$1"
    new=
}

# install LOCK: the very wheels that the images are made of, where they are named and fit this machine; else what uv
# chooses from the lock.
install() {
    if has_wheels "$1"; then
        find_pip
        links=$("$PIP_PYTHON" -m esteira.images.wheels.fill "$1")
        set -- --no-index --find-links "$links" -r "${1%.lock}.wheels"
    else
        set -- -r "$1"
    fi
    "$UV" pip install --quiet --require-hashes --compile-bytecode --python "$new/bin/python" "$@"
}

has_wheels() {
    [ -f "${1%.lock}.wheels" ] && "$PYTHON" -c 'import platform, sys
sys.exit((sys.platform, platform.machine(), platform.libc_ver()[0]) != ("linux", "x86_64", "glibc"))'
}

# The layer sees the runtime environment beside it. A .pth line, since PYTHONPATH would ignore the runtime's own .pth files.
layer_over_runtime() {
    packages=$("$new/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    runtime=${venv##*/}
    printf 'import os, site, sys; site.addsitedir(os.path.join(os.path.dirname(sys.prefix), "%s", "lib", "python3.8", "site-packages"))\n' \
        "$runtime" >"$packages/zz_runtime.pth"
}

find_uv
find_python
holds "$venv" "$lock" || build "$venv" "$lock"
[ "$layer" = "$venv" ] || holds "$layer" requirements-dev.lock || build "$layer" requirements-dev.lock
