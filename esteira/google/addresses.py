"""Where Google's APIs answer, unless gcloud's own variables say otherwise.

CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM and the like are gcloud's properties api_endpoint_overrides/*,
which private endpoints and stand-ins are reached by, too; so gcloud and the engine ask the same servers.
https://cloud.google.com/sdk/gcloud/reference/topic/configurations#available-properties
"""

from typing import Mapping
from urllib.parse import urlsplit, urlunsplit

from esteira.errors import SettingsError
from esteira.loopback import is_loopback

OVERRIDE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"
# What the client libraries of Cloud Storage know a stand-in by.
EMULATOR = "STORAGE_EMULATOR_HOST"
# With the part of the path that gcloud has in the address of a service, too.
ADDRESSES = {
    "bigquery": "https://bigquery.googleapis.com/bigquery/v2/",
    "storage": "https://storage.googleapis.com/storage/v1/",
}
# https://cloud.google.com/vertex-ai/docs/reference/rest#service-endpoint
REGIONAL = ("aiplatform",)


def base_url(service: str, region: str, environ: Mapping[str, str]) -> str:
    """Return the address of a service such as "cloudbuild", with a slash at its end; `region` for a regional one.

    Raises SettingsError for an override that would send credentials over plain HTTP.
    """
    variable = OVERRIDE + service.upper()
    override = environ.get(variable)
    if service == "storage" and not override and environ.get(EMULATOR):
        variable, override = EMULATOR, environ[EMULATOR].rstrip("/") + "/storage/v1/"
    if override:
        if not override.startswith("https://") and not is_local_url(override):
            raise SettingsError(f"{variable}: is {override}; expected https://…, or http:// on 127.0.0.1")
        return override.rstrip("/") + "/"
    prefix = f"{region}-" if service in REGIONAL else ""
    return ADDRESSES.get(service, f"https://{prefix}{service}.googleapis.com/")


def upload_url(base: str) -> str:
    """Return where the API at `base` takes contents. https://cloud.google.com/storage/docs/json_api#uris"""
    parts = urlsplit(base)
    return urlunsplit(parts._replace(path="/upload" + parts.path))


def is_local_url(url: str) -> bool:
    """Return whether a URL is plain HTTP on this machine, where nobody asks for credentials."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme == "http" and is_loopback(f"[{host}]" if ":" in host else host)
