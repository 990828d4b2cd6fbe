"""The bucket that releases, and all that they are made of, lie in.

https://cloud.google.com/storage/docs/json_api/v1/buckets
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, Optional
from urllib.parse import quote

from esteira.cloud.labels import is_labelled
from esteira.cloud.part import Difference, Resource, compare, gone, read_or_none
from esteira.google.api import Api, Json, Pause

OLD_VERSIONS_DAYS = 30
SOURCES_DAYS = 30
ROOT_DAYS = 90
UPLOADS_DAYS = 7
# Objects are counted up to here.
COUNTED = 1000
# Deletes at a time.
AT_ONCE = 16


class Bucket(Resource):
    service = "storage"
    kind = "bucket"
    why = "releases, their parts, the source of builds, the pipeline's artifacts and models"

    def __init__(self, name: str, region: str, pipeline: str, labels: Dict[str, str], environment: str) -> None:
        self.name = name
        self._region = region
        self._pipeline = pipeline
        self._labels = labels
        self._environment = environment

    def body(self) -> Json:
        """Return the bucket as it must be.

        Access is told by the bucket's policy alone, never by objects, and nobody outside is ever let in.
        """
        access = {"uniformBucketLevelAccess": {"enabled": True}, "publicAccessPrevention": "enforced"}
        return {
            "iamConfiguration": access,
            "versioning": {"enabled": True},
            "lifecycle": {"rule": lifecycle(self._pipeline)},
            "labels": self._labels,
        }

    def read(self, api: Api) -> Optional[Json]:
        return read_or_none(api, f"read bucket {self.name}", "storage", f"b/{self.name}")

    def is_ours(self, found: Json) -> bool:
        return is_labelled(found)

    def differences(self, found: Json) -> List[Difference]:
        differences = wrong_region(found, self._region, self._environment)
        return differences + compare(found, {**self.body(), "lifecycle": {"rule": self.rules(found)}})

    def rules(self, found: Json) -> List[Dict[str, Any]]:
        """Return the rules as they must be: ours, and those of other pipelines in the same bucket."""
        ours = lifecycle(self._pipeline)
        there = (found.get("lifecycle") or {}).get("rule") or []
        others = [rule for rule in there if rule not in ours and is_of_another(rule, self._pipeline)]
        return there if same(others + ours, there) else others + ours

    def create(self, api: Api, pause: Pause) -> None:
        body = {**self.body(), "name": self.name, "location": self._region.upper(), "storageClass": "STANDARD"}
        api.call(
            f"create bucket {self.name}",
            "storage",
            "POST",
            "b",
            body=body,
            query={"project": api.project},
            find=lambda: self.read(api),
        )

    def update(self, api: Api, found: Json) -> None:
        body = {**self.body(), "lifecycle": {"rule": self.rules(found)}}
        query = {"ifMetagenerationMatch": found["metageneration"]} if "metageneration" in found else {}
        what = f"change bucket {self.name}"
        api.call(what, "storage", "PATCH", f"b/{self.name}", body=body, query=query, find=lambda: self.changed(api))

    def changed(self, api: Api) -> Optional[Json]:
        """Return the bucket once it is as it must be."""
        found = self.read(api)
        return found if found is not None and not self.differences(found) else None

    def contents(self, api: Api) -> str:
        """Return how many objects, old versions included, the bucket holds."""
        query = {"versions": True, "maxResults": COUNTED}
        page = api.call(f"list bucket {self.name}", "storage", "GET", f"b/{self.name}/o", query=query)
        count = len(page.get("items", []))
        if not count:
            return ""
        more = "more than " if page.get("nextPageToken") else ""
        return f"bucket {self.name}: {more}{count:,} object{'' if count == 1 else 's'}, old versions included"

    def delete(self, api: Api, pause: Pause) -> None:
        """Remove the bucket with all that it holds."""
        what = f"empty bucket {self.name}"

        def remove(entry: Json) -> None:
            path = f"b/{self.name}/o/{quote(entry['name'], safe='')}"
            gone(api, what, "storage", path, {"generation": entry["generation"]})

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(remove, api.pages(what, "storage", f"b/{self.name}/o", "items", {"versions": True})))
        gone(api, f"delete bucket {self.name}", "storage", f"b/{self.name}")


def wrong_region(found: Json, region: str, environment: str) -> List[Difference]:
    """Return the difference of a bucket that lies elsewhere: there Vertex AI would read and write across regions.

    https://cloud.google.com/vertex-ai/docs/general/locations
    """
    if found.get("location", "").lower() == region:
        return []
    remedy = (
        f"A bucket cannot be moved. Name another one in esteira.toml, environments.{environment}.bucket, "
        f"or set environments.{environment}.region to where it is"
    )
    return [Difference("location", found.get("location", "").lower(), region, remedy)]


def lifecycle(pipeline: str) -> List[Dict[str, Any]]:
    """Return the rules by which Cloud Storage clears up; what releases name is only removed by `make gc`.

    The pipeline's root becomes cheaper, and is never deleted: the last blessed model lies there, which
    the next one is compared with.
    """
    root = {"age": ROOT_DAYS, "matchesPrefix": [f"{pipeline}/root/"], "matchesStorageClass": ["STANDARD"]}
    return [
        {"action": {"type": "Delete"}, "condition": {"isLive": False, "daysSinceNoncurrentTime": OLD_VERSIONS_DAYS}},
        {"action": {"type": "Delete"}, "condition": {"age": SOURCES_DAYS, "matchesPrefix": [f"{pipeline}/sources/"]}},
        {"action": {"type": "SetStorageClass", "storageClass": "NEARLINE"}, "condition": root},
        {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": UPLOADS_DAYS}},
    ]


def is_of_another(rule: Dict[str, Any], pipeline: str) -> bool:
    """Return whether a rule is for objects of other pipelines only."""
    prefixes = rule.get("condition", {}).get("matchesPrefix") or []
    return bool(prefixes) and not any(prefix.startswith(f"{pipeline}/") for prefix in prefixes)


def same(some: List[Dict[str, Any]], others: List[Dict[str, Any]]) -> bool:
    """Return whether two lists hold the same rules; their order has no meaning."""
    return len(some) == len(others) and all(rule in others for rule in some)
