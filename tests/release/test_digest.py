from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from esteira.release.digest import digest_bytes, digest_file, digest_files, digest_value, files_below


def test_a_file_has_the_digest_of_its_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert digest_file(tmp_path / "file") == digest_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert digest_bytes(b"abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(st.dictionaries(st.text(), st.integers()), st.randoms())
def test_the_order_of_keys_does_not_count(value: "dict[str, int]", random: "object") -> None:
    items = list(value.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    assert digest_value(dict(items)) == digest_value(value)


def test_a_renamed_file_counts_and_a_byte_code_cache_does_not(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("1")
    before = digest_files(files_below(tmp_path))
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "one.pyc").write_text("1")
    assert digest_files(files_below(tmp_path)) == before
    (tmp_path / "one").rename(tmp_path / "two")
    assert digest_files(files_below(tmp_path)) != before
