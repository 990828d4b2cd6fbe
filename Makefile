# Every target is one line that calls one Invoke task (tasks.py) in the project's environment, which is made
# on first use. `make` alone prints the help, from the comments behind ##.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

ifeq ($(wildcard esteira/setup/variables.mk),)
$(error Makefile: is that of another folder. Run: make -C FOLDER TARGET)
endif
# A variable given to make reaches the engine as an environment variable, unchanged: $(value) keeps make from
# expanding a $ in it. Only the command line counts, as a shell may hold an ENV or a DATA for other ends.
include esteira/setup/variables.mk
# What is typed wrongly is told before anything is done.
include esteira/setup/command_line.mk
$(foreach v,$(filter $(VARIABLES),$(given)),$(eval export ESTEIRA_$(or $($v_IS),$v) = $$(value $v)))

python := @sh esteira/setup/run.sh
dev := $(python) --dev
# A program of that environment.
tool := $(dev) --program
MOST_USED := deploy-full plan deploy status doctor predict serve rollback requests cloud-apply rehearse check help help-all
# Without the flag Invoke keeps no byte code of the engine, which would be compiled anew each time.
invoke := $(python) -m invoke --write-pyc

##@ Deploy
deploy-full: ## Build, train, evaluate and serve what is here (DATA=file.csv EPOCHS=n ISOLATION=container)
	$(invoke) deploy-full

plan: ## Show what a deploy would do here, and why (FORMAT=json, markdown or word; BASE=commit; DATA=file.csv)
	$(invoke) plan

deploy: ## Do what the plan says (FORCE=1 runs again; WAIT=0 returns at once)
	$(invoke) deploy

deploy-partial: ## Only run new modules, data, hyperparameters or settings; refuse where the plan is full
	$(invoke) deploy-partial

status: ## Show what is being deployed, what came of the last deploy, and what is served (FORMAT=json, markdown or word)
	$(invoke) status

cancel: ## End the deploy that runs in Google Cloud (ENV=name)
	$(invoke) cancel

logs: ## Show the log of the last deploy to Google Cloud (ENV=name FOLLOW=1)
	$(invoke) logs

rehearse: ## Deploy to Google Cloud's stand-ins on this machine, with faults (ENV=name FAULT=name)
	$(invoke) rehearse

doctor: ## Check what a deploy needs, on this machine or in a project, and say how to mend what is missing (ENV=name)
	$(invoke) doctor || sh esteira/setup/needs.sh $$?

##@ Use
serve: ## Serve the current release's model until Ctrl-C (PORT=8501)
	$(invoke) serve

predict: ## Ask for labels (TEXT="I love this film", FILE=texts.csv, or a CSV or JSON lines as input; FORMAT=json)
	$(invoke) predict

smoke: ## Ask the model that is served what it said at training, and what it must refuse (ENV=name FORMAT=json)
	$(invoke) smoke-served

traffic: ## Show how the traffic is split, or give a former release a share (RELEASE=id PERCENT=10)
	$(invoke) traffic

##@ Releases
releases: ## List the releases, the newest first (FORMAT=json)
	$(invoke) releases

show: ## Show a release (RELEASE=id, else the current one; FORMAT=json)
	$(invoke) show

diff: ## Compare two releases: parts, files, hyperparameters, metrics (A=id B=id FORMAT=json)
	$(invoke) diff

rollback: ## Serve the previous release again, without a build (RELEASE=id)
	$(invoke) rollback

lineage: ## Show what made a release or a model, and draw it (RELEASE=id MODEL=folder PART=digest FORMAT=json)
	$(invoke) lineage

gc: ## Remove what no kept release needs, after showing it (KEEP=10 YES=1)
	$(invoke) gc

##@ Request log
requests: ## Show the latest requests and answers (LIMIT=20 FORMAT=json)
	$(invoke) requests

daily: ## Show what each release answered on each day (FORMAT=json)
	$(invoke) daily

groundtruth: ## Tell what requests are in truth (FILE=truths.csv)
	$(invoke) groundtruth

accuracy: ## Show how often each release was right, where the truth is known (FORMAT=json)
	$(invoke) accuracy

views: ## Make the views again, and say what a month of them costs to read (ENV=name)
	$(invoke) views

erase: ## Erase requests for good (REQUEST=id,id YES=1)
	$(invoke) erase

load-log: ## Load requests that were logged elsewhere, by Vertex AI or AI Platform (FILE=requests.jsonl)
	$(invoke) load-log

##@ Google Cloud
cloud-plan: ## Show what is missing, different or superfluous in the project (ENV=name FORMAT=json)
	$(invoke) cloud-plan

cloud-apply: ## Make the project what it must be (ENV=name YES=1)
	$(invoke) cloud-apply

cloud-destroy: ## Remove from the project what cloud-apply made (ENV=name YES=1 FORCE=1)
	$(invoke) cloud-destroy

job: ## Write the job as Google Cloud gets it to build/job.json (ENV=name TARGET=vertex or ai_platform)
	$(invoke) job

##@ Model and data
data: ## Prepare the data under build/data, as a deploy does (DATA=file.csv)
	$(invoke) data

tune: ## Search for hyperparameters and write modules/best_hyperparameters (DATA=file.csv TRIALS=n)
	$(invoke) tune

schema: ## Show how the data differs from the curated schema (DATA=file.csv); ACCEPT=1 takes the new one
	$(invoke) schema

##@ Images
images: ## Make the builder and the runtime image; push them where a registry is set
	$(invoke) images

image-runtime: ## Make the image that the job's tasks run in
	$(invoke) image-runtime

image-builder: ## Make the image that the steps of a build run in
	$(invoke) image-builder

image-verify: ## Build both again from nothing, in other surroundings, and compare
	$(invoke) image-verify

image-load: ## Give both to Docker or Podman
	$(invoke) image-load

image-check: ## Import the pipeline and every executor inside the runtime image
	$(invoke) image-check

pins: ## Look the bases' tags up in their registries and rewrite docker/bases.toml
	$(invoke) pins

wheels: ## Fetch or build the wheels of requirements.lock, for the images and the environment
	$(invoke) wheels

wheels-check: ## Choose and build them again from nothing, and compare with requirements.wheels
	$(invoke) wheels-check

##@ Repository
settings: ## Show every setting in force, and what sets it
	$(invoke) settings

generate: ## Write what is made from other files: cloudbuild/*.yaml, docs/reference/, schema, make's variables
	$(invoke) generate

generate-check: ## Fail if one of these is not what it is made from
	$(invoke) generate --check

setup: ## Make the environment of requirements.lock; every target does so when it is needed
	$(python)

lock: ## Resolve requirements*.in to requirements*.lock, and name the wheels in requirements.wheels
	@sh esteira/setup/lock.sh

lock-upgrade: ## The same, with the newest versions that fit
	@sh esteira/setup/lock.sh --upgrade

lock-check: ## Fail if a lock is not what its .in file resolves to, or its wheels are not its own
	@sh esteira/setup/lock.sh --check

clean: ## Remove the state of the environment local: releases, models, logs, logged requests
	$(invoke) clean

version: ## Show the engine's version, or give out a new one: CHANGELOG, commit and tag, not pushed (VERSION=x.y.z)
	$(dev) -m invoke version

upgrade: ## Merge a newer version of the engine into this repository (VERSION=x.y.z)
	$(invoke) upgrade

##@ Develop
check: lint generate-check lock-check test ## Check all that must pass before a change lands

test: ## Run the tests
	$(dev) -m pytest

test-fast: ## Run the tests that take under ten seconds each
	$(dev) -m pytest -m "not slow"

lint: ## Check style, types, shell, YAML and workflows
	$(dev) -m ruff check .
	$(dev) -m ruff format --check .
	$(dev) -m mypy
	$(tool) shellcheck .ci/run .ci/*.sh esteira/setup/*.sh
	$(dev) -m yamllint --strict .
	$(dev) -m tests.workflows.lint

format: ## Lay the code out as lint wants it
	$(dev) -m ruff format .

coverage: ## Run the tests, and show how many of the engine's lines they run
	$(dev) -m tests.coverage_run

hooks: ## Have git run lint and generate-check before each commit
	$(dev) -m pre_commit install

changelog: ## Show what changes in the engine's next version, or changed in one (VERSION=x.y.z)
	$(dev) -m invoke changelog

changelog-check: ## Fail if the engine differs from the default branch, or BASE=commit, and changes/ does not tell
	$(invoke) changelog-check

bench: ## Run every bench and put the figures into docs (ONLY=plan,deploy; ONLY=rest goes on; two hours)
	$(python) -m bench

bench-docs: ## Put the figures of bench/results into docs
	$(python) -m bench.document

bench-plan: ## Time the plan, with 10,000 files and a CSV of 1 GB too
	$(python) -m bench.plan

bench-deploy: ## Time deploys to the stand-ins of Google Cloud against the original's Cloud Build files
	$(python) -m bench.deploy

bench-images: ## Time making and pushing images against docker build and buildah (40 minutes)
	$(python) -m bench.images

bench-run: ## Time the job runner against TFX's LocalDagRunner
	$(python) -m bench.run

bench-serve: ## Time the prediction server with wrk, beside a plain FastAPI and Keras server
	$(python) -m bench.serve

bench-log: ## Time loading and reading a million logged requests
	$(python) -m bench.log

##@ Help
help: ## Show the most used targets; behind it a target or a variable, as in: make help deploy
	@sh esteira/setup/help.sh $(if $(asked),about $(about),most $(MOST_USED))

help-all: ## Show all targets
	@sh esteira/setup/help.sh all

completion: ## Print what lets bash or zsh complete targets and variables: eval "$(make completion)"
	@sh esteira/setup/completion.sh

completion-fish: ## Print the same for fish: make completion-fish | source
	@sh esteira/setup/completion.sh fish

.PHONY: $(TARGETS)
