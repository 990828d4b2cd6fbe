"""The signatures in a saved_model.pb, as TensorFlow wrote it."""

from pathlib import Path

import pytest

from esteira.errors import ServingError
from esteira.serving.recorded import read_saved_interfaces
from esteira.serving.saved_interfaces import saved_interfaces
from tests.serving.toy_folder import save_toy_model


@pytest.mark.programs
@pytest.mark.slow
def test_the_signatures_are_read_as_tensorflow_wrote_them(tmp_path: Path) -> None:
    folder = tmp_path / "1"
    save_toy_model(folder)
    assert {name: str(interface) for name, interface in read_saved_interfaces(folder).items()} == {
        "examples": "examples string[n] → probabilities float[n,3]",
        "serving_default": "text string[n] → confidence float[n], label string[n], probabilities float[n,3]",
        "stretch": "point float[n,2], times int64[n] → stretched float[n,2]",
    }
    content = (folder / "saved_model.pb").read_bytes()
    with pytest.raises(ServingError, match=r"^half: is damaged: it ends within a field of \d+ bytes"):
        saved_interfaces(content[: len(content) // 2], "half")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "a: has no graph for serving."),
        (b"\x0b", "a: is damaged: a field of the kind 3 at byte 1."),
        (b"\x80", "a: is damaged: index out of range."),
    ],
)
def test_what_is_no_model_is_told(content: bytes, told: str) -> None:
    with pytest.raises(ServingError) as raised:
        saved_interfaces(content, "a")
    assert str(raised.value).splitlines()[0] == told


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="saved_model.pb: cannot be read: No such file or directory"):
        read_saved_interfaces(tmp_path)
