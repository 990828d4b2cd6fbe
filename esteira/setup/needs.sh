#!/bin/sh
# Where the environment could not be made, prints what the set-up needs and how each thing stands, as make doctor does
# once there is a Python for it. Leaves with the status that it is given.
# Usage: needs.sh STATUS      from the repository's top folder
set -eu

here=esteira/setup
venv=${ESTEIRA_VENV:-.venv}
status=$1
free_gb=5
answer_s=10

say() { :; }
. "$here/fresh.sh"
. "$here/uv.sh"
. "$here/python.sh"

! holds "$venv" requirements.lock || exit "$status"

advice="What went wrong stands above: none of that is missing."
# found MARK NAME FOUND [REMEDY]
found() {
    [ "$1" != ✗ ] || advice="Mend what is marked ✗, then run: make doctor"
    printf '%s  %-14s %s%s\n' "$1" "$2" "$3" "${4:+    $4}" >&2
}

check_system() {
    system="$(uname -s) on $(uname -m)"
    case $system in
        "Linux on x86_64") found ✓ system "$system" ;;
        *) found ✗ system "$system" "Expected Linux on x86-64: use such a machine, or a container on it" ;;
    esac
}

check_python() {
    # In a shell of its own: it ends where it finds none.
    if python=$(find_python && echo "$PYTHON"); then
        found ✓ Python "$python"
    else
        found ✗ Python "no working 3.8, from 3.8.3 on" "Run: pyenv install 3.8.18   or: uv python install 3.8"
    fi
}

check_uv() {
    pip=
    for each in ${ESTEIRA_PYTHON:+"$ESTEIRA_PYTHON"} python3 python python3.8 "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.*/bin/python; do
        if "$each" -m pip --version >/dev/null 2>&1; then pip=$each; break; fi
    done
    UV=false
    for each in "$(command -v uv || true)" "$tools/uv-$uv_version/bin/uv"; do
        ! is_pinned_uv "$each" || { UV=$each; found ✓ uv "$each"; return; }
    done
    if [ -n "$pip" ]; then
        found ✓ uv "is fetched by pip of $pip"
    else
        found ✗ uv "neither uv $uv_version nor a Python with pip" "Debian: apt-get install python3-pip"
    fi
}

check_index() {
    if [ -z "$pip" ]; then
        found '?' "package index" "cannot be asked without pip"
    elif "$pip" -m pip download --quiet --no-input --disable-pip-version-check --retries 0 --timeout $answer_s --no-deps \
        --dest "$scratch" --require-hashes -r "$here/uv.txt" >/dev/null 2>&1; then
        found ✓ "package index" "answers pip"
    else
        found ✗ "package index" "pip gets no answer from it" \
            "Check the network and HTTPS_PROXY, or set PIP_INDEX_URL. See: $pip -m pip config list"
    fi
}

check_folder() {
    if (: >"$beside/.needs") 2>/dev/null; then
        rm -f "$beside/.needs"
        found ✓ folder "$beside can be written"
    else
        found ✗ folder "$beside cannot be written" "Run: ls -ld $beside    Or give another one: VENV=folder"
    fi
}

check_disk() {
    free=$(($(df -Pk "$beside" | awk 'END { print $4 }') / 1000000))
    if [ "$free" -ge $free_gb ]; then
        found ✓ disk "$free GB free at $beside"
    else
        found ✗ disk "$free GB free at $beside" "Expected $free_gb GB, or another folder: VENV=folder"
    fi
}

check_git() {
    if command -v git >/dev/null; then
        found ✓ git "$(git --version | cut -d' ' -f3)"
    else
        found ✗ git "is not on the PATH" "Install git, version 2.18 or newer: releases are made of commits"
    fi
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
beside=$(dirname "$venv")
while [ ! -d "$beside" ]; do beside=$(dirname "$beside"); done

printf '\nThere is no environment yet. What its set-up needs:\n' >&2
check_system
check_uv
check_python
check_index
check_folder
check_disk
check_git
printf '%s\n' "$advice" >&2
exit "$status"
