#!/bin/sh
# Makes the locks from the .in files, and names the wheels of requirements.lock; or with --check fails if they are stale.
# Usage: lock.sh [--check | --upgrade]
# A lock keeps the versions that it holds unless --upgrade is given, so a new release elsewhere makes no lock stale.
set -eu

here=esteira/setup
say() { printf '%s\n' "$*" >&2; }
new=
. "$here/uv.sh"
. "$here/python.sh"
. "$here/pip.sh"
folder=$(mktemp -d)
trap 'rm -rf "$folder"; [ -z "$new" ] || rm -rf "$new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

find_uv
find_python

# compile NAME: requirements NAME.in resolved to NAME.lock, in a folder of its own so that a failure changes nothing.
compile() {
    "$UV" pip compile --quiet --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
        --python "$PYTHON" --python-version 3.8 --python-platform x86_64-manylinux_2_28 "$1.in" -o "$1.lock"
}

# lock_wheels: what wheels are built with, and the wheels of requirements.lock. Those that the lock still has stay.
lock_wheels() {
    mkdir "$folder/docker"
    cp docker/build.in "$folder/docker"
    [ "${1:-}" = --upgrade ] || [ ! -f docker/build.lock ] || cp docker/build.lock "$folder/docker"
    [ ! -f requirements.wheels ] || cp requirements.wheels "$folder"
    find_pip
    top=$PWD
    (cd "$folder" && compile docker/build &&
        PYTHONPATH=$top ESTEIRA_STATE=${ESTEIRA_STATE:-$top/.esteira} \
            "$PIP_PYTHON" -m esteira.images.wheels.record requirements.lock docker/build.lock)
}

# made_from FILE: the file that it is made from.
made_from() {
    case $1 in
        *.wheels) echo "${1%.wheels}.lock" ;;
        *) echo "${1%.lock}.in" ;;
    esac
}

cp requirements*.in "$folder"
[ "${1:-}" = --upgrade ] || for lock in requirements*.lock; do [ ! -f "$lock" ] || cp "$lock" "$folder"; done
(cd "$folder" && compile requirements && for name in requirements-*.in; do compile "${name%.in}" || exit; done)
[ ! -f docker/build.in ] || lock_wheels "$@"

stale=
for lock in requirements.lock requirements-dev.lock requirements-thin.lock docker/build.lock requirements.wheels; do
    [ ! -f "$folder/$lock" ] || cmp -s "$folder/$lock" "$lock" || stale="$stale $lock"
done
if [ "${1:-}" != --check ]; then
    for lock in $stale; do
        cp "$folder/$lock" "$lock.new"
        mv "$lock.new" "$lock"
        say "wrote $lock"
    done
    [ -n "$stale" ] || say "The locks are up to date."
elif [ -n "$stale" ]; then
    for lock in $stale; do
        say "$lock: is not what $(made_from "$lock") gives:"
        diff -U0 "$lock" "$folder/$lock" 2>&1 | grep -E '^[-+][a-z0-9]' | head -20 >&2 || true
    done
    say "Expected each to be made from that. Run: make lock"
    exit 1
fi
