"""A waveform as bytes: whole, or named as damaged."""

import struct
import zlib

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.telemetry import Quality
from athanor.kernel.waveforms.frame import DamagedFrameError, of_frame, to_frame
from athanor.kernel.waveforms.port import Trigger

from .signals import NOON, same, waveform

FRAME = to_frame(waveform())


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_head_and_numbers_come_back(dtype: type[np.generic]) -> None:
    given_one = waveform(
        numbers=np.arange(-500, 500).astype(dtype), start=NOON.replace(microsecond=123_457), rate_hz=48_828.125,
        quantity="current", unit="A", scale=3.0517578125e-05, offset=-0.1, quality=Quality.UNCERTAIN,
        trigger=Trigger.EVENT,
    )  # fmt: skip
    assert same(of_frame(to_frame(given_one)), given_one)


@given(place=st.integers(0, len(FRAME) - 1), bit=st.integers(0, 7))
def test_one_wrong_bit_anywhere_is_found(place: int, bit: int) -> None:
    damaged = bytearray(FRAME)
    damaged[place] ^= 1 << bit
    with pytest.raises(DamagedFrameError):
        of_frame(bytes(damaged))


@given(st.integers(0, len(FRAME) - 1))
def test_a_frame_cut_short_is_found(length: int) -> None:
    with pytest.raises(DamagedFrameError):
        of_frame(FRAME[:length])


@pytest.mark.parametrize(
    "change", [{"encoding": "wavelets"}, {"points": 7}, {"dtype": "int12"}, {"quality": 9}, {"low": []}]
)
def test_a_frame_of_a_later_version_is_refused_and_not_misread(change: dict[str, object]) -> None:
    _, header_length, planes_length, _ = struct.unpack_from("<4sIII", FRAME)
    header = orjson.dumps(orjson.loads(FRAME[16 : 16 + header_length]) | change)
    body = header + FRAME[16 + header_length :]
    frame = struct.pack("<4sIII", b"AWF1", len(header), planes_length, zlib.crc32(body)) + body
    with pytest.raises(DamagedFrameError, match="this version cannot read it"):
        of_frame(frame)


def test_a_head_costs_little() -> None:
    assert len(to_frame(waveform(numbers=np.zeros(1, np.int16)))) < 400
