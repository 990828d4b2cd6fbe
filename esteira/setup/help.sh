#!/bin/sh
# Prints help, in colours where a person reads it on a terminal, and as wide as that is.
# Usage: help.sh most TARGET...     those targets of the Makefile, in its groups
#        help.sh all                every target
#        help.sh about LINE...      kind|name|text, as the kinds below
# https://no-color.org, https://force-color.org
set -eu

is_coloured() {
    [ -z "${NO_COLOR:-}" ] || return 1
    [ -z "${FORCE_COLOR:-}" ] || return 0
    [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]
}

# The Makefile's groups and targets, as group||name and target|name|text.
of_makefile() { sed -n 's/^##@ /group||/p; s/^\([a-z][a-z-]*\):.*## /target|\1|/p' Makefile; }

# show: print lines of kind|name|text; a group of which nothing is shown is left out.
show() {
    coloured=0
    ! is_coloured || coloured=1
    width=
    [ ! -t 1 ] || width=$(stty size 2>/dev/null </dev/tty | cut -d' ' -f2)
    LC_ALL=C awk -v coloured="$coloured" -v width="${width:-0}" -v most=" ${most:-} " '
    function paint(code, text) { return coloured ? "\033[" code "m" text "\033[0m" : text }
    # Print what stands left, and beside it a text, as wide as the terminal is.
    function beside(left, length_of_left, indent, text,    words, count, i, line) {
        printf "%s%*s", left, indent - length_of_left, ""
        count = split(text, words, " ")
        line = ""
        for (i = 1; i <= count; i++) {
            if (line != "" && width && indent + length(line) + 1 + length(words[i]) > width) {
                print line; printf "%*s", indent, ""; line = ""
            }
            line = line (line == "" ? "" : " ") words[i]
        }
        print line
    }
    {
        kind = $0; sub(/[|].*/, "", kind); rest = substr($0, length(kind) + 2)
        name = rest; sub(/[|].*/, "", name); text = substr(rest, length(name) + 2)
    }
    kind == "group" { group = text }
    kind == "target" && (most == "  " || index(most, " " name " ")) {
        if (group != "") print (shown++ ? "\n" : "") paint("1", group)
        group = ""
        beside("  make " paint("36", name), 7 + length(name), 23, text)
    }
    kind == "command" { print ""; beside(paint("1;36", "make " name), 5 + length(name), 23, text) }
    kind == "value" { beside("  " paint("36", name), 2 + length(name), 23, text) }
    kind == "more" { beside("", 0, 23, text) }
    kind == "text" { beside("", 0, 0, text) }
    kind == "line" { print "" }'
}

kind=$1
shift
case $kind in
    most)
        echo 'Usage: make TARGET [VARIABLE=value ...]'
        echo '       on this machine, or with ENV=name in Google Cloud'
        echo
        of_makefile | most="$*" show
        ;;
    all) of_makefile | show ;;
    about) printf '%s\n' "$@" | show ;;
esac
