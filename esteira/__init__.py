"""Esteira: CI/CD for TFX pipelines on Google Cloud and on one machine.

`connect` is for programs of one's own; docs/predict.md tells of it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from esteira.serving.connect import connect

__all__ = ["connect"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what is public when it is asked for: a task that imports one module of ours pays for no other."""
    if name == "connect":
        from esteira.serving.connect import connect

        return connect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
