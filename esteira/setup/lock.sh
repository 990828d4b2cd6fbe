#!/bin/sh
# Makes the locks from the .in files, or with --check fails if they are stale.
# Usage: lock.sh [--check | --upgrade]
# A lock keeps the versions that it holds unless --upgrade is given, so a new release elsewhere makes no lock stale.
set -eu

here=esteira/setup
say() { printf '%s\n' "$*" >&2; }
new=
. "$here/uv.sh"
. "$here/python.sh"
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

cp requirements*.in "$folder"
[ "${1:-}" = --upgrade ] || for lock in requirements*.lock; do [ ! -f "$lock" ] || cp "$lock" "$folder"; done
(cd "$folder" && compile requirements && compile requirements-dev)
if [ -f docker/build.in ]; then
    mkdir "$folder/docker"
    cp docker/build.in "$folder/docker"
    [ "${1:-}" = --upgrade ] || [ ! -f docker/build.lock ] || cp docker/build.lock "$folder/docker"
    (cd "$folder" && compile docker/build)
fi

stale=
for lock in requirements.lock requirements-dev.lock; do
    cmp -s "$folder/$lock" "$lock" || stale="$stale $lock"
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
        say "$lock: is not what ${lock%.lock}.in resolves to:"
        diff -U0 "$lock" "$folder/$lock" | grep -E '^[-+][a-z0-9]' | head -20 >&2 || true
    done
    say "Expected each lock to be made from its .in file. Run: make lock"
    exit 1
fi
