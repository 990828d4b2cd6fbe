"""What a layer is named by before it is made: all that its bytes follow from."""

import __future__

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import deflate

from esteira.images.layers.archive import EPOCH, LEVEL, MEMBER_BYTES, SPLICE_BYTES
from esteira.release.digest import digest_value

# To be raised when the same content is written in another way.
FORM = 3
# The annotation that a blob has its key under, where a manifest names it.
KEY = "dev.esteira.key"


def layer_key(content: Any) -> str:
    """Return the key of a layer that is made of `content`, a JSON value, by this version of the builder."""
    return digest_value(
        {
            "form": FORM,
            "epoch": EPOCH,
            "compression": ["libdeflate", deflate.__version__, LEVEL, MEMBER_BYTES, SPLICE_BYTES],
            # Byte code has the flags of `from __future__`, to which Python 3.8.3 gave other values.
            # https://bugs.python.org/issue39562
            "byte_code": [importlib.util.MAGIC_NUMBER.hex(), __future__.annotations.compiler_flag],
            "installer": installer_version(),
            "content": content,
        }
    )


@lru_cache(maxsize=None)
def installer_version() -> str:
    """Return the version of `installer`, which writes the scripts and RECORD of packages.

    It is in the name of its metadata's folder, and to ask importlib.metadata would take 20 ms.
    """
    spec = importlib.util.find_spec("installer")
    assert spec is not None and spec.origin
    found = Path(spec.origin).parent.parent.glob("installer-*.dist-info")
    return " ".join(sorted(path.name[len("installer-") : -len(".dist-info")] for path in found))
