import pytest

from esteira.errors import ImageError
from esteira.images.layers.conflicts import ENVIRONMENT, check_conflicts, files_of, merge_equal
from esteira.images.layers.entry import Entry, file_entry, folder_entry, link_entry

ADVICE = (
    "\nExpected equal files, since the one that is installed last would win. "
    "Keep one of the two packages, or a version that fits, in requirements.in and run: make lock"
)


def test_equal_files_of_two_packages_are_one() -> None:
    one, two = file_entry("/a/x.py", b"x", owner="one 1.0"), file_entry("/a/x.py", b"x", owner="two 2.0")
    assert merge_equal([one, two, link_entry("/a/l", "x.py")]) == [one, link_entry("/a/l", "x.py")]


def test_unequal_files_in_one_layer_are_told() -> None:
    entries = [
        file_entry("/a/y.py", b"y", owner="one 1.0"),
        file_entry("/a/x.py", b"x", owner="one 1.0"),
        file_entry("/a/x.py", b"another", owner="two 2.0"),
        file_entry("/a/y.py", b"another", owner="two 2.0"),
    ]
    with pytest.raises(ImageError) as caught:
        merge_equal(entries)
    assert str(caught.value) == (
        "/a/x.py: one 1.0 and two 2.0 write it differently.\n"
        "/a/y.py: one 1.0 and two 2.0 write it differently." + ADVICE
    )


def test_unequal_files_across_layers_are_told() -> None:
    layers = [{"a/x.py": ("1", "one 1.0"), "a/y.py": ("2", "one 1.0")}, {"a/x.py": ("3", "two 2.0")}]
    with pytest.raises(ImageError) as caught:
        check_conflicts(layers)
    assert str(caught.value) == "/a/x.py: one 1.0 and two 2.0 write it differently." + ADVICE


def test_equal_files_across_layers_are_fine() -> None:
    check_conflicts([{"a/x.py": ("1", "one 1.0")}, {"a/x.py": ("1", "two 2.0"), "a/y.py": ("2", "two 2.0")}])


def test_many_unequal_files_are_told_in_part() -> None:
    layers = [{f"a/{number:02d}": (owner, owner) for number in range(23)} for owner in ("one 1.0", "two 2.0")]
    with pytest.raises(ImageError) as caught:
        check_conflicts(layers)
    lines = str(caught.value).splitlines()
    assert lines[0] == "/a/00: one 1.0 and two 2.0 write it differently."
    assert lines[19:21] == ["/a/19: one 1.0 and two 2.0 write it differently.", "… and 3 more files"]
    assert lines[21:] == [ADVICE.strip()]


def test_what_is_not_as_the_environment_has_it_is_told() -> None:
    layers = [{"a/x": ("1", ENVIRONMENT)}, {"a/x": ("2", "one 1.0")}]
    with pytest.raises(ImageError) as caught:
        check_conflicts(layers)
    assert str(caught.value) == (
        "/a/x: the virtual environment and one 1.0 write it differently.\n"
        "Expected equal files, since the one that is installed last would win. "
        "Leave the package out, or keep a version that fits, in requirements.in and run: make lock"
    )


def test_a_link_that_is_a_folder_in_the_same_layer_is_told() -> None:
    """It would depend on what unpacks the layer where the file gets to."""
    entries = [link_entry("/a/lib64", "lib", owner="one 1.0"), file_entry("/a/lib64/x", b"x", owner="two 2.0")]
    with pytest.raises(ImageError) as caught:
        merge_equal(entries)
    assert str(caught.value) == (
        "/a/lib64: one 1.0 has a link there, and two 2.0 files below it.\n"
        "Expected a link or a folder. "
        "Keep one of the two packages, or a version that fits, in requirements.in and run: make lock"
    )


def test_links_to_other_targets_are_told() -> None:
    with pytest.raises(ImageError, match="write it differently"):
        merge_equal([link_entry("/a/l", "x", owner="one 1.0"), link_entry("/a/l", "y", owner="two 2.0")])


@pytest.mark.parametrize("order", [1, -1])
def test_a_file_that_is_another_packages_folder_is_told(order: int) -> None:
    layers = [{"a/x": ("1", "one 1.0")}, {"a/x/deep/y.py": ("2", "two 2.0")}][::order]
    with pytest.raises(ImageError) as caught:
        check_conflicts(layers)
    assert str(caught.value) == (
        "/a/x: one 1.0 has a file there, and two 2.0 files below it.\n"
        "Expected a file or a folder. "
        "Keep one of the two packages, or a version that fits, in requirements.in and run: make lock"
    )


def test_files_are_told_by_content_and_package() -> None:
    entries = [
        file_entry("/a/x", b"x", owner="one 1.0"),
        folder_entry("/a"),
        link_entry("/a/l", "x"),
        Entry("a/z", 0o644, content=b"", mark="sha256=z", owner="two 2.0"),
    ]
    mark = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert files_of(entries) == {"a/x": (mark, "one 1.0"), "a/l": ("link:x", ""), "a/z": ("sha256=z", "two 2.0")}
