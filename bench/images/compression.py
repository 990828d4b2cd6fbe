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
    found = [pack(f"zlib {level}", level, sample, zlib.compress) for level in (1, 6)]
    found += [pack(f"libdeflate {level}", level, sample, deflate.deflate_compress) for level in (1, 6, 9)]
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


def pack(compressor: str, level: int, sample: bytes, compress: Callable[[bytes, int], bytes]) -> Packed:
    started_s = time.monotonic()
    pieces = range(0, len(sample), MEMBER_BYTES)
    packed_bytes = sum(len(compress(sample[start : start + MEMBER_BYTES], level)) for start in pieces)
    return Packed(compressor, round(time.monotonic() - started_s, 2), len(sample), packed_bytes)
