from pathlib import Path

from esteira.images.layers.groups import LARGE_BYTES, SMALL_LAYERS, WheelFile, bucket_of, group_wheels

SMALL = [WheelFile(f"small-{number}", "1.0", f"{number:064x}", Path("x"), 1000) for number in range(60)]
LARGE = [WheelFile(name, "1.0", "f" * 64, Path("x"), LARGE_BYTES) for name in ("zebra", "ant")]


def test_large_packages_have_a_layer_each_and_small_ones_share() -> None:
    groups = group_wheels([*SMALL, *LARGE])
    assert [(group.name, len(group.wheels)) for group in groups[:2]] == [("ant", 1), ("zebra", 1)]
    assert len(groups) <= 2 + SMALL_LAYERS
    assert sorted(wheel.name for group in groups[2:] for wheel in group.wheels) == sorted(w.name for w in SMALL)
    assert all(group.name == f"packages {bucket_of(wheel.name):02d}" for group in groups[2:] for wheel in group.wheels)


def test_groups_do_not_depend_on_the_order_of_the_lock() -> None:
    assert group_wheels([*SMALL, *LARGE]) == group_wheels([*LARGE[::-1], *SMALL[::-1]])


def test_a_bump_changes_one_group_and_a_new_package_moves_no_other() -> None:
    before = group_wheels([*SMALL, *LARGE])
    bumped = WheelFile("small-7", "2.0", "e" * 64, Path("y"), 1000)
    after = group_wheels([*(wheel if wheel.name != "small-7" else bumped for wheel in SMALL), *LARGE])
    assert [group.name for group in before] == [group.name for group in after]
    assert [one.name for one, two in zip(before, after) if one != two] == [f"packages {bucket_of('small-7'):02d}"]
    more = group_wheels([*SMALL, *LARGE, WheelFile("one-more", "1.0", "d" * 64, Path("z"), 10)])
    changed = {group.name for group in more if group not in before}
    assert changed == {f"packages {bucket_of('one-more'):02d}"}


def test_a_group_tells_its_size() -> None:
    assert group_wheels(LARGE[:1])[0].size_bytes == LARGE_BYTES
    assert sum(group.size_bytes for group in group_wheels(SMALL)) == 60_000
