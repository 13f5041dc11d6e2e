"""Turning points into as few bytes as can be, and back, bit for bit. docs/waveforms.md shows what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from athanor.kernel.waveforms import prediction
from athanor.kernel.waveforms.planes import (
    byte_planes,
    low_bits,
    of_byte_planes,
    squeezed,
    unsqueezed,
    whole_number_lengths,
    whole_number_planes,
    whole_numbers,
)

INT16, FLOAT32 = np.dtype(np.int16), np.dtype(np.float32)
_PAYS = 0.98


class Encoding(StrEnum):
    """How points are stored."""

    PREDICTED = "predicted"  # int16: what linear prediction leaves, as planes of bytes and bits
    PLAIN = "plain"  # int16: the points themselves, likewise
    BYTES = "bytes"  # float32: planes of bytes


@dataclass(frozen=True, slots=True)
class Encoded:
    """Points as they are stored: `low` bits of noise for each group of numbers, and the planes in order."""

    encoding: Encoding
    low: tuple[int, ...]
    planes: tuple[bytes, ...]


def encode(points: np.ndarray) -> Encoded:
    """Points, [N] int16 or float32, as they are stored."""
    if points.dtype == FLOAT32:
        return Encoded(Encoding.BYTES, (), _squeezed(byte_planes(points)))
    numbers = points.astype(np.float64)
    weights = prediction.coefficients(numbers)
    rest = None if weights is None else prediction.residuals(numbers, weights)
    if weights is None or rest is None or not _is_better(rest, numbers):
        whole = points.astype(np.int32)
        low = low_bits(whole)
        return Encoded(Encoding.PLAIN, (low,), _squeezed(whole_number_planes(whole, low)))
    first = prediction.is_first(len(points))
    groups = [rest[first].astype(np.int32), rest[~first].astype(np.int32)]
    lows = tuple(low_bits(group) for group in groups)
    planes = [plane for group, low in zip(groups, lows, strict=True) for plane in whole_number_planes(group, low)]
    return Encoded(Encoding.PREDICTED, lows, _squeezed([weights.astype("<i4").tobytes(), *planes]))


def decode(encoded: Encoded, dtype: np.dtype[np.generic], count: int) -> np.ndarray:
    """The points that were encoded. [count] of `dtype`

    Raises ValueError, IndexError or OSError where the bytes cannot be such points.
    """
    if encoded.encoding is Encoding.BYTES:
        planes = _unsqueezed(encoded.planes, [count] * dtype.itemsize)
        return of_byte_planes(planes, dtype)
    if encoded.encoding is Encoding.PLAIN:
        (low,) = encoded.low
        planes = _unsqueezed(encoded.planes, whole_number_lengths(count, low))
        return whole_numbers(planes, low, count).astype(dtype)
    first = prediction.is_first(count)
    counts = (int(first.sum()), int((~first).sum()))
    lengths = [
        length for one, low in zip(counts, encoded.low, strict=True) for length in whole_number_lengths(one, low)
    ]
    weights, *planes = _unsqueezed(encoded.planes, [4 * prediction.ORDER, *lengths])
    rest = np.empty(count)
    rest[first] = whole_numbers(planes[:3], encoded.low[0], counts[0])
    rest[~first] = whole_numbers(planes[3:], encoded.low[1], counts[1])
    return prediction.restored(rest, np.frombuffer(weights, "<i4")).astype(dtype)


def _is_better(rest: np.ndarray, points: np.ndarray) -> bool:
    """Whether the residuals fit where points do, and are so much smaller that it pays."""
    fits = rest.min() >= -(2**15) and rest.max() < 2**15
    return bool(fits and np.abs(rest).sum() < _PAYS * np.abs(points).sum())


def _squeezed(planes: Sequence[bytes]) -> tuple[bytes, ...]:
    return tuple(map(squeezed, planes))


def _unsqueezed(stored: Sequence[bytes], lengths: Sequence[int]) -> list[bytes]:
    return [unsqueezed(plane, length) for plane, length in zip(stored, lengths, strict=True)]
