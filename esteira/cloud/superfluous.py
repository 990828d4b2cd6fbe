"""What an environment has left behind: made by us for it, and no longer named by the settings."""

import time
from typing import Iterator, List, Set, Tuple

from esteira.cloud.account import Account
from esteira.cloud.bucket import Bucket
from esteira.cloud.dataset import Dataset
from esteira.cloud.federation import Pool
from esteira.cloud.labels import MANAGED_BY, OURS, is_marked, is_of, labels_of
from esteira.cloud.part import Part, Resource
from esteira.cloud.repository import Repository
from esteira.cloud.resources import resources, same_project
from esteira.cloud.row import Row
from esteira.cloud.services import Enabled
from esteira.google.api import Api, Pause
from esteira.settings import Settings


class Superfluous(Part):
    """A thing that is no longer wanted. A person removes it: it may hold data, or serve others."""

    def __init__(self, resource: Resource, remedy: str) -> None:
        self.service = resource.service
        self.resource = resource
        self._remedy = remedy

    def look(self, api: Api) -> List[Row]:
        return [Row("superfluous", self.resource.kind, self.resource.name, remedy=self._remedy)]

    def make(self, api: Api, pause: Pause = time.sleep) -> None:
        """Leave it to a person."""

    def names_to_remove(self, api: Api) -> List[str]:
        return self.resource.names_to_remove(api)

    def remove(self, api: Api, pause: Pause = time.sleep) -> None:
        self.resource.remove(api, pause)

    def contents(self, api: Api) -> str:
        return self.resource.contents(api)


def superfluous(settings: Settings, api: Api, enabled: Enabled) -> List[Superfluous]:
    """Return what is labelled as the chosen environment's and is wanted by no environment of its project."""
    wanted = wanted_names(settings)
    looks = [look for service, look in LOOKS.items() if enabled.services[service]]
    found = [thing for look in looks for thing in look(settings, api)]
    return [thing for thing in found if (thing.resource.kind, thing.resource.name) not in wanted]


def wanted_names(settings: Settings) -> Set[Tuple[str, str]]:
    """Return (kind, name) of all that the environments of this project want."""
    named = [resources(settings, name, place) for name, place in same_project(settings)]
    return {(resource.kind, resource.name) for found in named for resource in found}


def buckets(settings: Settings, api: Api) -> Iterator[Superfluous]:
    place, labels = settings.environment, labels_of(settings)
    for entry in api.pages("list the buckets", "storage", "b", "items", {"project": place.project}):
        if is_of(settings, entry):
            bucket = Bucket(entry["name"], place.region, settings.pipeline.name, labels, settings.selected)
            yield Superfluous(bucket, f"Run: gcloud storage rm --recursive gs://{bucket.name}")


def repositories(settings: Settings, api: Api) -> Iterator[Superfluous]:
    place, labels = settings.environment, labels_of(settings)
    path = f"v1/{place.location}/repositories"
    for entry in api.pages("list the repositories", "artifactregistry", path, "repositories"):
        if is_of(settings, entry):
            repository = Repository(entry["name"].rpartition("/")[2], place.location, labels, settings.selected)
            at = f"--project={place.project} --location={place.region}"
            yield Superfluous(repository, f"Run: gcloud artifacts repositories delete {repository.name} {at}")


def datasets(settings: Settings, api: Api) -> Iterator[Superfluous]:
    place, labels = settings.environment, labels_of(settings)
    query = {"filter": f"labels.{MANAGED_BY}:{OURS}"}
    path = f"projects/{place.project}/datasets"
    for entry in api.pages("list the datasets", "bigquery", path, "datasets", query):
        if is_of(settings, entry):
            name = entry["datasetReference"]["datasetId"]
            dataset = Dataset(name, place.project, place.region, labels, settings.selected)
            yield Superfluous(dataset, f"Run: bq rm -r -d {place.project}:{name}")


def accounts(settings: Settings, api: Api) -> Iterator[Superfluous]:
    """Yield accounts and the identity pool, which bear no labels that would tell whose they are."""
    place = settings.environment
    path = f"v1/projects/{place.project}/serviceAccounts"
    for entry in api.pages("list the service accounts", "iam", path, "accounts"):
        if is_marked(entry):
            account = Account(entry["email"], place.project)
            yield Superfluous(account, f"Run: gcloud iam service-accounts delete {account.name}")
    pool = Pool(place.project)
    found = None if any(other.github for _, other in same_project(settings)) else pool.read(api)
    if found is not None and pool.is_ours(found):
        at = f"--project={place.project} --location=global"
        yield Superfluous(pool, f"Run: gcloud iam workload-identity-pools delete {pool.name} {at}")


# By the API that each asks.
LOOKS = {"storage": buckets, "artifactregistry": repositories, "bigquery": datasets, "iam": accounts}
