# shellcheck shell=sh disable=SC2154
# find_pip sets PIP_PYTHON to a Python 3.8 with pip: the one that find_python found, or an environment of it.

has_pip() { "$1" -m pip --version >/dev/null 2>&1; }

find_pip() {
    PIP_PYTHON=$PYTHON
    if has_pip "$PIP_PYTHON"; then return; fi
    PIP_PYTHON=$tools/pip/bin/python
    has_pip "$PIP_PYTHON" || "$UV" venv --quiet --clear --seed --python "$PYTHON" "$tools/pip"
}
