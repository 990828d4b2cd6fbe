"""How far a segment is sent: a file beside it, so that a sender that is started again goes on there."""

from pathlib import Path

from esteira.files import write_bytes
from esteira.monitoring.journal.segments import ENDING

SENT = ".sent"


def read_sent(segment: Path) -> int:
    """Return how many bytes of a segment are sent; 0 where nothing is known."""
    try:
        return int(sent_path(segment).read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return 0


def write_sent(segment: Path, sent_bytes: int) -> None:
    write_bytes(sent_path(segment), b"%d" % sent_bytes)


def remove_segment(segment: Path) -> None:
    """Remove a segment, then what was known of it: the other way round it would be sent again."""
    segment.unlink()
    if sent_path(segment).exists():
        sent_path(segment).unlink()


def remove_leftovers(journal: Path) -> None:
    """Remove what is known of segments that are gone."""
    for path in journal.glob(f"*{ENDING}{SENT}"):
        if not path.with_name(path.name[: -len(SENT)]).exists():
            path.unlink()


def sent_path(segment: Path) -> Path:
    return segment.with_name(segment.name + SENT)
