from pathlib import Path

from esteira.deploy.planned import lay_patch
from esteira.release.store.folder import FolderStore


def test_a_patch_is_kept_under_its_content_and_none_where_nothing_differs(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    lay_patch(store, b"")
    assert store.list("patches") == []
    lay_patch(store, b"diff")
    lay_patch(store, b"diff")
    (entry,) = store.list("patches")
    stored = store.read(entry.name)
    assert stored and stored.content == b"diff"
