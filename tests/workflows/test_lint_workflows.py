"""The lint of workflows: what is shipped passes, and each kind of mistake is told with its file and line."""

import os
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from tests.conftest import REPOSITORY
from tests.workflows.lint import files_of, lint, main

pytestmark = pytest.mark.programs

WHOLE = """\
on: push
permissions: {}
jobs:
  plan:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - run: make plan
"""
PINNED = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"


def found(folder: Path, old: str, new: str, name: str = "some.yaml") -> List[str]:
    """Return what the lint says of a workflow in which something is replaced, with the file's name for its path."""
    assert old in WHOLE
    path = folder / name
    path.write_text(WHOLE.replace(old, new), encoding="utf-8")
    relative = os.path.relpath(path, REPOSITORY)
    return [line.replace(relative, name).replace(str(path), name) for line in lint([path])]


def test_what_is_shipped_passes(capsys: pytest.CaptureFixture[str]) -> None:
    names = [path.relative_to(REPOSITORY / ".github").as_posix() for path in files_of(REPOSITORY)]
    assert {"dependabot.yml", "workflows/check.yaml", "workflows/deploy.yaml"} <= set(names)
    assert main([]) == 0
    assert capsys.readouterr().out == f"{len(names)} files of GitHub's are as they should be.\n"


def test_a_whole_workflow_passes(tmp_path: Path) -> None:
    assert found(tmp_path, "on:", "on:") == []


def test_a_key_that_does_not_exist_is_told_by_schema_and_actionlint(tmp_path: Path) -> None:
    lines = found(tmp_path, "timeout-minutes: 5", "timeout-minutes: 5\n    timeout: 5")
    assert "schema: some.yaml:7: Additional properties are not allowed ('timeout' was unexpected)" in lines
    assert any(line.startswith('actionlint: some.yaml:7:5: unexpected key "timeout"') for line in lines)


def test_yaml_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert found(tmp_path, "on: push", "on: [push")[0].startswith("schema: some.yaml: while parsing a flow sequence")


@pytest.mark.parametrize(
    "action",
    [
        "actions/checkout@v7",
        "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1",
        "actions/checkout@3d3c42e # v7.0.1",
        "actions/checkout@main # v7.0.1",
    ],
)
def test_an_action_that_is_not_pinned_is_told(tmp_path: Path, action: str) -> None:
    lines = found(tmp_path, PINNED, action)
    assert "rules: some.yaml:10: expected an action pinned as owner/name@<40 hex> # v1.2.3" in lines


def test_zizmor_tells_what_is_not_safe(tmp_path: Path) -> None:
    lines = found(tmp_path, "persist-credentials: false", "fetch-depth: 1")
    assert lines[0].startswith("zizmor: ") and "artipacked" in lines[0]
    assert any("some.yaml:10:9" in line for line in lines)


def test_an_expression_in_a_script_is_told(tmp_path: Path) -> None:
    lines = found(tmp_path, "run: make plan", "run: |\n          make plan\n          echo ${{ github.ref_name }}")
    assert "rules: some.yaml:15: an expression in a script can become code. Expected env" in lines
    assert any(line.startswith("zizmor: ") and "template-injection" in line for line in lines)


def test_shellcheck_reads_scripts(tmp_path: Path) -> None:
    (line,) = found(tmp_path, "run: make plan", "run: make plan ENV=$GITHUB_REF_NAME")
    assert line.startswith("actionlint: some.yaml:13:28: shellcheck reported issue in this script: SC2086")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("permissions: {}", "env: {}", "1: expected permissions: {} at the top, and what each job needs in the job"),
        (
            "permissions: {}",
            "permissions: {contents: read}",
            "2: expected permissions: {} at the top, and what each job needs in the job",
        ),
        ("    timeout-minutes: 5\n", "", "5: the job has no timeout-minutes"),
        ("    permissions:\n      contents: read\n", "", "5: the job has no permissions"),
        (
            "on: push",
            "on: [push, pull_request_target]",
            "1: pull_request_target lends a fork this repository's rights. Expected pull_request",
        ),
        (
            "persist-credentials: false",
            "persist-credentials: false\n          token: ${{ secrets.TOKEN }}",
            "13: reads a secret. Expected none: workflows sign in without a key",
        ),
    ],
)
def test_what_this_repository_asks_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert f"rules: some.yaml:{told}" in found(tmp_path, old, new)


@pytest.mark.parametrize(
    "script",
    [
        'make plan ENV="$ESTEIRA_ENV" BASE=HEAD^1 FORMAT=markdown >>"$GITHUB_STEP_SUMMARY"',
        'kind=$(make plan FORMAT=word)\n          echo "kind=$kind" >>"$GITHUB_OUTPUT"',
    ],
)
def test_the_workflow_that_deploys_may_call_make(tmp_path: Path, script: str) -> None:
    assert found(tmp_path, "run: make plan", f"run: |\n          {script}", "deploy.yaml") == []


@pytest.mark.parametrize("script", ["gcloud builds submit", "make plan; rm -rf x", "make plan $(id)"])
def test_the_workflow_that_deploys_does_nothing_else(tmp_path: Path, script: str) -> None:
    lines = found(tmp_path, "run: make plan", f"run: {script}", "deploy.yaml")
    assert f"rules: deploy.yaml:13: {script}: expected nothing but make" in lines


def test_dependabot_is_held_against_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "dependabot.yml"
    path.write_text("version: 2\nupdates:\n  - package-ecosystem: github-actions\n    directory: /\n")
    assert lint([path]) == [f"schema: {path}:3: 'schedule' is a required property"]


def test_it_is_one_command(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text(WHOLE.replace("on: push", "on: pus"))
    command = [sys.executable, "-m", "tests.workflows.lint", str(path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 1
    assert '/some.yaml:1:5: unknown Webhook event "pus"' in done.stderr
