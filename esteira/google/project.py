"""The number of the environment's project, which Google's own resource names hold."""

from esteira.google.api import Api
from esteira.settings import Settings


def project_number(settings: Settings, api: Api) -> str:
    """Return the number of the project that the environment's bucket is in, which is the environment's own.

    The bucket is asked, as every account of a deploy may look at it. Raises GoogleError.
    https://cloud.google.com/storage/docs/json_api/v1/buckets#resource
    """
    bucket = settings.environment.bucket
    answer = api.call(
        f"look at the bucket {bucket}", "storage", "GET", f"b/{bucket}", query={"fields": "projectNumber"}
    )
    return str(answer["projectNumber"])
