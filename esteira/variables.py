"""The variables that stand behind a target of make, as in `make gc KEEP=5`: the one table of them.

The Makefile hands each on as ESTEIRA_<name>, or as the setting that it stands for. docs/reference/targets.md is made
of this.
"""

from typing import Dict, List, Mapping, NamedTuple, Tuple

from esteira.formats import FORMATS

# The targets that mean another environment with ENV=. Below the edge commands are named without it.
OF_AN_ENVIRONMENT = (
    *("accuracy", "cancel", "cloud-apply", "cloud-destroy", "cloud-plan", "daily", "deploy", "deploy-full"),
    *("deploy-partial", "diff", "doctor", "erase", "gc", "groundtruth", "job", "lineage", "load-log", "logs", "plan"),
    *("predict", "rehearse", "releases", "requests", "rollback", "serve", "show", "smoke", "status", "traffic"),
    "views",
)
DEPLOYS = ("deploy", "deploy-partial", "deploy-full")
# Stands for every target.
EVERY: Tuple[str, ...] = ()
# What FORMAT= may be, where it is not a table or JSON.
OTHER_FORMATS: Dict[str, Tuple[str, ...]] = {
    "plan": ("table", "json", "markdown", "word"),
    "status": ("text", "json", "markdown", "word"),
    "predict": ("table", "json", "csv"),
}


class Variable(NamedTuple):
    """A variable: what it means, what may stand in it, what holds without it, and the targets that read it."""

    meaning: str
    values: str
    default: str
    example: str
    targets: Tuple[str, ...]
    # The setting that it stands for, as "section.key"; "" if it is of its targets alone.
    setting: str = ""


VARIABLES: Mapping[str, Variable] = {
    "A": Variable("The release to compare", "a release's id", "the current one's parent", "A=5fd1a6b2c3d4", ("diff",)),
    "ACCEPT": Variable("Make the proposed schema the curated one", "1 or 0", "0", "ACCEPT=1", ("schema",)),
    "B": Variable("The release to compare with", "a release's id", "the current one", "B=0a1b2c3d4e5f", ("diff",)),
    "BASE": Variable(
        "The commit to compare with",
        "a hash, a branch or a tag",
        "what is deployed; for changelog-check the default branch",
        "BASE=HEAD~1",
        ("changelog-check", "plan"),
    ),
    "DATA": Variable(
        "The CSV to train on",
        "a file's path, from the repository's top",
        "the setting's",
        "DATA=headlines.csv",
        ("data", *DEPLOYS, "plan", "rehearse", "schema", "settings", "tune"),
        "data.file",
    ),
    "ENV": Variable(
        "The environment that is meant",
        "local, or a name below [environments] in esteira.toml",
        "local; of make rehearse dev",
        "ENV=dev",
        (*OF_AN_ENVIRONMENT, "image-builder", "image-runtime", "images", "pins", "settings"),
    ),
    "EPOCHS": Variable(
        "How often training goes over the data",
        "a number from 1 on",
        "the setting's",
        "EPOCHS=3",
        (*DEPLOYS, "job", "plan", "rehearse", "settings"),
        "training.epochs",
    ),
    "FAULT": Variable(
        "The one fault to rehearse", "a fault's name, or none", "all of them", "FAULT=none", ("rehearse",)
    ),
    "FILE": Variable(
        "What is read: texts to ask about, truths, or logged requests",
        "a file's path",
        "of make predict the standard input",
        "FILE=texts.csv",
        ("groundtruth", "load-log", "predict"),
    ),
    "FOLLOW": Variable("Go on until the deploy has ended", "1 or 0", "0", "FOLLOW=1", ("logs",)),
    "FORCE": Variable(
        "Deploy though nothing changed or the commit is an older one; remove what is not empty, too",
        "1 or 0",
        "0",
        "FORCE=1",
        (*DEPLOYS, "cloud-destroy"),
    ),
    "FORMAT": Variable(
        "The form that the result is shown in",
        "table or json; of make plan markdown and word too; of make status text, json, markdown or word; "
        "of make predict csv too",
        "table; of make status text; of make predict in a pipe json",
        "FORMAT=json",
        (
            *("accuracy", "cloud-plan", "daily", "diff", "lineage", "plan", "predict", "releases", "requests"),
            *("show", "smoke", "status"),
        ),
    ),
    "ISOLATION": Variable(
        "What each task of a job on this machine runs in",
        "fork, process or container",
        "the setting's",
        "ISOLATION=container",
        (*DEPLOYS, "settings"),
        "run.isolation",
    ),
    "KEEP": Variable("How many releases to keep", "a number from 1 on", "10", "KEEP=5", ("gc",)),
    "LIMIT": Variable("How many requests to show", "a number from 1 on", "20", "LIMIT=50", ("requests",)),
    "MODEL": Variable(
        "The model whose origin is asked for",
        "a pushed model's folder or URI",
        "none",
        "MODEL=serving/1790000000",
        ("lineage",),
    ),
    "ONLY": Variable(
        "The benches to run",
        "names with commas: deploy, images, run, plan, serve, log; or rest, those without figures of this commit",
        "all of them",
        "ONLY=plan,deploy",
        ("bench",),
    ),
    "PART": Variable("The part whose releases are asked for", "a digest", "none", "PART=sha256:5fd1a6", ("lineage",)),
    "PERCENT": Variable(
        "The share of the traffic that RELEASE gets", "0 to 99; 0 ends the split", "none", "PERCENT=10", ("traffic",)
    ),
    "PORT": Variable(
        "Where the prediction server listens",
        "0 to 65535",
        "the setting's",
        "PORT=8502",
        ("serve", "settings"),
        "serving.port",
    ),
    "RELEASE": Variable(
        "The release that is meant",
        "a release's id",
        "the current one; of make rollback the previous one",
        "RELEASE=5fd1a6b2c3d4",
        ("lineage", "rollback", "show", "traffic"),
    ),
    "REQUEST": Variable(
        "The requests to erase", "numbers of requests, with commas", "none", "REQUEST=4611686018427387904", ("erase",)
    ),
    "STATE": Variable(
        "The folder of the environment local: releases, models, logs",
        "a folder's path",
        ".esteira",
        "STATE=/data/esteira",
        EVERY,
    ),
    "TARGET": Variable(
        "The form of the job in Google Cloud",
        "vertex or ai_platform",
        "the setting's",
        "TARGET=ai_platform",
        (*DEPLOYS, "job", "plan", "settings"),
        "cloud.target",
    ),
    "TEXT": Variable("The text to ask about", "any text", "none", 'TEXT="I love this film"', ("predict",)),
    "TRIALS": Variable(
        "How many hyperparameters to try",
        "a number from 1 on",
        "the setting's",
        "TRIALS=20",
        ("tune", "settings"),
        "tuning.trials",
    ),
    "VENV": Variable(
        "The folder of the Python environment; that of the tests is beside it, with -dev",
        "a folder's path",
        ".venv",
        "VENV=/data/venv",
        EVERY,
    ),
    "VERSION": Variable(
        "The version of the engine",
        "three numbers, as in 0.2.0",
        "the newest; for changelog the next one, for version the present one",
        "VERSION=0.2.0",
        ("changelog", "upgrade", "version"),
    ),
    "WAIT": Variable("Wait until the deploy has ended", "1 or 0", "1", "WAIT=0", DEPLOYS),
    "YES": Variable(
        "Do it without asking a person", "1 or 0", "0", "YES=1", ("cloud-apply", "cloud-destroy", "erase", "gc")
    ),
}


def environment_name(variable: str) -> str:
    """Return the name that the engine reads a variable of make by, such as ESTEIRA_TRAINING_EPOCHS for EPOCHS."""
    setting = VARIABLES[variable].setting
    return f"ESTEIRA_{setting.replace('.', '_').upper() if setting else variable}"


def variables_of(target: str) -> List[str]:
    """Return the names of the variables that a target reads; those that every target reads are left out."""
    return [name for name, variable in VARIABLES.items() if target in variable.targets]


def formats_of(target: str) -> Tuple[str, ...]:
    """Return what FORMAT may be for a target, () where it reads none."""
    return OTHER_FORMATS.get(target, FORMATS) if target in VARIABLES["FORMAT"].targets else ()
