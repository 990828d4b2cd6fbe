"""Frames as they are written, and what is made of them when they are damaged."""

import os

import pytest

from esteira.monitoring.journal.frames import (
    DEPLOYED,
    MARK,
    REQUEST,
    Damage,
    Record,
    describe,
    frame,
    read_description,
    read_frames,
)
from esteira.serving.signature import TensorSpec
from tests.monitoring import logged


def request(number: int, body: bytes = b'{"instances": ["a"]}') -> bytes:
    return b"".join(frame(REQUEST, 0, 1000 + number, number, body, b"{}"))


MODEL = b"".join(frame(DEPLOYED, 0, 999, 0, describe(logged.DEPLOYED)))


def test_frames_are_read_as_they_were_written() -> None:
    content = MODEL + request(1) + request(2**62, b"")
    found = read_frames(content, limit=10)
    assert list(found.records) == [
        Record(0, 1001, 1, b'{"instances": ["a"]}', b"{}"),
        Record(0, 1000 + 2**62, 2**62, b"", b"{}"),
    ]
    assert found.models == {0: (logged.DEPLOYED, 999)}
    assert (found.end, found.damaged) == (len(content), [])


def test_a_model_is_described_in_full() -> None:
    deployed = logged.DEPLOYED.__class__(
        endpoint="é", id="1", model_version="2", release="r", inputs=(TensorSpec("x", "DT_FLOAT", None),)
    )
    assert read_description(describe(deployed)) == deployed


def test_no_more_records_are_read_than_asked_for() -> None:
    found = read_frames(MODEL + request(1) + request(2), limit=1)
    assert found.records.request_ids == [1]
    assert found.end == len(MODEL) + len(request(1))


@pytest.mark.parametrize("cut", [1, 5, 20, len(request(3)) - 1])
def test_a_torn_frame_at_the_end_is_left_for_later(cut: int) -> None:
    whole = request(1) + request(2)
    found = read_frames(whole + request(3)[:cut], limit=10)
    assert (found.records.request_ids, found.end, found.damaged) == ([1, 2], len(whole), [])


def test_what_is_damaged_between_two_frames_is_left_out() -> None:
    first, second, third = request(1), request(2), request(3)
    for position in range(len(second)):
        damaged = bytearray(second)
        damaged[position] ^= 0xFF
        found = read_frames(first + bytes(damaged) + third, limit=10)
        assert found.records.request_ids == [1, 3]
        assert found.damaged == [Damage(len(first), len(second))]


def test_zeros_and_noise_are_no_frames() -> None:
    for noise in (bytes(1000), os.urandom(1000), MARK * 250):
        found = read_frames(noise + request(1), limit=10)
        assert found.records.request_ids == [1]
        assert found.damaged == [Damage(0, len(noise))]
        assert read_frames(noise, limit=10).end == 0
