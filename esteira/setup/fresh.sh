# holds FOLDER LOCK: whether an environment was made from this very lock, and its interpreter is still there.
holds() { [ -x "$1/bin/python" ] && cmp -s "$2" "$1/$2"; }
