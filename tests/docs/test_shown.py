import pytest

from tests.docs.shown import find_missing, stable

SEEN = """\
source: commit 423807b (main)
run: ✓ Trainer: succeeded 36.9 s
metric    value  threshold
macro_f1  0.636    ≥ 0.400  ✓

release  /home/you/esteira/.esteira/releases/e5b3cd466c3a/release.json
"""


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        (SEEN, None),
        ("source: commit 1234567 (main)\nrun: ✓ Trainer: succeeded 9.0 s\n", None),
        ("source: commit 1234567 (main)\n…\nmacro_f1 0.641 ≥ 0.400 ✓\n", None),
        ("…\nrelease /home/you/esteira/.esteira/releases/0123456789ab/release.json\n", None),
        ("source: commit 1234567 …\nrun: ✓ Trainer: …\n", None),
        ("source: commit 1234567 …\nrun: ✗ Trainer: …\n", "run: ✗ Trainer: …"),
        ("source: commit 1234567 (main)\nmacro_f1 0.641 ≥ 0.400 ✓\n", "macro_fN N ≥ N ✓"),
        ("…\nmacro_f1 0.641 ≥ 0.400 ✗\n", "macro_fN N ≥ N ✗"),
        ("run: ✓ Trainer: succeeded 1.0 s\n…\nsource: commit 423807b (main)\n", "source: commit ID (main)"),
    ],
)
def test_what_is_shown_must_be_seen_in_its_order(shown: str, missing: "str | None") -> None:
    assert find_missing(shown, SEEN) == missing


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("5,874 rows in 0.25 s", "N rows in N s"),
        ("x-request-id: 520853509115642600", "x-request-id: ID"),
        ("●  e7af033ded7a  2026-11-27 15:48:57  423807b", "● ID N-N-N N:N:N ID"),
        ("macro_f1  0.628  0.636  +0.008", "macro_fN N N N"),
        ('{"confidence":0.9968605,"probabilities":[0.0023183657,8e-05]}', '{"confidence":N,"probabilities":[N,N]}'),
    ],
)
def test_figures_and_ids_are_told_by_their_kind_alone(line: str, same: str) -> None:
    assert stable(line) == same
