"""The requests for objects of a bucket. https://cloud.google.com/storage/docs/json_api/v1/objects

All of them may be repeated: uploads send the same content again, and say at which generation they may.
"""

import json
from typing import IO, TYPE_CHECKING, Callable, Dict, Optional
from urllib.parse import quote

from esteira.google.addresses import upload_url
from esteira.google.api import Api, Json, Query
from esteira.google.refusals import NotFoundError
from esteira.release.store.content import Content, content_in, content_type, multipart
from esteira.release.store.interface import ABSENT
from esteira.release.store.resumable import Pieces

if TYPE_CHECKING:
    import requests

PAGE_OBJECTS = 1000  # the most that one answer of a listing holds
FIELDS = "items(name,size,crc32c),nextPageToken"


class Objects:
    """The objects of `bucket` by their whole names.

    All methods raise GoogleError, such as NotFoundError for an object or a bucket that is not there.
    """

    def __init__(self, api: Api, bucket: str) -> None:
        self._api = api
        self._path = f"b/{bucket}/o"

    def read(self, name: str) -> "requests.Response":
        """Return the answer with an object's content."""
        return self._repeated(
            "read", lambda: self._api.request("storage", "GET", self._place(name), query={"alt": "media"})
        )

    def resource(self, name: str) -> Json:
        return self._api.call("read", "storage", "GET", self._place(name))

    def contents(self, prefix: str) -> Dict[str, Content]:
        """Return what lies below a prefix, by name."""
        query: Query = {"prefix": prefix, "fields": FIELDS, "maxResults": PAGE_OBJECTS}
        items = self._api.pages("list", "storage", self._path, "items", query)
        return {item["name"]: content_in(item) for item in items}

    def any(self) -> bool:
        """Return whether there is any object; NotFoundError if there is no bucket.

        A listing, since the role roles/storage.objectAdmin may not look at a bucket itself.
        """
        return bool(self._api.call("list", "storage", "GET", self._path, query={"maxResults": 1}).get("items"))

    def remove(self, name: str) -> None:
        self._repeated("remove", lambda: self._api.request("storage", "DELETE", self._place(name)))

    def insert(self, resource: Json, content: bytes, if_generation: Optional[int]) -> Json:
        """Upload an object in one request and return its resource; ChangedError if it is at another generation."""
        body, kind = multipart(resource, content)
        expected: Query = {} if if_generation is None else {"ifGenerationMatch": if_generation}
        answer = self._post("write", {"uploadType": "multipart", **expected}, body, {"Content-Type": kind})
        return self._api.read("write", answer)

    def insert_large(self, resource: Json, stream: IO[bytes], size_bytes: int) -> Json:
        """Upload an object in pieces, as `insert` does if there is none yet.

        It begins once more if the server has forgotten the upload meanwhile.
        """
        try:
            return Pieces(self._api, self._begin(resource, size_bytes), stream, size_bytes).send()
        except NotFoundError:
            return Pieces(self._api, self._begin(resource, size_bytes), stream, size_bytes).send()

    def _begin(self, resource: Json, size_bytes: int) -> str:
        """Return the URL that the pieces of an upload go to."""
        headers = {
            "Content-Type": "application/json; charset=UTF-8",
            "X-Upload-Content-Type": content_type(resource["name"]),
            "X-Upload-Content-Length": str(size_bytes),
        }
        query: Query = {"uploadType": "resumable", "name": resource["name"], "ifGenerationMatch": ABSENT}
        return self._post("write", query, json.dumps(resource).encode("ascii"), headers).headers["Location"]

    def _post(self, what: str, query: Query, body: bytes, headers: Dict[str, str]) -> "requests.Response":
        url = upload_url(self._api.base("storage")) + self._path
        return self._repeated(
            what, lambda: self._api.request("storage", "POST", "", url=url, query=query, data=body, headers=headers)
        )

    def _repeated(self, what: str, send: "Callable[[], requests.Response]") -> "requests.Response":
        answer = self._api.repeated(what, send, harmless=True)
        self._api.check(what, answer)
        return answer

    def _place(self, name: str) -> str:
        return f"{self._path}/{quote(name, safe='')}"
