# Completes make in a clone of Esteira; elsewhere as zsh does.
if ! whence compdef >/dev/null; then autoload -Uz compinit && compinit -D; fi

_esteira_make() {
    if [[ ! -f esteira/setup/variables.mk || ! -f $esteira_complete ]]; then
        _make
        return
    fi
    local each
    local -a found open
    for each in ${(f)"$(sh $esteira_complete ${words[2,$CURRENT]})"}; do
        if [[ $each == *[=/] ]]; then open+=$each; else found+=$each; fi
    done
    [[ -z $found ]] || compadd -- $found
    [[ -z $open ]] || compadd -S '' -- $open
}
compdef _esteira_make make
