from pathlib import Path

from esteira.builds.submit import Submitted
from esteira.deploy.submission import NAME, Submission, keep_submission, read_submission
from esteira.release.order import Order
from esteira.release.store.folder import FolderStore

ORDER = Order(
    kind="partial",
    reason="modules differ",
    by="ml@laptop",
    at="2026-11-22T10:00:01Z",
    parent="0123456789ab",
    generation=1,
    commit="1" * 40,
    dirty=False,
    parts={},
    lease="0a1b2c3d",
)


def test_what_was_submitted_last_is_kept_for_everybody(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    assert read_submission(store) is None
    keep_submission(store, ORDER, Submitted("b-1", "https://page/1"), "make deploy")
    kept = keep_submission(store, ORDER, Submitted("b-2", "https://page/2"), "make deploy-partial")
    assert (
        kept
        == read_submission(FolderStore(tmp_path / "store"))
        == Submission(
            build="b-2",
            page="https://page/2",
            what="make deploy-partial",
            kind="partial",
            by="ml@laptop",
            at="2026-11-22T10:00:01Z",
            commit="1" * 40,
            follows="0123456789ab",
        )
    )
    stored = store.read(NAME)
    assert stored is not None
    assert b"0a1b2c3d" not in stored.content  # the lease's token


def test_what_another_version_kept_counts_as_nothing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    for content in (b"", b"[]", b'{"build": "b-1"}', b"\xff"):
        store.write(NAME, content)
        assert read_submission(store) is None
