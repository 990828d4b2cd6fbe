"""The one place that says what must exist in an environment's project, in the order that it is made in.

Who may do what is said in roles.py, which APIs are needed in services.py.
"""

from typing import Dict, Iterator, List, Tuple

from esteira.cloud.account import Account, VertexAgent
from esteira.cloud.bucket import Bucket
from esteira.cloud.dataset import Dataset
from esteira.cloud.dataset_access import DatasetAccess
from esteira.cloud.doors import door
from esteira.cloud.federation import Pool, Provider, let_in, principals
from esteira.cloud.foreign import ForeignPolicy
from esteira.cloud.grant import Grant, Scope, account_member
from esteira.cloud.labels import labels_of
from esteira.cloud.mirror import is_of_project, mirrors
from esteira.cloud.part import Part, Resource
from esteira.cloud.policy import Ours, Policy
from esteira.cloud.repository import Repository
from esteira.cloud.roles import grants, secrets
from esteira.cloud.secret import Secret
from esteira.cloud.services import Enabled, Services
from esteira.cloud.table import Table
from esteira.monitoring.forms import FORMS, REQUEST_LOG
from esteira.settings import Environment, Settings


def parts(settings: Settings, enabled: Enabled) -> List[Part]:
    """Return all parts of the chosen environment: each needs only what stands before it."""
    place = settings.environment
    return [
        Services(enabled),
        VertexAgent(enabled.number),
        *resources(settings, settings.selected, place),
        *(Secret(name, place.project) for name in secrets(settings)),
        *policies(settings, enabled.number),
    ]


def resources(settings: Settings, name: str, place: Environment) -> Iterator[Resource]:
    """Yield what is made in the project for the environment `name`."""
    labels = labels_of(settings.copy(update={"selected": name}))
    named = f"environments.{name}"
    yield Account(place.builder_email, place.project, named_by=f"{named}.build_account" if place.build_account else "")
    yield Account(place.runner_email, place.project, named_by=f"{named}.run_account" if place.run_account else "")
    yield Bucket(place.bucket, place.region, settings.pipeline.name, labels, name)
    yield Repository(place.repository, place.location, labels, name)
    yield Dataset(place.dataset, place.project, place.region, labels, name)
    for table in FORMS:
        expiry_days = settings.log.expiry_days if table == REQUEST_LOG else 0
        yield Table(place.dataset, table, place.project, labels, settings.root, expiry_days)
    if place.github:
        yield Pool(place.project)
        yield Provider(place.project, [let_in(other) for _, other in same_project(settings) if other.github])


def same_project(settings: Settings) -> List[Tuple[str, Environment]]:
    """Return the environments that share the chosen one's project, itself among them, by name."""
    project = settings.environment.project
    return [(name, place) for name, place in sorted(settings.environments.items()) if place.project == project]


def policies(settings: Settings, number: str) -> Iterator[Policy]:
    """Yield the policy of each thing that somebody has a role on."""
    place = settings.environment
    others = [other for name, other in same_project(settings) if name != settings.selected]
    kept = grouped([grant for other in others for grant in grants(settings, other, number)])
    wanted = grouped(grants(settings, place, number))
    # Who once could become the build account must not stay able to, even where nobody is wanted to be.
    wanted.setdefault(("service account", place.builder_email), [])
    for (scope, target), given in wanted.items():
        kind = DatasetAccess if scope == "dataset" else Policy
        yield (kind if is_of_project(target, place.project) else ForeignPolicy)(
            door(scope, target, place),
            scope,
            target,
            given,
            frozenset(grant.key for grant in kept.get((scope, target), [])),
            our_members(settings, number),
            place.location,
            theirs=scope == "secret" or target in (place.build_account, place.run_account, *mirrors(place)),
        )


def grouped(given: List[Grant]) -> Dict[Tuple[Scope, str], List[Grant]]:
    """Return grants by what they are for."""
    groups: Dict[Tuple[Scope, str], List[Grant]] = {}
    for grant in given:
        groups.setdefault((grant.scope, grant.target), []).append(grant)
    return groups


def our_members(settings: Settings, number: str) -> Ours:
    """Return who we may take roles away from: the accounts that we make, and our pool."""
    named = {name for place in settings.environments.values() for name in (place.build_account, place.run_account)}
    project = settings.environment.project
    emails = {f"esteira-{name}@{project}.iam.gserviceaccount.com" for name in ("build", "run")}
    return Ours(frozenset(map(account_member, emails - named)), (principals(number),))
