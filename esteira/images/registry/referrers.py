"""What refers to an image, such as its SBOM: listed by the registry, or under a tag where it cannot do so.

Source: distribution-spec v1.1, "Listing Referrers" and "Referrers Tag Schema".
"""

import json
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Sequence, Set, Tuple

from esteira.errors import RegistryError
from esteira.images.descriptor import Descriptor, document_bytes
from esteira.images.media import INDEX
from esteira.images.registry.client import RegistryClient


@dataclass(frozen=True)
class Referrers:
    """The entries that refer to an image; `by_tag` where the registry does not list them itself."""

    entries: List[Dict[str, Any]]
    by_tag: bool

    @property
    def digests(self) -> Set[str]:
        return {str(entry.get("digest")) for entry in self.entries}


def list_referrers(client: RegistryClient, repository: str, digest: str) -> Referrers:
    """Return what refers to an image."""
    place = f"{client.host}/{repository}@{digest}"
    listed = client.referrers(repository, digest)
    if listed is not None:
        return Referrers(read_entries(listed, place), by_tag=False)
    tag = fallback_tag(digest)
    if client.find_manifest(repository, tag, [INDEX]) is None:
        return Referrers([], by_tag=True)
    return Referrers(read_entries(client.get_manifest(repository, tag, [INDEX]).content, place), by_tag=True)


def record_referrers(
    client: RegistryClient,
    repository: str,
    digest: str,
    known: Referrers,
    pushed: Sequence[Tuple[Descriptor, Mapping[str, Any]]],
) -> None:
    """Put what was pushed, with its documents, into the index under the fallback tag, if the registry needs one."""
    if not known.by_tag:
        return
    new = [referrer_entry(entry, document) for entry, document in pushed]
    kept = [entry for entry in known.entries if entry.get("digest") not in {made["digest"] for made in new}]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [*kept, *new]}
    client.put_manifest(repository, fallback_tag(digest), document_bytes(index), INDEX)


def fallback_tag(digest: str) -> str:
    """Return the tag under which an image's referrers are listed."""
    algorithm, _, hexadecimal = digest.partition(":")
    return f"{algorithm[:32]}-{hexadecimal[:64]}"


def referrer_entry(entry: Descriptor, document: Mapping[str, Any]) -> Dict[str, Any]:
    """Return a referrer's descriptor, with its own kind and annotations as the specification wants them."""
    kind = document.get("artifactType") or document.get("config", {}).get("mediaType", "")
    named = Descriptor(
        entry.media_type,
        entry.digest,
        entry.size_bytes,
        annotations=dict(document.get("annotations") or {}),
        artifact_type=str(kind),
    )
    return named.document()


def read_entries(content: bytes, place: str) -> List[Dict[str, Any]]:
    try:
        entries = json.loads(content)["manifests"]
        return [dict(entry) for entry in entries]
    except (ValueError, KeyError, TypeError):
        raise RegistryError(f"{place}: the registry lists its referrers in no index. Run the command again.") from None
