#!/bin/sh
# Prints what lets a shell complete targets of make and their variables, and Invoke's tasks.
# Usage: completion.sh [fish]      without it, lines for bash and for zsh
# shellcheck disable=SC2016
set -eu

here=esteira/setup
inv=${ESTEIRA_VENV:-.venv}/bin/inv
complete=$PWD/$here/complete.sh

quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# The script of Invoke, if it is there, with the program that was typed in place of one that must be on the PATH.
of_invoke() {
    [ ! -x "$inv" ] || "$inv" "--print-completion-script=$1" | sed "s|$2|$3|"
}

if [ "${1:-}" = fish ]; then
    printf 'set -g esteira_complete %s\n' "$(quoted "$complete")"
    cat "$here/completion.fish"
else
    printf 'esteira_complete=%s\n' "$(quoted "$complete")"
    echo 'if [ -n "${ZSH_VERSION:-}" ]; then'
    cat "$here/completion.zsh"
    of_invoke zsh 'invoke \${=collection_arg}' '${words[1]} ${=collection_arg}'
    echo 'else'
    cat "$here/completion.bash"
    of_invoke bash 'invoke --complete' '"${COMP_WORDS[0]}" --complete'
    echo 'fi'
fi
