from pathlib import Path

import pytest

from esteira.errors import ImageError
from esteira.files import write_json
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


MIT, BSD = "Classifier: License :: OSI Approved :: MIT License", "Classifier: License :: OSI Approved :: BSD License"


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (("License: a text", MIT, "License-Expression: MIT OR Apache-2.0"), "MIT OR Apache-2.0"),
        (("License: MIT", BSD), "MIT"),
        (("License: UNKNOWN", MIT), "MIT License"),
        (("License: UNKNOWN",), ""),
        ((MIT, "Classifier: Topic :: Software", BSD), "MIT License, BSD License"),
        (("Classifier: License :: Public Domain",), "Public Domain"),
        (("Classifier: License :: OSI Approved", BSD), "BSD License"),
    ],
)
def test_a_licence_is_told_by_the_newest_field_that_names_one(
    tmp_path: Path, lines: "tuple[str, ...]", licence: str
) -> None:
    wheel = make_wheel(tmp_path, "one", {"one.py": ""}, metadata=lines)
    assert read_package(Layout(tmp_path / "images"), wheel).licence == licence


def test_what_an_older_version_read_is_not_used(tmp_path: Path) -> None:
    layout, wheel = Layout(tmp_path / "images"), make_wheel(tmp_path, "one", {"one.py": ""}, metadata=(MIT,))
    write_json(layout.folder / "packages" / f"{wheel.sha256}.json", {"licence": "", "needs": []})
    assert read_package(layout, wheel) == Package("MIT License", [])


def test_what_has_no_metadata_is_told(tmp_path: Path) -> None:
    path = tmp_path / "one-1.0-py3-none-any.whl"
    path.write_bytes(b"no zip")
    with pytest.raises(ImageError) as caught:
        read_package(Layout(tmp_path / "images"), wheel_file(path, "one", "1.0"))
    assert str(caught.value) == (
        f"{path}: has no readable METADATA: File is not a zip file. Remove it and run: make wheels"
    )
