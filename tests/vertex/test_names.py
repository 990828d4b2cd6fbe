"""What the endpoint and the model of an environment are called, and deployed models by their ids."""

from pathlib import Path

import pytest

from esteira.errors import SettingsError
from esteira.settings import Settings
from esteira.vertex.endpoint import deployed_id
from esteira.vertex.names import check_id, serving_id, serving_labels
from tests.vertex.endpoint_project import Project


def named(settings: Settings, pipeline: str, environment: str) -> Settings:
    changed = settings.pipeline.copy(update={"name": pipeline})
    return settings.copy(update={"pipeline": changed, "selected": environment})


def test_the_environment_is_in_the_name(settings: Settings) -> None:
    chosen = named(settings, "sentiment", "eu-2")
    assert (serving_id(chosen), check_id(chosen)) == ("sentiment-eu-2", "sentiment-eu-2-check")
    assert serving_labels(chosen) == {"managed-by": "esteira", "pipeline": "sentiment", "environment": "eu-2"}
    assert len(check_id(named(settings, "a" * 53, "dev"))) == 63


@pytest.mark.parametrize("environment", ["Prod", "eu_2", "dev-", "dev-check", "-check", ""])
def test_an_environment_that_no_endpoint_can_be_named_after_is_told(settings: Settings, environment: str) -> None:
    with pytest.raises(SettingsError) as told:
        serving_id(named(settings, "sentiment", environment))
    assert str(told.value) == (
        f"environments.{environment}: cannot be part of the name of a Vertex AI endpoint. Expected lower-case letters, "
        'digits and dashes, a letter or digit last, and no "-check" there. Give the table in esteira.toml another name'
    )


def test_a_name_that_is_too_long_is_told(settings: Settings) -> None:
    with pytest.raises(SettingsError) as told:
        serving_id(named(settings, "a" * 54, "dev"))
    assert str(told.value) == (
        f"{'a' * 54}-dev: is too long for the name of a Vertex AI endpoint: 58 characters. Expected 57 at most. "
        "Set a shorter pipeline.name, or give environments.dev a shorter name"
    )


def test_a_version_of_a_release_is_deployed_under_one_id_an_endpoint(settings: Settings, tmp_path: Path) -> None:
    project = Project(settings, tmp_path)
    release, serving, check = project.release(1), serving_id(project.settings), check_id(project.settings)
    rollback = release.copy(update={"id": "x", "restores": release.id})
    assert deployed_id(serving, release, "1") == deployed_id(serving, rollback, "1")
    each = [(serving, release, "1"), (check, release, "1"), (serving, project.release(2), "1"), (serving, release, "2")]
    assert len({deployed_id(*one) for one in each}) == 4
    assert len(deployed_id(serving, release, "1")) == 10
