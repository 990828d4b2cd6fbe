"""What compressors make of the files of a wheel, packed in pieces as large as those of a layer."""

import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List

import deflate

from esteira.images.layers.archive import MEMBER_BYTES

SAMPLE_BYTES = 64 << 20


@dataclass(frozen=True)
class Packed:
    """A sample of `plain_bytes`, packed."""

    compressor: str
    seconds: float
    plain_bytes: int
    packed_bytes: int


def measure_compression(wheel: Path) -> List[Packed]:
    """Return what each compressor makes of the first 64 MB of a wheel's files, in the order of their names."""
    sample = read_sample(wheel)
    found = [pack(f"zlib {level}", sample, lambda data, level=level: zlib.compress(data, level)) for level in (1, 6)]
    for level in (1, 6, 9):
        found.append(
            pack(f"libdeflate {level}", sample, lambda data, level=level: deflate.deflate_compress(data, level))
        )
    return found


def read_sample(wheel: Path) -> bytes:
    sample = bytearray()
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            with archive.open(name) as stream:
                sample += stream.read(SAMPLE_BYTES - len(sample))
            if len(sample) == SAMPLE_BYTES:
                break
    return bytes(sample)


def pack(compressor: str, sample: bytes, compress: Callable[[bytes], bytes]) -> Packed:
    started_s = time.monotonic()
    pieces = range(0, len(sample), MEMBER_BYTES)
    packed_bytes = sum(len(compress(sample[start : start + MEMBER_BYTES])) for start in pieces)
    return Packed(compressor, round(time.monotonic() - started_s, 2), len(sample), packed_bytes)
