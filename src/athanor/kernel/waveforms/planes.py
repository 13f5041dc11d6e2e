"""Numbers as planes of bytes that compress well: what varies little lies apart from what is noise.

Of whole numbers the lowest bits are noise that nothing compresses: they are stored bit by bit, as they are. What is
above them goes into bytes, whose few common values ZSTD's entropy coder stores in fewer bits.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

_ZSTD = pa.Codec("zstd", compression_level=3)
_MIDDLE = 128  # added, so that small negative numbers have no byte full of ones
_STEPS = 8  # of the mean size that stay above the bits stored as they are: fewer lose, more gain nothing


def squeezed(plane: bytes) -> bytes:
    """A plane compressed, or as it is where that would not make it smaller."""
    small: bytes = _ZSTD.compress(plane, asbytes=True)
    return small if len(small) < len(plane) else plane


def unsqueezed(stored: bytes, length: int) -> bytes:
    """The plane of `length` bytes that was stored so."""
    if len(stored) == length:
        return stored
    plane: bytes = _ZSTD.decompress(stored, decompressed_size=length, asbytes=True)
    return plane


def low_bits(numbers: np.ndarray) -> int:
    """How many of the lowest bits are noise. [0 to 15]"""
    mean_size = float(np.abs(numbers, dtype=np.float64).mean()) if len(numbers) else 0.0
    return max(0, min(15, int(np.log2(max(mean_size / _STEPS, 1.0)))))


def whole_number_planes(numbers: np.ndarray, low: int) -> list[bytes]:
    """Three planes of whole numbers within int16: lower byte, upper byte, and the `low` lowest bits. [N] int32"""
    upper = ((numbers >> low) + _MIDDLE).astype(np.uint16)
    bits = b"".join(np.packbits(numbers & (1 << bit) != 0).tobytes() for bit in range(low))
    return [(upper & 0xFF).astype(np.uint8).tobytes(), (upper >> 8).astype(np.uint8).tobytes(), bits]


def whole_numbers(planes: Sequence[bytes], low: int, count: int) -> np.ndarray:
    """The numbers that these planes hold. [count] int32"""
    lower_byte, upper_byte = (np.frombuffer(plane, np.uint8).astype(np.uint16) for plane in planes[:2])
    upper = ((lower_byte | (upper_byte << 8)) - np.uint16(_MIDDLE)).astype(np.int16).astype(np.int32)
    lower = np.zeros(count, np.uint16)
    bits = np.unpackbits(np.frombuffer(planes[2], np.uint8).reshape(low, -(-count // 8)), axis=1, count=count)
    for plane in bits[::-1]:
        lower <<= 1
        lower |= plane
    numbers: np.ndarray = (upper << low) | lower
    return numbers


def whole_number_lengths(count: int, low: int) -> list[int]:
    """Bytes of each plane that `whole_number_planes` makes."""
    return [count, count, low * -(-count // 8)]


def byte_planes(numbers: np.ndarray) -> list[bytes]:
    """The first byte of every number, then the second, …, little-endian."""
    little = numbers.astype(numbers.dtype.newbyteorder("<"), copy=False)
    return [plane.tobytes() for plane in little.view(np.uint8).reshape(-1, little.itemsize).T]


def of_byte_planes(planes: Sequence[bytes], dtype: np.dtype[np.generic]) -> np.ndarray:
    """The numbers whose bytes these are."""
    columns = np.stack([np.frombuffer(plane, np.uint8) for plane in planes], axis=1)
    numbers: np.ndarray = columns.view(dtype.newbyteorder("<")).ravel().astype(dtype, copy=False)
    return numbers
