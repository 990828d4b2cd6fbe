import os
import sys
from pathlib import Path

from esteira.local.builds.environment import make_environment, read_variables

CALLER = {
    "PATH": "/bin",
    "HOME": "/home/u",
    "LC_ALL": "C",
    "https_proxy": "p",
    "UV_CACHE_DIR": "/c",
    "ESTEIRA_TRAINING_EPOCHS": "1",
    "PYTHONPATH": "/elsewhere",
    "SECRET_TOKEN": "s",
    "CLOUDSDK_CONFIG": "/home/u/gcloud",
    "GOOGLE_APPLICATION_CREDENTIALS": "/home/u/key.json",
    "DOCKER_CONFIG": "/home/u/docker",
    "GIT_DIR": "/g",
}


def test_a_step_sees_a_short_list_of_the_callers_variables() -> None:
    made = make_environment(CALLER, {}, Path("/state"))
    assert made == {
        "HOME": "/home/u",
        "LC_ALL": "C",
        "https_proxy": "p",
        "UV_CACHE_DIR": "/c",
        "CLOUDSDK_CONFIG": "/home/u/gcloud",
        "GOOGLE_APPLICATION_CREDENTIALS": "/home/u/key.json",
        "DOCKER_CONFIG": "/home/u/docker",
        "PATH": os.path.dirname(sys.executable) + ":/bin",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "ESTEIRA_STATE": "/state",
    }


def test_the_files_variables_are_the_strongest() -> None:
    made = make_environment(CALLER, {"HOME": "/h", "ESTEIRA_TRAINING_EPOCHS": "2"}, Path("/state"))
    assert (made["HOME"], made["ESTEIRA_TRAINING_EPOCHS"]) == ("/h", "2")


def test_without_a_path_the_usual_folders_are_searched() -> None:
    assert make_environment({}, {}, Path("/s"))["PATH"].endswith(":/usr/local/bin:/usr/bin:/bin")


def test_a_variables_value_may_hold_equals_signs_and_be_empty() -> None:
    assert read_variables(["A=b=c", "D=", "A=last"]) == {"A": "last", "D": ""}
