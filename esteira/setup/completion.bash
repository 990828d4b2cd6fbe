# Completes make in a clone of Esteira; elsewhere as it was completed before.
_esteira_before=$(complete -p make 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')

_esteira_make() {
    if [ ! -f esteira/setup/variables.mk ] || [ ! -f "$esteira_complete" ]; then
        case $_esteira_before in '' | _esteira_make) return ;; esac
        "$_esteira_before" "$@"
        return
    fi
    local words
    # bash takes "=" for the end of a word.
    read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:0:COMP_POINT} != *' ' ]] || words+=('')
    mapfile -t COMPREPLY < <(sh "$esteira_complete" "${words[@]:1}")
    if [[ ${words[-1]} == *=* && $COMP_WORDBREAKS == *=* ]]; then COMPREPLY=("${COMPREPLY[@]#*=}"); fi
    # A file's name is quoted where a shell needs that.
    if [[ -e ${COMPREPLY[0]-} ]]; then compopt -o filenames; fi
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/] ]]; then compopt -o nospace; fi
}
complete -o default -F _esteira_make make
