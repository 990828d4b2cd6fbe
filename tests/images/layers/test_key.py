import importlib.metadata

import pytest

from esteira.images.layers import key
from esteira.images.layers.key import installer_version, layer_key


def test_the_version_of_installer_is_told() -> None:
    assert installer_version() == importlib.metadata.version("installer")


def test_another_installer_makes_other_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    before = layer_key({"a": 1})
    monkeypatch.setattr(key, "installer_version", lambda: "0.7.1")
    assert layer_key({"a": 1}) != before


def test_other_flags_in_byte_code_make_other_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.8.2 has 0x100000."""
    before = layer_key({"a": 1})
    monkeypatch.setattr("__future__.annotations.compiler_flag", 0x100000)
    assert layer_key({"a": 1}) != before
