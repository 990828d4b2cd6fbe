# Made by make generate from esteira/variables.py; do not edit.
# Of each variable: the targets that read it, the name that it is handed on by where that is another (_IS), what may
# stand in it, of all targets or of one, where that is one of a few words, and what make help TARGET tells of it.
VARIABLES := A ACCEPT B BASE DATA ENV EPOCHS FAULT FILE FOLLOW FORCE FORMAT ISOLATION KEEP LIMIT MODEL ONLY PART PERCENT PORT RELEASE REQUEST STATE TARGET TEXT TRIALS VENV VERSION WAIT YES
OF_EVERY_TARGET := STATE VENV
A_OF := diff
A_EXAMPLE := A=5fd1a6b2c3d4
A_MEANS := The release to compare
A_VALUES := a release's id
A_ELSE := the current one's parent
ACCEPT_OF := schema
ACCEPT_MAY_BE := 1 0
ACCEPT_EXAMPLE := ACCEPT=1
ACCEPT_MEANS := Make the proposed schema the curated one
ACCEPT_VALUES := 1 or 0
ACCEPT_ELSE := 0
B_OF := diff
B_EXAMPLE := B=0a1b2c3d4e5f
B_MEANS := The release to compare with
B_VALUES := a release's id
B_ELSE := the current one
BASE_OF := changelog-check plan
BASE_EXAMPLE := BASE=HEAD~1
BASE_MEANS := The commit to compare with
BASE_VALUES := a hash, a branch or a tag
BASE_ELSE := what is deployed; for changelog-check the default branch
DATA_OF := data deploy deploy-partial deploy-full plan rehearse schema settings tune
DATA_IS := DATA_FILE
DATA_EXAMPLE := DATA=headlines.csv
DATA_MEANS := The CSV to train on
DATA_VALUES := a file's path, from the repository's top
DATA_ELSE := the setting's
ENV_OF := accuracy cancel cloud-apply cloud-destroy cloud-plan daily deploy deploy-full deploy-partial diff doctor erase gc groundtruth job lineage load-log logs plan predict rehearse releases requests rollback serve show smoke status traffic views image-builder image-runtime images pins settings
ENV_EXAMPLE := ENV=dev
ENV_MEANS := The environment that is meant
ENV_VALUES := local, or a name below [environments] in esteira.toml
ENV_ELSE := local; of make rehearse dev
EPOCHS_OF := deploy deploy-partial deploy-full job plan rehearse settings
EPOCHS_IS := TRAINING_EPOCHS
EPOCHS_EXAMPLE := EPOCHS=3
EPOCHS_MEANS := How often training goes over the data
EPOCHS_VALUES := a number from 1 on
EPOCHS_ELSE := the setting's
FAULT_OF := rehearse
FAULT_MAY_BE := expired api role region passing denied quota log task blessing none
FAULT_EXAMPLE := FAULT=none
FAULT_MEANS := The one fault to rehearse
FAULT_VALUES := a fault's name, or none
FAULT_ELSE := all of them
FILE_OF := groundtruth load-log predict
FILE_EXAMPLE := FILE=texts.csv
FILE_MEANS := What is read: texts to ask about, truths, or logged requests
FILE_VALUES := a file's path
FILE_ELSE := of make predict the standard input
FOLLOW_OF := logs
FOLLOW_MAY_BE := 1 0
FOLLOW_EXAMPLE := FOLLOW=1
FOLLOW_MEANS := Go on until the deploy has ended
FOLLOW_VALUES := 1 or 0
FOLLOW_ELSE := 0
FORCE_OF := deploy deploy-partial deploy-full cloud-destroy
FORCE_MAY_BE := 1 0
FORCE_EXAMPLE := FORCE=1
FORCE_MEANS := Deploy though nothing changed or the commit is an older one; remove what is not empty, too
FORCE_VALUES := 1 or 0
FORCE_ELSE := 0
FORMAT_OF := accuracy cloud-plan daily diff lineage plan predict releases requests show smoke status
FORMAT_MAY_BE := table json
FORMAT_MAY_BE_plan := table json markdown word
FORMAT_MAY_BE_status := text json markdown word
FORMAT_MAY_BE_predict := table json csv
FORMAT_EXAMPLE := FORMAT=json
FORMAT_MEANS := The form that the result is shown in
FORMAT_VALUES := table or json; of make plan markdown and word too; of make status text, json, markdown or word; of make predict csv too
FORMAT_ELSE := table; of make status text; of make predict in a pipe json
ISOLATION_OF := deploy deploy-partial deploy-full settings
ISOLATION_IS := RUN_ISOLATION
ISOLATION_MAY_BE := fork process container
ISOLATION_EXAMPLE := ISOLATION=container
ISOLATION_MEANS := What each task of a job on this machine runs in
ISOLATION_VALUES := fork, process or container
ISOLATION_ELSE := the setting's
KEEP_OF := gc
KEEP_EXAMPLE := KEEP=5
KEEP_MEANS := How many releases to keep
KEEP_VALUES := a number from 1 on
KEEP_ELSE := 10
LIMIT_OF := requests
LIMIT_EXAMPLE := LIMIT=50
LIMIT_MEANS := How many requests to show
LIMIT_VALUES := a number from 1 on
LIMIT_ELSE := 20
MODEL_OF := lineage
MODEL_EXAMPLE := MODEL=serving/1790000000
MODEL_MEANS := The model whose origin is asked for
MODEL_VALUES := a pushed model's folder or URI
MODEL_ELSE := none
ONLY_OF := bench
ONLY_EXAMPLE := ONLY=plan,deploy
ONLY_MEANS := The benches to run
ONLY_VALUES := names with commas: deploy, images, run, plan, serve, log; or rest, those without figures of this commit
ONLY_ELSE := all of them
PART_OF := lineage
PART_EXAMPLE := PART=sha256:5fd1a6
PART_MEANS := The part whose releases are asked for
PART_VALUES := a digest
PART_ELSE := none
PERCENT_OF := traffic
PERCENT_EXAMPLE := PERCENT=10
PERCENT_MEANS := The share of the traffic that RELEASE gets
PERCENT_VALUES := 0 to 99; 0 ends the split
PERCENT_ELSE := none
PORT_OF := serve settings
PORT_IS := SERVING_PORT
PORT_EXAMPLE := PORT=8502
PORT_MEANS := Where the prediction server listens
PORT_VALUES := 0 to 65535
PORT_ELSE := the setting's
RELEASE_OF := lineage rollback show traffic
RELEASE_EXAMPLE := RELEASE=5fd1a6b2c3d4
RELEASE_MEANS := The release that is meant
RELEASE_VALUES := a release's id
RELEASE_ELSE := the current one; of make rollback the previous one
REQUEST_OF := erase
REQUEST_EXAMPLE := REQUEST=4611686018427387904
REQUEST_MEANS := The requests to erase
REQUEST_VALUES := numbers of requests, with commas
REQUEST_ELSE := none
STATE_EXAMPLE := STATE=/data/esteira
STATE_MEANS := The folder of the environment local: releases, models, logs
STATE_VALUES := a folder's path
STATE_ELSE := .esteira
TARGET_OF := deploy deploy-partial deploy-full job plan settings
TARGET_IS := CLOUD_TARGET
TARGET_MAY_BE := vertex ai_platform
TARGET_EXAMPLE := TARGET=ai_platform
TARGET_MEANS := The form of the job in Google Cloud
TARGET_VALUES := vertex or ai_platform
TARGET_ELSE := the setting's
TEXT_OF := predict
TEXT_EXAMPLE := TEXT="I love this film"
TEXT_MEANS := The text to ask about
TEXT_VALUES := any text
TEXT_ELSE := none
TRIALS_OF := tune settings
TRIALS_IS := TUNING_TRIALS
TRIALS_EXAMPLE := TRIALS=20
TRIALS_MEANS := How many hyperparameters to try
TRIALS_VALUES := a number from 1 on
TRIALS_ELSE := the setting's
VENV_EXAMPLE := VENV=/data/venv
VENV_MEANS := The folder of the Python environment; that of the tests is beside it, with -dev
VENV_VALUES := a folder's path
VENV_ELSE := .venv
VERSION_OF := changelog upgrade version
VERSION_EXAMPLE := VERSION=0.2.0
VERSION_MEANS := The version of the engine
VERSION_VALUES := three numbers, as in 0.2.0
VERSION_ELSE := the newest; for changelog the next one, for version the present one
WAIT_OF := deploy deploy-partial deploy-full
WAIT_MAY_BE := 1 0
WAIT_EXAMPLE := WAIT=0
WAIT_MEANS := Wait until the deploy has ended
WAIT_VALUES := 1 or 0
WAIT_ELSE := 1
YES_OF := cloud-apply cloud-destroy erase gc
YES_MAY_BE := 1 0
YES_EXAMPLE := YES=1
YES_MEANS := Do it without asking a person
YES_VALUES := 1 or 0
YES_ELSE := 0
