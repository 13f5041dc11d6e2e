"""Bit for bit back, whatever comes; and small, as docs/waveforms.md claims."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from athanor.kernel.waveforms import prediction
from athanor.kernel.waveforms.codec import FLOAT32, INT16, Encoding, decode, encode

from .signals import vibration

DATA = Path(__file__).parents[4] / "shared" / "data"
RANDOM = np.random.default_rng(7)


def round_trip(points: np.ndarray) -> Encoding:
    encoded = encode(points)
    back = decode(encoded, points.dtype, len(points))
    assert back.dtype == points.dtype
    assert back.tobytes() == points.tobytes()
    return encoded.encoding


def size_of(points: np.ndarray) -> float:
    """Bytes a point."""
    return sum(map(len, encode(points).planes)) / len(points)


@given(arrays(np.int16, st.integers(1, 3000)))
def test_any_whole_numbers_come_back_bit_for_bit(points: np.ndarray) -> None:
    round_trip(points)


@given(arrays(np.uint32, st.integers(1, 500)))
def test_any_floats_come_back_bit_for_bit_also_those_that_are_no_numbers(bits: np.ndarray) -> None:
    round_trip(bits.view(np.float32))


@given(
    amplitude=st.floats(0, 40_000),
    noise=st.floats(0, 3000),
    period=st.floats(2, 5000),
    points=st.integers(2048, 6000),
    seed=st.integers(0, 1000),
)
def test_tones_in_noise_come_back_bit_for_bit_also_where_they_clip(
    amplitude: float, noise: float, period: float, points: int, seed: int
) -> None:
    signal = amplitude * np.sin(2 * np.pi * np.arange(points) / period)
    signal += np.random.default_rng(seed).normal(0, noise, points)
    round_trip(np.clip(np.rint(signal), -(2**15), 2**15 - 1).astype(np.int16))


@pytest.mark.parametrize("points", [1, 31, 32, 33, 511, 512, 513, 2047, 2048, 2049, 131_072, 131_105, 262_144])
def test_every_length_comes_back(points: int) -> None:
    whole = vibration(points)
    assert round_trip(whole) is (Encoding.PREDICTED if points >= 2048 else Encoding.PLAIN)
    assert round_trip(whole.astype(np.float32)) is Encoding.BYTES


@pytest.mark.parametrize(
    "points",
    [
        np.zeros(5000, np.int16),
        np.full(5000, -(2**15), np.int16),
        np.tile(np.array([-(2**15), 2**15 - 1], np.int16), 2500),
        np.repeat(RANDOM.choice(np.array([-(2**15), 2**15 - 1], np.int16), 50), 100),
        RANDOM.integers(-(2**15), 2**15, 5000).astype(np.int16),
        np.append(np.zeros(4999, np.int16), np.int16(2**15 - 1)),
        np.arange(-(2**15), 2**15, 7).astype(np.int16),
    ],
    ids=["silence", "stuck low", "alternating", "square", "white noise", "one spike", "ramp"],
)
def test_what_prediction_finds_hard_comes_back(points: np.ndarray) -> None:
    round_trip(points)


def test_noise_that_nothing_compresses_costs_hardly_more_than_itself() -> None:
    assert size_of(RANDOM.integers(-(2**15), 2**15, 48_000).astype(np.int16)) <= 2.01
    assert size_of(RANDOM.integers(0, 2**32, 48_000, dtype=np.uint32).view(np.float32)) <= 4.01


def test_silence_costs_next_to_nothing() -> None:
    assert size_of(np.zeros(48_000, np.int16)) < 0.01


def test_restoring_is_the_recursion_that_it_claims_to_be() -> None:
    points = vibration(3000).astype(np.float64)
    weights = prediction.coefficients(points)
    assert weights is not None
    rest = prediction.residuals(points, weights)
    expected: list[int] = []
    for place, left in enumerate(rest.astype(int).tolist()):
        before = expected[place - prediction.ORDER : place][::-1]
        foretold = sum(int(weight) * point for weight, point in zip(weights, before, strict=False)) >> prediction.SHIFT
        expected.append(left if place % prediction.SEGMENT < prediction.ORDER else left + foretold)
    assert prediction.restored(rest, weights).astype(int).tolist() == expected == points.astype(int).tolist()


def real(folder: str, points: int, *, keys: str = "") -> list[np.ndarray]:
    """Pieces of public recordings."""
    file = DATA / folder / f"{folder}_dev.npz"
    if not file.is_file():
        pytest.skip(f"the public recordings {folder} do not lie beside this checkout")
    with np.load(file) as recordings:
        return [
            recordings[key][start : start + points]
            for key in recordings.files
            if key.startswith(keys)
            for start in range(0, len(recordings[key]) - points + 1, points)
        ]


@pytest.mark.parametrize(
    ("folder", "keys", "most"),
    [("cwru", "", 1.23), ("cwru", "48k", 1.00), ("mfpt", "", 3.41)],
    ids=["bearings at 12 and 48 kHz", "bearings at 48 kHz", "float32"],
)
def test_real_bearings_cost_what_the_manual_says(folder: str, keys: str, most: float) -> None:
    pieces = real(folder, 48_000, keys=keys)
    assert {piece.dtype for piece in pieces} <= {INT16, FLOAT32}
    for piece in pieces[::10]:
        round_trip(piece)
    assert np.mean([size_of(piece) for piece in pieces]) <= most
