"""The frames of a journal: each answered request as one, and each model that answers as another.

A frame is a mark, the CRC-32 of all that follows, and a head that gives the lengths of a request's and a response's
bytes, which come after it. A model's frame has its description as JSON where another has the request. The mark
is no UTF-8, so that a body, which is JSON, never holds one.
"""

import json
import struct
from dataclasses import asdict, dataclass, field
from typing import Any, Dict, Iterator, List, NamedTuple
from zlib import crc32

from esteira.monitoring.deployed import Deployed
from esteira.serving.signature import TensorSpec

# The last byte is the format's version.
MARK = b"\xffER\x01"
# Mark, checksum.
CHECK = struct.Struct("<4sI")
# Kind, the model's number in this segment, bytes of the request, of the response, time in ns, request id.
HEAD = struct.Struct("<BHQQqQ")
FRAME = struct.Struct("<4sIBHQQqQ")
DEPLOYED, REQUEST = 1, 2


class Record(NamedTuple):
    """A request's frame: `deployed` is the model's number in its segment."""

    deployed: int
    time_ns: int
    request_id: int
    request: bytes
    response: bytes


@dataclass
class Records:
    """Requests by column, which is how a million of them are read in seconds; see Record."""

    deployed: List[int] = field(default_factory=list)
    times_ns: List[int] = field(default_factory=list)
    request_ids: List[int] = field(default_factory=list)
    requests: List[bytes] = field(default_factory=list)
    responses: List[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.deployed)

    def __iter__(self) -> Iterator[Record]:
        columns = (self.deployed, self.times_ns, self.request_ids, self.requests, self.responses)
        return (Record(*values) for values in zip(*columns))


@dataclass
class Frames:
    """What a part of a segment holds: `end` is where its whole frames end, `damaged` are positions and lengths.

    `models` are descriptions by number, and the time in ns since which each answers.
    `needed` is how long the frame at `end` is, 0 where it is not even known.
    """

    records: Records = field(default_factory=Records)
    models: Dict[int, "Described"] = field(default_factory=dict)
    damaged: List["Damage"] = field(default_factory=list)
    end: int = 0
    needed: int = 0


class Damage(NamedTuple):
    position: int
    size_bytes: int


class Described(NamedTuple):
    deployed: Deployed
    time_ns: int


def frame(kind: int, number: int, time_ns: int, request_id: int, request: bytes, response: bytes = b"") -> List[bytes]:
    """Return a frame in parts, to be written at once."""
    head = HEAD.pack(kind, number, len(request), len(response), time_ns, request_id)
    return [CHECK.pack(MARK, crc32(response, crc32(request, crc32(head)))), head, request, response]


def describe(deployed: Deployed) -> bytes:
    return json.dumps(asdict(deployed), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def read_description(content: bytes) -> Deployed:
    fields: Dict[str, Any] = json.loads(content.decode("utf-8"))
    for name in ("inputs", "outputs"):
        fields[name] = tuple(read_tensor(tensor) for tensor in fields[name])
    return Deployed(**{**fields, "labels": tuple(fields["labels"])})


def read_tensor(fields: Dict[str, Any]) -> TensorSpec:
    shape = fields["shape"]
    return TensorSpec(**{**fields, "shape": None if shape is None else tuple(shape)})


def read_frames(content: bytes, *, limit: int) -> Frames:
    """Return the frames from the start of `content`, at most `limit` records; what is damaged between two is left out.

    Damage with no whole frame after it is what `end` stands before: it may be a frame that is being written.
    """
    found, position, size, count = Frames(), 0, len(content), 0
    records, unpack, head_bytes, check_bytes = found.records, FRAME.unpack_from, FRAME.size, CHECK.size
    # Looked up once: this loop runs for each of millions of records.
    models, times_ns, ids = records.deployed.append, records.times_ns.append, records.request_ids.append
    requests, responses = records.requests.append, records.responses.append
    while position + head_bytes <= size and count < limit:
        mark, checksum, kind, number, asked, answered, time_ns, request_id = unpack(content, position)
        begin = position + head_bytes
        middle = begin + asked
        end = middle + answered
        if mark == MARK and end <= size and checksum == crc32(content[position + check_bytes : end]):
            position = end
            if kind != REQUEST:
                found.models[number] = Described(read_description(content[begin:middle]), time_ns)
                continue
            models(number)
            times_ns(time_ns)
            ids(request_id)
            requests(content[begin:middle])
            responses(content[middle:end])
            count += 1
            continue
        following = next_frame(content, position + 1)
        if following < 0:
            found.needed = end - position if mark == MARK else 0
            break
        found.damaged.append(Damage(position, following - position))
        position = following
    found.end = position
    return found


def next_frame(content: bytes, start: int) -> int:
    """Return where the next whole frame begins, -1 if there is none."""
    position = content.find(MARK, start)
    while position >= 0:
        if is_whole(content, position):
            return position
        position = content.find(MARK, position + 1)
    return -1


def is_whole(content: bytes, position: int) -> bool:
    if position + FRAME.size > len(content):
        return False
    _, checksum, _, _, asked, answered, _, _ = FRAME.unpack_from(content, position)
    end = position + FRAME.size + asked + answered
    return bool(end <= len(content) and checksum == crc32(content[position + CHECK.size : end]))
