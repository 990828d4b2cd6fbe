from pathlib import Path
from typing import Dict

import pytest

from esteira.errors import BuildError
from esteira.local.builds.plan import Build, built_in_substitutions, read_build
from esteira.source import Source

SOURCE = Source(root=Path("/r"), commit="0123456789" * 4, branch="main", changed=0, tree="", files={})
BUILDER = {"_BUILDER": "esteira/builder"}
STEP = 'steps:\n- name: "$_BUILDER"\n  args: [a]\n'


def plan(text: str, given: Dict[str, str] = BUILDER) -> Build:
    return read_build(text, "f.yaml", given, built_in_substitutions(SOURCE, "repo", "b-1"))


def error_of(text: str, given: Dict[str, str] = BUILDER) -> str:
    with pytest.raises(BuildError) as caught:
        plan(text, given)
    return str(caught.value)


def test_substitutions_reach_every_field_that_takes_them() -> None:
    build = plan(
        'steps:\n- name: "$_BUILDER"\n  entrypoint: $_P\n  args: ["$BUILD_ID:${SHORT_SHA}", "$$HOME"]\n'
        "  dir: d/$_P\n  env: [A=$_P, B=$BRANCH_NAME]\n"
        "options: {env: [A=over, C=$REPO_NAME]}\nsubstitutions: {_P: mine, _BUILDER: x}\n",
        {**BUILDER, "_P": "given"},
    )
    step = build.steps[0]
    assert step.command == ("given", "b-1:0123456", "$HOME")
    assert step.folder == "d/given"
    assert step.variables == {"A": "given", "B": "main", "C": "repo"}
    assert build.timeout_s == 3600


def test_a_script_is_left_as_it_is() -> None:
    build = plan('steps:\n- name: "$_BUILDER"\n  script: echo $BUILD_ID $$\n')
    assert (build.steps[0].script, build.steps[0].command) == ("echo $BUILD_ID $$", ())


def test_mapping_all_substitutions_makes_them_variables_under_those_of_the_file() -> None:
    build = plan(
        'steps:\n- name: "$_BUILDER"\n  args: [a]\n  env: [_A=file]\n'
        '- name: "$_BUILDER"\n  args: [a]\n  automapSubstitutions: false\n'
        "options: {automapSubstitutions: true}\nsubstitutions: {_A: sub, _B: b}\n"
    )
    mapped, plain = build.steps[0].variables, build.steps[1].variables
    assert (mapped["_A"], mapped["_B"], mapped["BUILD_ID"], mapped["LOCATION"]) == (
        "file",
        "b",
        "b-1",
        "local",
    )
    assert plain == {}


@pytest.mark.parametrize(
    ("line", "status", "allowed"),
    [
        ("allowFailure: false", 1, False),
        ("allowFailure: true", 1, True),
        ("allowExitCodes: [3]", 3, True),
        ("allowExitCodes: [3]", 4, False),
        ("{allowFailure: true, allowExitCodes: [3]}", 4, False),
    ],
)
def test_which_failures_are_allowed(line: str, status: int, allowed: bool) -> None:
    fields = line.strip("{}").replace(", ", "\n  ")
    assert plan(f"{STEP}  {fields}\n").steps[0].allows(status) is allowed


def test_steps_without_an_id_get_one_that_nobody_has() -> None:
    step = '- {name: "$_BUILDER", args: [a]}\n'
    named = '- {name: "$_BUILDER", args: [a], id: step-2}\n'
    assert [step.id for step in plan(f"steps:\n{step}{named}{step}").steps] == ["step-0", "step-2", "step-2_"]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("  volumes: [{name: v, path: /v}]", "volumes"),
        ("images: [i]", "images"),
        ("artifacts: {images: [i]}", "artifacts"),
        ("secrets: [{kmsKeyName: k}]", "secrets"),
        ("logsBucket: gs://b", "logsBucket"),
        ("serviceAccount: s", "serviceAccount"),
        ("source: {storageSource: {bucket: b}}", "source"),
        ("options: {pool: {name: p}}", "pool"),
        ("options: {volumes: [{name: v, path: /v}]}", "volumes"),
        ("options: {dynamicSubstitutions: true}", "dynamicSubstitutions"),
        ("options: {requestedVerifyOption: VERIFIED}", "requestedVerifyOption"),
    ],
)
def test_a_field_that_cannot_be_honoured_is_an_error(line: str, field: str) -> None:
    message = f"{field} cannot be honoured on this machine. Remove it, or submit the build to Cloud Build.\n"
    error = error_of(f"{STEP}{line}\n")
    assert message in error
    assert error.endswith("Nothing was run. Mend the file, or its template and run: make generate")


def test_what_only_the_service_reads_may_stand_in_the_file() -> None:
    options = "options: {machineType: E2_MEDIUM, logging: CLOUD_LOGGING_ONLY, diskSizeGb: 10}\n"
    assert plan(f"{STEP}tags: [a]\nqueueTtl: 5s\n{options}timeout: 7s\n").timeout_s == 7


@pytest.mark.parametrize(
    ("image", "what"), [("ubuntu", 'image "ubuntu" cannot run here'), ("", "the image's name is empty")]
)
def test_only_the_builder_image_runs_here(image: str, what: str) -> None:
    assert error_of(STEP, {"_BUILDER": image}).startswith(
        f"f.yaml:2: {what}; expected esteira/builder, which stands for the project's environment."
    )


@pytest.mark.parametrize("folder", ["/abs", "../up", "a/../../up", "/workspace/a"])
def test_a_folder_outside_the_workspace_is_an_error(folder: str) -> None:
    assert f'dir "{folder}" is outside the workspace' in error_of(f"{STEP}  dir: {folder}\n")


def test_a_step_that_starts_nothing_is_an_error() -> None:
    assert "f.yaml:2: has neither entrypoint, args nor script" in error_of('steps:\n- name: "$_BUILDER"\n')


def test_a_built_in_without_an_honest_value_is_an_error_unless_it_is_given() -> None:
    text = 'steps:\n- name: "$_BUILDER"\n  args: [$TAG_NAME]\n'
    assert "f.yaml:3: $TAG_NAME has no value outside Cloud Build; give one as a substitution." in error_of(text)
    assert plan(text, {**BUILDER, "TAG_NAME": "v1"}).steps[0].command == ("v1",)
    assert "$PROJECT_NUMBER has no value" in error_of(text.replace("TAG_NAME", "PROJECT_NUMBER"))


def test_a_given_substitution_that_the_file_does_not_use_is_an_error() -> None:
    error = error_of(STEP, {**BUILDER, "_X": "1"})
    assert "substitution _X is declared and never used" in error


def test_all_faults_are_told_at_once() -> None:
    error = error_of(f"{STEP}  volumes: [{{}}]\n  dir: /x\nimages: [a]\n")
    assert [word in error for word in ("volumes", 'dir "/x"', "images")] == [True] * 3
