#!/bin/sh
# Prints what the last word of a line "make WORD... LAST" may become, one a line, in the folder of a Makefile of Esteira:
# targets, the variables that the targets before it take, and what may stand in one.
# Usage: complete.sh WORD... LAST
set -eu

variables=esteira/setup/variables.mk
[ -f "$variables" ] || exit 0

line_of() { sed -n "s/^$1 := //p" "$variables"; }

targets() { sed -n 's/^\([a-z][a-z-]*\):.*## .*/\1/p' Makefile; }

# Of the lines that come in, print those that begin with what stands there.
begin() {
    while read -r each; do
        case $each in "$last"*) printf '%s\n' "$each" ;; esac
    done
}

takes() { case " $(line_of "$1_OF") " in *" $2 "*) ;; *) return 1 ;; esac; }

values() {
    for goal in $goals; do
        words=$(line_of "$1_MAY_BE_$goal")
        [ -z "$words" ] || { printf '%s\n' "$words"; return; }
    done
    case $1 in
        ENV) printf 'local '; sed -n 's/^\[environments\.\([A-Za-z0-9_-]*\)].*/\1/p' esteira.toml ;;
        A | B | RELEASE) for each in "$state"/bucket/*/releases/*/; do [ ! -d "$each" ] || basename "$each"; done ;;
        *) line_of "$1_MAY_BE" ;;
    esac
}

files() {
    for each in "${last#*=}"*; do
        [ ! -e "$each" ] || { [ -d "$each" ] && each=$each/; printf '%s=%s\n' "$1" "$each"; }
    done
}

goals=
given=
state=.esteira
while [ $# -gt 1 ]; do
    case $1 in
        STATE=*) state=${1#*=} given="$given STATE" ;;
        [A-Z]*=*) given="$given ${1%%=*}" ;;
        -*) ;;
        *) goals="$goals $1" ;;
    esac
    shift
done
last=${1:-}

case $last in
    DATA=* | FILE=* | MODEL=* | STATE=* | VENV=*) files "${last%%=*}" ;;
    [A-Z]*=*) for each in $(values "${last%%=*}"); do echo "${last%%=*}=$each"; done | begin ;;
    -*) ;;
    *)
        case " $goals " in
            "  ") targets | begin ;;
            # Behind help, a variable is named alone.
            *" help "*)
                { targets; line_of VARIABLES | tr ' ' '\n'; } | begin
                exit
                ;;
        esac
        for name in $(line_of VARIABLES); do
            case " $given " in *" $name "*) continue ;; esac
            for goal in $goals; do
                if takes "$name" "$goal"; then echo "$name=" | begin; break; fi
            done
        done
        [ -z "$goals" ] || for name in $(line_of OF_EVERY_TARGET); do echo "$name="; done | begin
        ;;
esac
