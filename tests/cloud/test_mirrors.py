"""Mirrors in Artifact Registry: builds, and whoever deploys, pull bases through them."""

import pytest

from esteira.cloud.check import check_environment
from esteira.cloud.mirror import mirrors
from esteira.cloud.plan import make_plan
from esteira.errors import GoogleError
from esteira.local.cloud.refusal import Refused
from esteira.settings import Environment
from tests.cloud.conftest import PLACE

pytestmark = pytest.mark.loopback

READER = "roles/artifactregistry.reader"
BUILD = "serviceAccount:esteira-build@demo-project.iam.gserviceaccount.com"
HERE = "projects/demo-project/locations/europe/repositories/docker-hub"
ELSEWHERE = "projects/shared-project/locations/europe-west1/repositories/hub"
HERE_NAME = "europe-docker.pkg.dev/demo-project/docker-hub"
ELSEWHERE_NAME = "europe-west1-docker.pkg.dev/shared-project/hub"
GIVE = (
    "gcloud artifacts repositories add-iam-policy-binding hub --project=shared-project --location=europe-west1 "
    f"--member={BUILD} --role={READER}"
)


def test_only_repositories_of_artifact_registry_are_known_but_not_the_environments_own():
    named = (
        f"docker.io={HERE_NAME}/library,quay.io={HERE_NAME},ghcr.io=registry.example.com/hub,"
        "gcr.io=europe-west1-docker.pkg.dev/demo-project/images"
    )
    assert mirrors(Environment(**PLACE, mirrors=named)) == [HERE_NAME]
    assert mirrors(Environment(**PLACE)) == []


def test_a_mirror_of_the_project_lets_builds_read(make_scene):
    scene = make_scene(mirrors=f"docker.io={HERE_NAME}")
    with pytest.raises(GoogleError) as caught:
        scene.apply()
    assert f"role esteira-build: {READER} on repository {HERE_NAME}: missing\n" in str(caught.value)
    assert f"The repository {HERE_NAME} has to be there first\n" in str(caught.value)
    scene.admin.repositories.put(HERE)
    assert f"made role esteira-build: {READER} on repository {HERE_NAME}\n" in scene.apply()
    assert scene.admin.policies.roles(HERE) == {f"{BUILD} {READER}"}
    assert scene.rows() == []
    scene.destroy()
    assert HERE in scene.admin.repositories.kept
    assert scene.admin.policies.roles(HERE) == set()


def test_a_mirror_of_another_project_is_left_to_its_owner(make_scene):
    scene = make_scene(mirrors=f"docker.io={ELSEWHERE_NAME}")
    scene.admin.repositories.put(ELSEWHERE)
    with pytest.raises(GoogleError) as caught:
        scene.apply()
    assert str(caught.value) == (
        f"Left for you:\nrole esteira-build: {READER} on repository {ELSEWHERE_NAME}: missing\n"
        f"An owner of that project gives it: {GIVE}\nThen run: make cloud-apply ENV=dev"
    )
    scene.admin.policies.add(ELSEWHERE, READER, BUILD)
    scene.admin.policies.add(ELSEWHERE, "roles/artifactregistry.writer", BUILD)
    assert scene.rows() == []
    scene.destroy()
    assert {role.rpartition(" ")[2] for role in scene.admin.policies.roles(ELSEWHERE)} == {
        READER,
        "roles/artifactregistry.writer",
    }


def test_a_mirror_that_one_may_not_look_at_is_told_with_the_command(make_scene):
    scene = make_scene(mirrors=f"docker.io={ELSEWHERE_NAME}")
    scene.admin.repositories.put(ELSEWHERE)
    method = "artifactregistry.projects.locations.repositories.getIamPolicy"
    original = scene.stand_in.handlers[method]

    def refuse(call):
        if call.parameters["resource"] == ELSEWHERE:
            raise Refused(403, "Permission denied.", reason="IAM_PERMISSION_DENIED")
        return original(call)

    scene.stand_in.add({method: refuse})
    scene.apply()
    (row,) = [row for row in make_plan(scene.settings, scene.api).rows if ELSEWHERE_NAME in row.name]
    assert (row.state, row.detail) == (
        "ok",
        f"not checked, as you may not see who has it. An owner of that project gives it: {GIVE}",
    )
    assert scene.destroy()


def test_whoever_deploys_has_to_be_let_in_too(make_scene):
    scene = make_scene()
    scene.apply()
    place = scene.settings.environment.copy(update={"mirrors": f"docker.io={HERE_NAME}"})
    scene.settings = scene.settings.copy(update={"environments": {"dev": place}})
    with pytest.raises(GoogleError) as caught:
        check_environment(scene.settings, scene.api)
    assert str(caught.value).splitlines()[1:] == [
        f"mirror {HERE_NAME} is not there. Make it, or take it out of environments.dev.mirrors"
    ]
    scene.admin.repositories.put(HERE)
    check_environment(scene.settings, scene.api)
    scene.admin.lacking.add("artifactregistry.repositories.downloadArtifacts")
    with pytest.raises(GoogleError) as caught:
        check_environment(scene.settings, scene.api)
    assert str(caught.value).splitlines()[-1] == (
        "you lack artifactregistry.repositories.downloadArtifacts (to pull the base of the builder image) on "
        f"repository {HERE_NAME}. Have an owner run: gcloud artifacts repositories add-iam-policy-binding docker-hub "
        f"--project=demo-project --location=europe --member=user:NAME@EXAMPLE.COM --role={READER}"
    )


def test_a_project_on_this_machine_has_the_mirrors(make_scene):
    """As `make rehearse` needs it, which nobody prepares."""
    scene = make_scene(mirrors=f"docker.io={HERE_NAME},quay.io={ELSEWHERE_NAME}")
    scene.admin.add_mirrors(scene.settings.environment)
    scene.apply()
    assert scene.rows() == []
    scene.destroy()
    assert set(scene.admin.repositories.kept) == scene.admin.mirrors == {HERE, ELSEWHERE}
