# shellcheck shell=sh
# holds FOLDER LOCK: whether an environment was made from this very lock and its wheels, and its interpreter is still there.
holds() { [ -x "$1/bin/python" ] && cmp -s "$2" "$1/$2" && holds_wheels "$1" "${2%.lock}.wheels"; }
holds_wheels() { [ ! -f "$2" ] || cmp -s "$2" "$1/$2"; }
