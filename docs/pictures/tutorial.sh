#!/bin/sh
# Makes the pictures of docs/tutorial.md: does what it tells, in a clone below FOLDER, which the pictures show.
# Usage: docs/pictures/tutorial.sh FOLDER      from the repository's top folder; needs chromium, pngquant and optipng
set -eu

repository=$(pwd)
pictures=$repository/docs/pictures
folder=$1/esteira
export ESTEIRA_VENV="${ESTEIRA_VENV:-$repository/.venv}"
export PYTHONUTF8=1
record() {
    picture=$1
    shift
    "$ESTEIRA_VENV/bin/python" "$pictures/record.py" "$pictures/$picture.svg" "$@" || true
}

git clone --quiet "$repository" "$folder"
cd "$folder"
record deploy --leave-out '^run: (… |metric |accuracy|example_count|macro_f1|.*(importer|resolver))|^compile: job|^image: ' \
    --cut '^smoke: (?!all)' -- make deploy-full
make predict TEXT="I love this film"

make serve &
serve=$!
trap 'kill -s INT "$(pgrep -P "$serve")"' EXIT
until curl --silent --fail --output /dev/null localhost:8501/readyz; do sleep 0.2; done
curl -si localhost:8501/v1/models/sentiment:predict \
    -d '{"instances": [{"text": "I love this film"}, {"text": "Not a dull minute."}]}' | tee /tmp/answer.txt
make requests
id=$(grep x-request-id /tmp/answer.txt | tr -cd 0-9)
printf '%s\n' request_id,row_number,label "$id,0,positive" "$id,1,positive" >/tmp/truths.csv
make groundtruth FILE=/tmp/truths.csv
make accuracy

sed -i 's/weights = np.sqrt(/weights = np.asarray(/' modules/training.py
record plan -- make plan
git -c user.name=You -c user.email=you@localhost commit --quiet --all --message "Weigh rare classes by their full rarity"
make deploy
make diff
make lineage

sed -i 's/at_least(gate.accuracy_lift)/at_least(0.2)/' pipeline/evaluation.py
make plan
make deploy-partial || true
git checkout pipeline

sed -i 's/"learning_rate": 0.002/"learning_rate": 2.0/' modules/best_hyperparameters/best_hyperparameters.txt
record gate --leave-out '^run: (… |.*(importer|resolver))' --cut '^(build |Step run|Its workspace|Nothing was)' -- make deploy
make status
git checkout modules

make rollback
record releases --columns 108 -- make releases
make predict TEXT="I love this film"

for picture in .esteira/lineage/*.html; do continue; done
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 --window-size=1200,1330 \
    --screenshot="$pictures/lineage.png" "file://$folder/$picture" 2>/dev/null
pngquant --force --output "$pictures/lineage.png" 32 "$pictures/lineage.png"
optipng -quiet -o5 -strip all "$pictures/lineage.png"
