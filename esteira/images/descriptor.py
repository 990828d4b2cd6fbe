"""Descriptors: how OCI documents name a blob, by media type, digest and size.

Source: image-spec v1.1, descriptor.md.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping

from esteira.release.digest import digest_bytes


@dataclass(frozen=True)
class Descriptor:
    """A blob and what it is. `platform` and `annotations` are empty where nothing is said of them."""

    media_type: str
    digest: str
    size_bytes: int
    platform: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""

    def document(self) -> Dict[str, Any]:
        """Return the descriptor as it stands in JSON documents."""
        entry: Dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size_bytes}
        if self.artifact_type:
            entry["artifactType"] = self.artifact_type
        if self.platform:
            entry["platform"] = dict(self.platform)
        if self.annotations:
            entry["annotations"] = dict(self.annotations)
        return entry


def read_descriptor(entry: Mapping[str, Any]) -> Descriptor:
    """Return the descriptor that a JSON object holds; KeyError or TypeError if it is none."""
    return Descriptor(
        media_type=str(entry["mediaType"]),
        digest=str(entry["digest"]),
        size_bytes=int(entry["size"]),
        platform=dict(entry.get("platform") or {}),
        annotations=dict(entry.get("annotations") or {}),
        artifact_type=str(entry.get("artifactType") or ""),
    )


def describe_bytes(media_type: str, content: bytes) -> Descriptor:
    return Descriptor(media_type, digest_bytes(content), len(content))


def document_bytes(document: Mapping[str, Any]) -> bytes:
    """Return a JSON document's bytes: keys sorted, no white space, so equal documents have equal digests."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
