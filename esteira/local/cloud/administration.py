"""What an owner sees of a project in the stand-in: its APIs, accounts, policies, repositories, datasets and secrets."""

from dataclasses import dataclass, field
from typing import Any, Dict, Set

from esteira.cloud.mirror import find_mirror, mirrors
from esteira.local.cloud.accounts import Accounts
from esteira.local.cloud.identities import Identities
from esteira.local.cloud.numbers import PROJECT_NUMBER
from esteira.local.cloud.policies import Policies
from esteira.local.cloud.refusal import Refused, disabled
from esteira.local.cloud.registry_api import Repositories
from esteira.local.cloud.secrets import Secrets
from esteira.local.cloud.server import Call, Handler
from esteira.local.cloud.services import ServiceUsage
from esteira.local.cloud.warehouse.jobs import Jobs
from esteira.local.cloud.warehouse.table_data import TableData
from esteira.local.cloud.warehouse.tables import Warehouse
from esteira.settings import Environment

PROJECTS = "cloudresourcemanager.projects"
Json = Dict[str, Any]


@dataclass
class Administration:
    """A project as it is when it was just made: hardly an API is enabled, and nothing is there."""

    project: str = "demo-project"
    number: str = PROJECT_NUMBER
    usage: ServiceUsage = field(init=False)
    accounts: Accounts = field(init=False)
    policies: Policies = field(init=False)
    identities: Identities = field(init=False)
    repositories: Repositories = field(default_factory=Repositories)
    warehouse: Warehouse = field(init=False)
    jobs: Jobs = field(init=False)
    secrets: Secrets = field(init=False)
    mirrors: Set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.usage = ServiceUsage(self.project, self.number)
        self.accounts = Accounts(self.project)
        self.policies = Policies(self.project, self.is_account)
        self.identities = Identities(self.project, self.number)
        self.warehouse = Warehouse(self.project)
        self.jobs = Jobs(self.warehouse)
        self.secrets = Secrets(self.number)

    def add_mirrors(self, place: Environment) -> None:
        """Make the mirrors that an environment names, as a person must have made them: builds may read them."""
        for mirror in filter(None, map(find_mirror, mirrors(place))):
            self.mirrors.add(mirror.path)
            self.repositories.put(mirror.path, mode="REMOTE_REPOSITORY")
            self.policies.put(mirror.path, "roles/artifactregistry.reader", f"serviceAccount:{place.builder_email}")

    @property
    def lacking(self) -> Set[str]:
        """The permissions that whoever asks has not."""
        return self.policies.lacking

    def is_account(self, email: str) -> bool:
        """Return whether a policy may name an account: Google's agents are there once they were asked for."""
        if email == f"service-{self.number}@gcp-sa-aiplatform.iam.gserviceaccount.com":
            return "aiplatform.googleapis.com" in self.usage.agents
        return self.accounts.is_known(email)

    def handlers(self) -> Dict[str, Handler]:
        """Return what answers for the project; an API that is not enabled refuses."""
        found: Dict[str, Handler] = {
            f"{PROJECTS}.get": self.get_project,
            f"{PROJECTS}.getIamPolicy": lambda call: self.policies.get(self.known(call)),
            f"{PROJECTS}.setIamPolicy": lambda call: self.policies.set(self.known(call), call.body["policy"]),
            f"{PROJECTS}.testIamPermissions": lambda call: self.policies.test(
                call.body["permissions"] if self.known(call) else []
            ),
            **self.usage.handlers(),
            **self.accounts.handlers(self.policies),
            **self.identities.handlers(),
            **self.repositories.handlers(self.policies),
            **self.warehouse.handlers(),
            **self.jobs.handlers(),
            **TableData(self.warehouse).handlers(),
            **self.secrets.handlers(self.policies),
        }
        return {method: self.guarded(method, handler) for method, handler in found.items()}

    def guarded(self, method: str, handler: Handler) -> Handler:
        service = method.partition(".")[0]

        def answer(call: Call) -> Any:
            if f"{service}.googleapis.com" not in self.usage.enabled:
                raise disabled(service, self.project)
            return handler(call)

        return answer

    def known(self, call: Call) -> str:
        """Return the project's id. Refused for another: whether it is there is nobody's business."""
        asked = call.parameters.get("resource", call.parameters.get("projectId", ""))
        if asked != self.project:
            raise Refused(403, "The caller does not have permission")
        return self.project

    def get_project(self, call: Call) -> Json:
        known = self.known(call)
        return {"projectId": known, "projectNumber": self.number, "name": known, "lifecycleState": "ACTIVE"}
