#!/bin/sh
# Makes the picture of README.md: deploys a clone below FOLDER, and asks what is served then.
# Usage: docs/pictures/readme.sh FOLDER      from the repository's top folder
set -eu

repository=$(pwd)
pictures=$repository/docs/pictures
export ESTEIRA_VENV="${ESTEIRA_VENV:-$repository/.venv}"
export PYTHONUTF8=1

git clone --quiet "$repository" "$1/esteira"
cd "$1/esteira"
"$ESTEIRA_VENV/bin/python" "$pictures/record.py" "$pictures/readme.svg" --typed 'make deploy-full' \
    --leave-out '^(data|image|compile|release|promote): |^(model|release|logs)  |^No server|^make serve|^run: (… |metric |accuracy|example_count|macro_f1|.*(importer|resolver))|^smoke: (?!all)' \
    -- sh -c 'make deploy-full && printf "\n\033[1;32m$\033[0m make predict TEXT=\"I love this film\"\n" && make predict TEXT="I love this film"'
