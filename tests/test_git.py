from pathlib import Path

import pytest

from esteira.errors import ProgramError
from esteira.git import alternates, git, git_complaint, git_environment, git_or_empty, list_tree, unquote
from tests.repositories import make_repository, run_git


@pytest.mark.parametrize(
    ("quoted", "path"),
    [
        ("plain é", "plain é"),
        (r'"caf\303\251"', "café"),
        (r'"a\nb\r\t\"c\\"', 'a\nb\r\t"c\\'),
        (r'"\377"', "\udcff"),
    ],
)
def test_a_path_is_read_as_git_quotes_it(quoted: str, path: str) -> None:
    assert unquote(quoted) == path


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        ("hint: one\nfatal: 'x' not found\n\nPlease make sure you have\nthe rights.", "fatal: 'x' not found"),
        ("remote: \nremote: Repository not found.\nfatal: repository 'x' not found", "remote: Repository not found."),
        ("g@h.test: Permission denied (publickey).\nfatal: Could not read", "g@h.test: Permission denied (publickey)."),
        ("ssh: Could not resolve hostname h\nfatal: Could not read\nthe rights.", "ssh: Could not resolve hostname h"),
        ("one\ntwo", "two"),
    ],
)
def test_what_git_complains_of_is_told_from_its_advice(output: str, complaint: str) -> None:
    assert git_complaint(ProgramError(f"git fetch\nleft with status 128:\n{output}")) == complaint


def test_the_callers_variables_reach_git_only_where_they_name_no_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_AUTHOR_NAME", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO"):
        monkeypatch.setenv(name, "x")
    seen = [name for name in git_environment({}, []) if name.startswith("GIT_")]
    assert sorted(seen) == ["GIT_OPTIONAL_LOCKS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO"]


@pytest.mark.programs
def test_configuration_is_added_to_the_callers_and_stays_out_of_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("COUNT", "1"), ("KEY_0", "test.theirs"), ("VALUE_0", "1")):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    config = [("test.ours", "secret")]
    assert git(tmp_path, "config", "test.theirs", config=config) == "1\n"
    assert git(tmp_path, "config", "test.ours", config=config) == "secret\n"
    with pytest.raises(ProgramError) as caught:
        git(tmp_path, "rev-parse", "nothing", config=config)
    assert "secret" not in str(caught.value)


@pytest.mark.programs
def test_no_answer_is_empty(tmp_path: Path) -> None:
    assert git_or_empty(tmp_path, "rev-parse", "HEAD") == ""


@pytest.mark.programs
def test_objects_of_a_folder_with_a_strange_name_are_found(tmp_path: Path) -> None:
    here = make_repository(tmp_path / "here", {"a": ""})
    there = make_repository(tmp_path / 'th:e"r\\e', {"b": "text"})
    tree = run_git(there, "rev-parse", "HEAD^{tree}")
    files = list_tree(here, tree, alternates(there / ".git" / "objects"))
    assert files == {"b": "100644 " + run_git(there, "rev-parse", "HEAD:b")}
