from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from esteira.release.lineage.fit import shorten, wrap_name


def test_a_long_name_is_broken_where_its_words_are() -> None:
    name = "latest_blessed_model_resolver-model-blessing-resolver"
    assert wrap_name(name, 30) == ("latest_blessed_model_resolver-", "model-blessing-resolver")
    assert wrap_name("Trainer", 30) == ("Trainer",)
    assert wrap_name("W" * 70, 30) == ("W" * 30, "W" * 14 + "…" + "W" * 14)


def test_a_long_text_loses_its_middle() -> None:
    assert shorten("abcdefghij", 7) == "abc…hij"
    assert shorten("abcdefg", 7) == "abcdefg"


@given(st.text(max_size=80), st.integers(9, 40))
def test_nothing_is_wider_than_its_limit(text: str, limit: int) -> None:
    assert cell_len(shorten(text, limit)) <= limit
    assert all(cell_len(line) <= limit for line in wrap_name(text, limit))
    assert len(wrap_name(text, limit)) <= 2
