# shellcheck shell=sh disable=SC2154
# find_uv sets UV to the uv of the pinned version (uv.txt): the one on the PATH, or one in a folder of ours.

uv_version=$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' "$here/uv.txt")
tools=${XDG_CACHE_HOME:-${HOME:-}/.cache}/esteira
case $tools in
    # Without a home there is no cache but the repository's own; a relative one would be made anywhere.
    /.cache/* | [!/]*) tools=$PWD/.tools ;;
    *) mkdir -p "$tools" 2>/dev/null && [ -w "$tools" ] || tools=$PWD/.tools ;;
esac

is_pinned_uv() { [ "$("$1" --version 2>/dev/null | cut -d' ' -f2)" = "$uv_version" ]; }

find_uv() {
    UV=$(command -v uv || true)
    if [ -n "$UV" ] && is_pinned_uv "$UV"; then return; fi
    UV=$tools/uv-$uv_version/bin/uv
    is_pinned_uv "$UV" || install_uv
}

# Any Python with pip can unpack the wheel; it need not be 3.8.
install_uv() {
    if ! mkdir -p "$tools"; then
        say "Expected a folder for uv $uv_version. Name one that can be written: XDG_CACHE_HOME=/path make ..."
        exit 1
    fi
    new=$tools/uv-$uv_version.new.$$
    for python in ${ESTEIRA_PYTHON:+"$ESTEIRA_PYTHON"} python3 python python3.8 "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.*/bin/python; do
        "$python" -m pip --version >/dev/null 2>&1 || continue
        say "Set-up: installing uv $uv_version into $tools"
        # As variables, what an old pip does not know is passed over.
        PIP_ROOT_USER_ACTION=ignore PIP_REQUIRE_VIRTUALENV=0 PIP_USER=0 \
            "$python" -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
            --require-hashes --no-deps --target "$new" -r "$here/uv.txt" >&2 || { rm -rf "$new"; continue; }
        # Another clone may have been faster.
        is_pinned_uv "$UV" || { rm -rf "$tools/uv-$uv_version" && mv "$new" "$tools/uv-$uv_version"; }
        rm -rf "$new"
        new=
        return
    done
    say "Set-up: uv $uv_version is not installed, and no Python with pip was found to install it."
    say "Tried: uv on the PATH, $UV, and pip of python3, python, python3.8 and pyenv's versions."
    say "Install pip (Debian: apt-get install python3-pip) or uv $uv_version, then run the command again."
    exit 1
}
