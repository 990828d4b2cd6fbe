from pathlib import Path

import pytest

from esteira.errors import ImageError
from esteira.images.layers.metadata import Package, read_package
from esteira.images.layout import Layout
from tests.images.wheels_made import make_wheel, wheel_file

LINES = (
    "License: MIT",
    "Requires-Dist: Some_Thing>=1",
    "Requires-Dist: some.thing[extra]; python_version >= '3'",
    "Requires-Dist: later; python_version >= '3.9'",
    "Requires-Dist: windows; sys_platform == 'win32'",
    "Requires-Dist: more; extra == 'more'",
    "Requires-Dist: ??? is no requirement",
)


def test_a_package_tells_its_licence_and_what_it_needs(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "one", {"one.py": ""}, metadata=LINES)
    layout = Layout(tmp_path / "images")
    assert read_package(layout, wheel) == Package("MIT", ["some-thing"])
    wheel.path.unlink()
    # Kept, since it cannot change.
    assert read_package(layout, wheel) == Package("MIT", ["some-thing"])


@pytest.mark.parametrize(
    ("lines", "licence"), [((), ""), (("License: BSD", "  and a long", "  text of it"), "BSD"), (("License:",), "")]
)
def test_of_a_licence_the_first_line_is_told(tmp_path: Path, lines: "tuple[str, ...]", licence: str) -> None:
    wheel = make_wheel(tmp_path, "one", {"one.py": ""}, metadata=lines)
    assert read_package(Layout(tmp_path / "images"), wheel).licence == licence


def test_what_has_no_metadata_is_told(tmp_path: Path) -> None:
    path = tmp_path / "one-1.0-py3-none-any.whl"
    path.write_bytes(b"no zip")
    with pytest.raises(ImageError) as caught:
        read_package(Layout(tmp_path / "images"), wheel_file(path, "one", "1.0"))
    assert str(caught.value) == (
        f"{path}: has no readable METADATA: File is not a zip file. Remove it and run: make wheels"
    )
