"""The part of a collection that needs the environment `local`: what runs and killed writers left there."""

from pathlib import Path
from typing import AbstractSet, Iterable, List, Set

from esteira.files import telling_os_errors
from esteira.images.bases import read_bases
from esteira.images.layout import is_used, layout_of
from esteira.images.unused import unused_paths
from esteira.local.jobs.content import walk_files
from esteira.local.jobs.store import Store as MetadataStore
from esteira.local.jobs.unused import KeptRuns, unused_folders, unused_logs
from esteira.locks import is_locked
from esteira.release.collection import Removal
from esteira.release.lineage.records import PUSHED_DESTINATION
from esteira.release.manifest import Release
from esteira.release.places import model_prefix
from esteira.release.store.folder import remove_empty
from esteira.release.store.names import NEW
from esteira.release.store.scratch import Scratch
from esteira.settings import Settings

ROOT = "root"
METADATA = "metadata.sqlite"


def runs_folder(settings: Settings) -> Path:
    return settings.state / "logs" / "runs"


def local_removals(
    settings: Settings, kept: List[Release], removed: AbstractSet[str], running: Iterable[str]
) -> List[Removal]:
    """Return the outputs of tasks, the logs and the unfinished files that neither `kept` nor a run needs.

    Outputs stay while a run is under way, since it may take any of them from the cache.
    """
    runs = {release.outcome.run for release in kept if release.outcome}
    stay = KeptRuns({release.id for release in kept}, runs.union(running))
    root, logs = settings.folder / ROOT, runs_folder(settings)
    found = [describe("unfinished", path, settings.folder) for path in unfinished(settings.folder)]
    if (settings.state / METADATA).exists():
        with MetadataStore(settings.state / METADATA, read_only=True) as metadata:
            outputs = [] if running else unused_folders(metadata, root, settings.pipeline.name, stay)
            unused = unused_logs(metadata, logs, root, stay, removed)
        found += [describe("output", path, settings.folder) for path in outputs]
        found += [describe("logs", path, settings.state) for path in unused]
    if not running:
        found += [describe("image", path, settings.state) for path in unused_images(settings, kept)]
    return found


def unused_images(settings: Settings, kept: List[Release]) -> List[Path]:
    """Return what neither kept releases, the images made last nor their bases need of the images here.

    Nothing goes while an image is being made.
    """
    layout = layout_of(settings)
    if not layout.folder.is_dir() or is_used(layout):
        return []
    bases = [base.digest for base in read_bases(settings.root).values()]
    return unused_paths(layout, [*bases, *(release.parts["image"].content for release in kept if has_image(release))])


def has_image(release: Release) -> bool:
    return "image" in release.parts and bool(release.parts["image"].content)


def pushed_models(settings: Settings) -> Set[str]:
    """Return the prefixes in the store of all models that runs here have ever pushed."""
    if not (settings.state / METADATA).exists():
        return set()
    with MetadataStore(settings.state / METADATA, read_only=True) as metadata:
        places = {str(artifact.metadata.get(PUSHED_DESTINATION, "")) for _, artifact in metadata.artifacts_by_run()}
    return {model_prefix(place) for place in places} - {""}


def unfinished(folder: Path) -> List[Path]:
    """Return what writers and collections that were killed left where things are made in a store."""
    made = (folder / NEW).glob("*/")
    return sorted(path for path in made if not is_locked(path) and path.exists())


def describe(kind: str, path: Path, base: Path) -> Removal:
    sizes = [file.lstat().st_size for file in walk_files(path)]
    return Removal(kind, path.relative_to(base).as_posix(), len(sizes), sum(sizes))


def place(settings: Settings, removal: Removal) -> Path:
    return (settings.state if removal.kind in ("image", "logs") else settings.folder) / removal.name


def mark_deleted(settings: Settings, removals: Iterable[Removal]) -> None:
    """Tell the metadata store what is about to be removed, so that no run is offered half of it."""
    if settings.is_local and (settings.state / METADATA).exists():
        with MetadataStore(settings.state / METADATA) as metadata:
            metadata.mark_deleted(str(place(settings, removal)) for removal in removals)


def discard(settings: Settings, removal: Removal) -> None:
    """Remove a folder: first from its place, at once, so that nobody finds a part of it there."""
    path, logs = place(settings, removal), removal.kind == "logs"
    # What lies unfinished is removed by whoever asks for a folder there.
    with telling_os_errors("remove", path), Scratch(settings.folder).folder() as aside:
        if removal.kind != "unfinished" and path.exists():
            path.rename(aside / path.name)
    if removal.kind != "image":
        remove_empty(path.parent, runs_folder(settings) if logs else settings.folder)
