# shellcheck shell=sh disable=SC2034,SC2154
# find_python sets PYTHON to a working Python 3.8. "Working" is tried, never told from a name: pyenv's shim
# python3.8 fails until a version is chosen, and an interpreter built without some library fails much later.

# 3.8.3 changed byte code (https://bugs.python.org/issue39562), which the digests of images follow from.
attempt() {
    "$1" -c 'import sys, bz2, ctypes, lzma, sqlite3, ssl, zlib
version = sys.version_info[:3]
if version[:2] != (3, 8): sys.exit("it is Python %d.%d" % version[:2])
if version < (3, 8, 3): sys.exit("it is Python %d.%d.%d; expected 3.8.3 or newer" % version)' 2>&1
}

works() { attempt "$1" >/dev/null; }

try_python() {
    tried="$tried
  $1: $2"
    if works "$2"; then PYTHON=$2; else return 1; fi
}

try_pyenv() {
    for version in "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/*/bin/python; do
        [ ! -x "$version" ] || ! try_python "a version of pyenv" "$version" || return 0
    done
    return 1
}

try_uv() {
    tried="$tried
  uv's own: uv python install 3.8"
    PYTHON=$("$UV" python find --managed-python 3.8 2>/dev/null) ||
        { "$UV" python install --quiet 3.8 >/dev/null 2>&1 && PYTHON=$("$UV" python find --managed-python 3.8 2>/dev/null); }
}

find_python() {
    tried=
    if [ -n "${ESTEIRA_PYTHON:-}" ]; then
        try_python ESTEIRA_PYTHON "$ESTEIRA_PYTHON" && return
        say "Set-up: ESTEIRA_PYTHON=$ESTEIRA_PYTHON is no working Python 3.8: $(attempt "$ESTEIRA_PYTHON" | tail -n 1)"
        say "Expected an interpreter of version 3.8 with ssl, sqlite3, ctypes, zlib, bz2 and lzma."
        say "Name another one, or unset ESTEIRA_PYTHON to have one looked for."
        exit 1
    fi
    try_python "on the PATH" python3.8 || try_pyenv || try_uv && return
    say "Set-up: no working Python 3.8 was found. Tried:$tried"
    say "Get one with: pyenv install 3.8.18   or: uv python install 3.8"
    say "If you have one elsewhere, name it: ESTEIRA_PYTHON=/path/to/python3.8 make ..."
    exit 1
}
