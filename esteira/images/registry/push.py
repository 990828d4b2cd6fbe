"""Pushing an image from a layout: the blobs that are missing there, then its manifests, trusted by digest only."""

import threading
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

from esteira.images.descriptor import Descriptor, read_descriptor
from esteira.images.layout import Layout
from esteira.images.media import INDEXES, MANIFESTS
from esteira.images.registry.client import RegistryClient
from esteira.images.registry.reference import Reference
from esteira.images.registry.referrers import list_referrers, record_referrers
from esteira.release.store.parallel import in_parallel


class Pushed(NamedTuple):
    """What a push did. `bytes_sent` counts the content of blobs, all attempts of it, without manifests."""

    digest: str
    blobs_sent: int = 0
    bytes_sent: int = 0
    blobs_present: int = 0
    blobs_mounted: int = 0


def push_image(
    layout: Layout,
    root: Descriptor,
    target: Reference,
    client: RegistryClient,
    *,
    mount_from: Sequence[Reference] = (),
    referrers: Sequence[Descriptor] = (),
    known: Mapping[str, Sequence[str]] = {},
) -> Pushed:
    """Push an index or manifest of the layout, under the target's tag if it has one, and return what was sent.

    `mount_from` are images of the same registry, such as the base, whose blobs need not be sent. `referrers`
    are manifests of the layout with a `subject`, such as an SBOM, which are pushed beside the image. `known`
    names repositories that have a blob, by digest: such a one need not be in the layout.
    Raises UnreachableError, RegistryError if the registry refuses or takes it for something else, and
    LostError if neither the layout nor the registry has a blob.
    """
    sources = [source.repository for source in mount_from if source.host == target.host]
    push = Push(layout, target, client, sources, known)
    if not push.is_there(root):
        push.send_all(root)
    if target.tag:
        push.tag(root)
    by_subject: Dict[str, List[Tuple[Descriptor, Dict[str, Any]]]] = {}
    for entry in referrers:
        document = layout.read(entry.digest)
        by_subject.setdefault(str(document["subject"]["digest"]), []).append((entry, document))
    for subject, about in by_subject.items():
        push_referrers(push, client, target.repository, subject, about)
    return push.outcome(root.digest)


def push_referrers(
    push: "Push", client: RegistryClient, repository: str, subject: str, about: List[Tuple[Descriptor, Dict[str, Any]]]
) -> None:
    """Push what refers to one image and is not there yet."""
    known = list_referrers(client, repository, subject)
    missing = [(entry, document) for entry, document in about if entry.digest not in known.digests]
    for entry, _ in missing:
        push.send_all(entry)
    if missing:
        record_referrers(client, repository, subject, known, missing)


class Push:
    """The push of one image into one repository."""

    def __init__(
        self,
        layout: Layout,
        target: Reference,
        client: RegistryClient,
        sources: Sequence[str],
        known: Mapping[str, Sequence[str]],
    ) -> None:
        self._layout = layout
        self._repository = target.repository
        self._tag = target.tag
        self._client = client
        self._sources = sources
        self._known = known
        self._lock = threading.Lock()
        self._counts = Pushed("")
        self._tagged = ""

    def outcome(self, digest: str) -> Pushed:
        return self._counts._replace(digest=digest)

    def is_there(self, root: Descriptor) -> bool:
        """Return whether the repository has the image: by its tag, which then needs no look of its own, or digest."""
        if self._tag:
            self._tagged = self._client.find_manifest(self._repository, self._tag) or ""
        return self._tagged == root.digest or self._client.find_manifest(self._repository, root.digest) is not None

    def send_all(self, root: Descriptor) -> None:
        """Send blobs, then manifests, each before what names it."""
        manifests, blobs = walk(self._layout, root)
        in_parallel(self._send_blob, sorted(blobs, key=lambda blob: -blob.size_bytes))
        for manifest in manifests:
            self._put(manifest, manifest.digest)

    def tag(self, root: Descriptor) -> None:
        if self._tagged != root.digest:
            self._put(root, self._tag)

    def _put(self, manifest: Descriptor, reference: str) -> None:
        content = self._layout.blob(manifest.digest).read_bytes()
        self._client.put_manifest(self._repository, reference, content, manifest.media_type)

    def _send_blob(self, blob: Descriptor) -> None:
        if self._client.has_blob(self._repository, blob.digest):
            self._count(blobs_present=1)
            return
        named = dict.fromkeys([*self._known.get(blob.digest, ()), *self._sources])
        sources = [name for name in named if name != self._repository]
        sent = self._client.upload_blob(self._repository, self._layout.blob(blob.digest), blob, sources)
        if sent.mounted:
            self._count(blobs_mounted=1)
        else:
            self._count(blobs_sent=1, bytes_sent=sent.bytes_sent)

    def _count(self, **counted: int) -> None:
        with self._lock:
            self._counts = self._counts._replace(
                **{name: getattr(self._counts, name) + number for name, number in counted.items()}
            )


def walk(layout: Layout, root: Descriptor) -> Tuple[List[Descriptor], List[Descriptor]]:
    """Return the manifests below a root, each before what names it, and the blobs that they name, each once."""
    manifests: Dict[str, Descriptor] = {}
    blobs: Dict[str, Descriptor] = {}
    document = layout.read(root.digest)
    for child in children(root, document):
        if child.media_type in (*INDEXES, *MANIFESTS):
            below, named = walk(layout, child)
            manifests.update(by_digest(below))
            blobs.update(by_digest(named))
        else:
            blobs[child.digest] = child
    manifests[root.digest] = root
    return list(manifests.values()), list(blobs.values())


def children(entry: Descriptor, document: Dict[str, Any]) -> List[Descriptor]:
    named = document["manifests"] if entry.media_type in INDEXES else [document["config"], *document["layers"]]
    return [read_descriptor(child) for child in named]


def by_digest(entries: Iterable[Descriptor]) -> Dict[str, Descriptor]:
    return {entry.digest: entry for entry in entries}
