from pathlib import Path

import pytest

from esteira.images.origin import Origin, origin_of, public_url, repository_url
from esteira.source import frozen_source
from tests.repositories import make_repository, run_git, write


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://example.test/a/b.git", "https://example.test/a/b"),
        ("https://ana:secret@example.test:8443/a/b", "https://example.test/a/b"),
        ("ssh://git@example.test:22/a/b.git/", "https://example.test/a/b"),
        ("git@example.test:a/b.git", "https://example.test/a/b"),
        ("example.test:a/b", "https://example.test/a/b"),
        ("https://token@example.test/a/b?token=secret#secret", "https://example.test/a/b"),
        ("https://example.test/a%20b/~c+d", "https://example.test/a%20b/~c+d"),
        ("git@example.test:~ana/b.git", "https://example.test/~ana/b"),
        ("https://[bad/x", ""),
        ("https://[::1]/x", ""),
        ("https://ana:sec/ret@example.test/a", ""),
        ("https://ana:1/ret@example.test/a", ""),
        ("https://ana:sec?ret@example.test/a", ""),
        ("https://ana:sec#ret@example.test/a", ""),
        ("https://example.test:port/a", ""),
        ("https://example.test/a;token=secret", ""),
        ("ana:secret@example.test:grp/x", ""),
        ("git@example.test:a/b?token=secret", ""),
        ("ext::sh -c token=SECRET %S foo", ""),
        ("ext::https://ana:secret@example.test/a", ""),
        ("/srv/git/b.git", ""),
        ("../b", ""),
        ("file:///srv/git/b.git", ""),
        ("", ""),
    ],
)
def test_an_address_is_told_without_user_and_password(url: str, public: str) -> None:
    assert public_url(url) == public


@pytest.mark.programs
def test_the_origin_of_a_source_is_its_commit_and_remote(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "root", {"a.txt": "a"})
    assert repository_url(root) == ""
    run_git(root, "remote", "add", "origin", "git@example.test:a/b.git")
    commit = run_git(root, "rev-parse", "HEAD")
    with frozen_source(root, tmp_path / "state") as source:
        assert origin_of(source) == Origin(commit, False, "https://example.test/a/b")
    write(root / "a.txt", "changed")
    with frozen_source(root, tmp_path / "state") as source:
        assert origin_of(source) == Origin(commit, True, "https://example.test/a/b")


def test_an_origin_without_a_remote_is_a_material_by_its_commit() -> None:
    origin = Origin("c" * 40, False, "")
    assert origin.material() == [{"name": "source", "uri": "git:", "digest": {"gitCommit": "c" * 40}}]
    assert origin.annotations() == {"org.opencontainers.image.revision": "c" * 40}
    assert Origin("", True, "").material() == []
