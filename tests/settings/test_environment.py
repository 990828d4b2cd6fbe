"""What an environment may say of GitHub: it becomes a condition that Google evaluates."""

from typing import Dict

import pytest
from pydantic import ValidationError

from esteira.settings import Environment

PLACE = {"project": "demo-project", "region": "europe-west1", "bucket": "demo-bucket", "repository": "images"}
BRANCH = "expected a branch or a tag such as refs/heads/main"


def test_workflows_are_of_one_owner_and_one_branch() -> None:
    named = {"github": "octo/esteira", "github_owner_id": "1342004", "github_ref": "refs/heads/release/2.x"}
    place = Environment(**PLACE, **named)
    assert (place.github_owner_id, place.github_ref) == ("1342004", "refs/heads/release/2.x")
    alone = Environment(**PLACE, github="octo/esteira")
    assert (alone.github_owner_id, alone.github_ref) == ("", "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"github_owner_id": "octo"}, 'is "octo"; expected a number, as: gh api users/OWNER --jq .id'),
        ({"github_ref": "main"}, f'is "main"; {BRANCH}'),
        ({"github_ref": "refs/heads/x' || 'a' == 'a"}, f"is \"refs/heads/x' || 'a' == 'a\"; {BRANCH}"),
        (
            {"github": "", "github_ref": "refs/heads/main"},
            'is "refs/heads/main", but there is no github; expected github = "owner/repository" beside it',
        ),
    ],
)
def test_what_is_no_number_or_branch_is_refused(given: Dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Environment(**PLACE, **{"github": "octo/esteira", **given})
    assert [error["msg"] for error in caught.value.errors()] == [said]
