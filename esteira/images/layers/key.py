"""What a layer is named by before it is made: all that its bytes follow from."""

import importlib.util
from typing import Any

import deflate

from esteira.images.layers.archive import EPOCH, LEVEL, MEMBER_BYTES, SPLICE_BYTES
from esteira.release.digest import digest_value

# To be raised when the same content is written in another way.
FORM = 2


def layer_key(content: Any) -> str:
    """Return the key of a layer that is made of `content`, a JSON value, by this version of the builder."""
    return digest_value(
        {
            "form": FORM,
            "epoch": EPOCH,
            "compression": ["libdeflate", deflate.__version__, LEVEL, MEMBER_BYTES, SPLICE_BYTES],
            "byte_code": importlib.util.MAGIC_NUMBER.hex(),
            "content": content,
        }
    )
