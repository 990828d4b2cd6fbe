"""The number of a project."""

import pytest

from esteira.errors import GoogleError
from esteira.google.api import Api
from esteira.google.project import project_number
from esteira.local.cloud import storage
from esteira.local.cloud.server import StandIn, served
from esteira.local.cloud.storage import Buckets
from esteira.settings import Environment, Settings

pytestmark = pytest.mark.loopback

DEV = Environment(project="demo-project", region="europe-west1", bucket="demo-bucket", repository="images")


def test_the_bucket_tells_the_number_of_its_project(settings: Settings) -> None:
    chosen = settings.copy(update={"selected": "dev", "environments": {"dev": DEV}})
    buckets = Buckets()
    stand_in = StandIn(storage.handlers(buckets))
    with served(stand_in):
        api = Api("demo-project", "europe-west1", stand_in.variables(), environment="dev")
        with pytest.raises(GoogleError, match="cannot look at the bucket demo-bucket"):
            project_number(chosen, api)
        buckets.put("demo-bucket")
        assert project_number(chosen, api) == "123456789012"
