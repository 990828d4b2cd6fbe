#!/bin/sh
# Runs Python in the project's environment, and makes that environment first where it is missing or stale.
# Usage: run.sh [--dev] [--program NAME] ARGUMENT...      from the repository's top folder
# --dev layers the test and tool requirements (requirements-dev.lock) over the environment of requirements.lock.
# --program runs another program of the environment than Python.
# With ESTEIRA_THIN=1 the environment is that of requirements-thin.lock: what a deploy to Google Cloud takes here.
set -eu
# What a shell has for another Python would lead this one to that one's library, and its text into another encoding.
unset PYTHONHOME PYTHONIOENCODING

here=esteira/setup
venv=${ESTEIRA_VENV:-.venv}
lock=requirements.lock
if [ "${ESTEIRA_THIN:-}" = 1 ] && [ "${1:-}" != --dev ]; then
    venv=$venv-thin
    lock=requirements-thin.lock
fi
layer=$venv
if [ "${1:-}" = --dev ]; then
    layer=$venv-dev
    shift
fi
program=python
if [ "${1:-}" = --program ]; then
    program=$2
    shift 2
fi

. "$here/fresh.sh"
is_fresh() { holds "$venv" "$lock" && { [ "$layer" = "$venv" ] || holds "$layer" requirements-dev.lock; }; }

if ! is_fresh; then
    beside=$(dirname "$venv")
    if ! mkdir -p "$beside" || [ ! -w "$beside" ]; then
        printf '%s\n' "Set-up: the environment is to be made in $beside, which cannot be written." \
            "Name another folder: make TARGET VENV=folder" >&2
        exit 1
    fi
    if command -v flock >/dev/null; then
        # A second make that needs the same environment, in this clone or another, waits instead of racing the first.
        flock "$beside" sh "$here/make_environment.sh" "$venv" "$layer" "$lock"
    else
        sh "$here/make_environment.sh" "$venv" "$layer" "$lock"
    fi
fi
[ $# -gt 0 ] || exit 0
# Text is UTF-8, whatever the terminal's locale says.
PYTHONUTF8=1 exec "$layer/bin/$program" "$@"
