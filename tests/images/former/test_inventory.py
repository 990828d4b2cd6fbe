"""What layers hold is told by an inventory, the same bytes for the same content, or by none."""

import zlib

import deflate
import pytest

from esteira.images.former.inventory import Inventory, inventory_key, pack, unpack
from esteira.images.layers.metadata import Package

FULL = Inventory(
    {"sha256:one": {"opt/a.py": ("sha256=x", "one 1.0"), "opt/\udce9": ("link:a.py", "one 1.0")}},
    {"ab": Package("MIT", ["two"])},
)


def test_an_inventory_says_what_was_put_into_it() -> None:
    assert unpack(pack(FULL)) == FULL
    assert pack(unpack(pack(FULL))) == pack(FULL)


def test_its_key_follows_from_the_layers_in_any_order() -> None:
    assert inventory_key(["a", "b"]) == inventory_key(["b", "a"]) != inventory_key(["a"])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"form":[0,0],"files":{},"packages":{}}', '{"form":[1,2],"files":{"a":{"b":1}}}']
)
def test_one_that_is_damaged_or_of_another_form_says_nothing(text: str) -> None:
    assert unpack(bytes(deflate.gzip_compress(text.encode(), 6))) == Inventory({}, {})


def test_bytes_that_are_not_packed_say_nothing() -> None:
    assert unpack(b"") == unpack(b"{}") == unpack(zlib.compress(b"{}")) == Inventory({}, {})
