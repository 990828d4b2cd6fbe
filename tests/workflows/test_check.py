"""check.yaml, really run for a pull request of a fork: what its merge would deploy is told, and nothing is reached."""

import re
from pathlib import Path

import pytest

from esteira.settings import load_settings
from tests.conftest import REPOSITORY
from tests.repositories import run_git
from tests.workflows.act import may_ask_for_tokens
from tests.workflows.repository import BRANCH, TOKEN, Repository, clone_repository

pytestmark = [pytest.mark.programs, pytest.mark.slow]

# What a fork makes of `make check`: a stranger's code runs there, and looks for what it may find.
LOOK = "@env | cut -d= -f1 | sort; git config --get-regexp 'extraheader|credential' || true"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository that is set up, where a merge request's commit says what `make check` is."""
    made = clone_repository(load_settings(REPOSITORY, {"ESTEIRA_STATE": str(tmp_path / "local")}, {}), tmp_path)
    names = ("ESTEIRA_ENV", "ESTEIRA_WORKLOAD_IDENTITY_PROVIDER", "ESTEIRA_SERVICE_ACCOUNT")
    made.variables.update({name: "dev" if name == "ESTEIRA_ENV" else "never-seen" for name in names})
    return made


def merged(repository: Repository, check: str, **changes: str) -> str:
    """Leave at HEAD what GitHub would merge a fork's commit to; return the commit that it is merged into.

    `check` is what the fork makes of `make check`, which takes too long here; nor is anything installed.
    """
    base = repository.head
    run_git(repository.root, "switch", "--quiet", "--create", "stranger")
    makefile = repository.root / "Makefile"
    rule, before = f"check: ## Check\n\t{check}\n", makefile.read_text(encoding="utf-8")
    text, found = re.subn(r"^check:.*\n", lambda _: rule, before, flags=re.MULTILINE)
    assert found == 1
    makefile.write_text(text, encoding="utf-8")
    (repository.root / ".ci" / "programs.sh").write_text("echo a registry is installed\n", encoding="utf-8")
    repository.commit(**changes)
    run_git(repository.root, "switch", "--quiet", "--detach", BRANCH)
    run_git(repository.root, "merge", "--quiet", "--no-ff", "--message", "Merge", "stranger")
    return base


def test_a_pull_request_of_a_fork_is_planned_and_reaches_no_credentials(repository: Repository) -> None:
    base = merged(repository, LOOK, model="a stranger's model")
    ran = repository.pull_request_of_fork(base).succeeded()
    assert ran.results == {"Check": "success", "Plan": "success"}
    assert ran.summary.startswith(f"### Plan: partial\n\nCommit `{repository.head[:7]}` against commit `{base[:7]}`, ")
    assert "| `modules` | partial | changed `modules/model.py` |\n" in ran.summary
    assert not may_ask_for_tokens(repository.root, "check.yaml")
    assert repository.signed_in() == []
    assert "a registry is installed\n" in ran.text
    seen = ran.text.split()
    assert "GITHUB_SHA" in seen
    assert not {TOKEN, "GITHUB_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS", "STAND_INS"} & set(seen)
    assert "never-seen" not in ran.text


def test_a_pull_request_whose_check_fails_is_red_and_its_plan_is_told_all_the_same(repository: Repository) -> None:
    base = merged(repository, "@echo 'lint: not as it must be'; exit 1", pipeline="another pipeline")
    ran = repository.pull_request_of_fork(base).failed()
    assert ran.results == {"Check": "failure", "Plan": "success"}
    assert "lint: not as it must be\n" in ran.text
    assert ran.summary.startswith("### Plan: full\n")


def test_a_pull_request_of_docs_says_that_nothing_would_be_deployed(repository: Repository) -> None:
    base = merged(repository, "@true", docs="A word.")
    ran = repository.pull_request_of_fork(base).succeeded()
    assert ran.summary.startswith("### Plan: none\n")
