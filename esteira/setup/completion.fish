# Completes make in a clone of Esteira; elsewhere as fish does.
function __esteira_make
    set -l words (commandline --tokenize --cut-at-cursor --current-process) (commandline --current-token --cut-at-cursor)
    sh $esteira_complete $words[2..-1]
end

function __esteira_here
    test -f esteira/setup/variables.mk; and test -f $esteira_complete
end
complete --command make --condition __esteira_here --no-files --arguments '(__esteira_make)'

function __esteira_inv
    set -l words (commandline --tokenize)
    $words[1] --complete -- $words
end
complete --command inv --no-files --arguments '(__esteira_inv)'
