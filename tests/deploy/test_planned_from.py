"""make plan BASE=commit: what a deploy would do if that commit were deployed."""

from pathlib import Path
from typing import List, Optional

import pytest

from esteira.deploy.planned_from import plan_against
from esteira.errors import SourceError
from esteira.release.changes import describe_change
from esteira.release.plan import Plan
from esteira.settings import load_settings
from tests.repositories import commit_all, make_repository, run_git, write

pytestmark = pytest.mark.programs

FILES = {
    "esteira.toml": '[pipeline]\nname = "sentiment"\n',
    "modules/model.py": "model = 1\n",
    "pipeline/pipeline.py": "graph = 1\n",
    "README.md": "read me\n",
    ".gitignore": "/.esteira/\n/ignored.csv\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository", FILES)


def plan(root: Path, base: Optional[str], environment: str = "") -> Plan:
    environ = {"ESTEIRA_ENV": environment} if environment else {}
    return plan_against(load_settings(root, environ, {}), base, lambda folder: load_settings(folder, environ, {}))


def changes(made: Plan) -> List[str]:
    return [f"{change.part}: {line}" for change in made.changes for line in describe_change(change)]


def test_a_commit_against_itself_is_nothing(root: Path) -> None:
    made = plan(root, "HEAD")
    assert (made.kind, made.reasons, made.changes, made.parent) == ("none", [], [], None)
    assert made.base == made.commit == run_git(root, "rev-parse", "HEAD")


def test_without_a_base_it_is_what_is_deployed(root: Path) -> None:
    assert plan(root, None).reasons == ["nothing is deployed yet"]


@pytest.mark.parametrize(
    ("path", "kind", "changed"),
    [
        ("README.md", "none", []),
        ("modules/model.py", "partial", ["modules: changed modules/model.py"]),
        (
            "pipeline/pipeline.py",
            "full",
            ["image: changed pipeline/pipeline.py", "job: changed pipeline/pipeline.py"],
        ),
    ],
)
def test_what_a_merge_changes_is_told_by_files(root: Path, path: str, kind: str, changed: List[str]) -> None:
    base = run_git(root, "rev-parse", "HEAD")
    write(root / path, "changed\n")
    commit_all(root)
    made = plan(root, base)
    assert (made.kind, changes(made), made.dirty) == (kind, changed, False)


def test_settings_are_those_of_either_commit(root: Path) -> None:
    write(root / "esteira.toml", FILES["esteira.toml"] + "[training]\nepochs = 90\n")
    commit_all(root)
    assert changes(plan(root, "HEAD~1")) == ["job: training.epochs 8 -> 90"]
    assert changes(plan(root, "HEAD")) == []


def test_settings_that_the_base_has_not_are_a_reason_for_everything(root: Path) -> None:
    table = '[environments.dev]\nproject = "demo-project"\nregion = "europe-west1"\n'
    table += 'bucket = "demo-bucket"\nrepository = "esteira"\n'
    write(root / "esteira.toml", FILES["esteira.toml"] + table)
    commit_all(root)
    made = plan(root, "HEAD~1", "dev")
    assert made.kind == "full"
    (reason,) = made.reasons
    assert reason.startswith(f"the settings of commit {made.base[:7]} cannot be read: ENV=dev")


def test_a_csv_of_the_repository_is_that_of_either_commit(root: Path) -> None:
    write(root / "esteira.toml", FILES["esteira.toml"] + '[data]\nfile = "rows.csv"\n')
    write(root / "rows.csv", "text,label\nold,a\n")
    commit_all(root)
    write(root / "rows.csv", "text,label\nnew,a\n")
    commit_all(root)
    (change,) = plan(root, "HEAD~1").changes
    assert (change.part, change.kind, [value.name for value in change.values]) == ("data", "partial", ["csv"])


def test_a_csv_that_is_not_in_the_repository_is_the_same_for_both(root: Path) -> None:
    write(root / "esteira.toml", FILES["esteira.toml"] + '[data]\nfile = "ignored.csv"\n')
    write(root / "ignored.csv", "text,label\nold,a\n")
    commit_all(root)
    assert plan(root, "HEAD").kind == "none"


def test_a_base_of_another_branch_is_a_reason_for_everything(root: Path) -> None:
    run_git(root, "checkout", "-q", "--orphan", "other")
    commit_all(root)
    made = plan(root, "main")
    assert made.reasons == [
        f"commit {made.base[:7]} is not in the history of what is here: another branch, or a forced push"
    ]


@pytest.mark.parametrize("base", ["nowhere", "--help", "HEAD^5"])
def test_what_names_no_commit_is_refused(root: Path, base: str) -> None:
    with pytest.raises(SourceError) as caught:
        plan(root, base)
    assert str(caught.value) == (
        f"BASE={base}: names no commit here. Expected a hash, a branch or a tag, such as BASE=HEAD~1.\n"
        "A shallow clone has few of them: git fetch --unshallow"
    )


def test_nothing_is_left_behind_and_the_repository_stays_clean(root: Path) -> None:
    plan(root, "HEAD")
    assert run_git(root, "status", "--porcelain") == ""
    assert list((root / ".esteira" / "sources").iterdir()) == []
