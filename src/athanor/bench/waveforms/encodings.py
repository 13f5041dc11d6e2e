"""How small other ways would make the same points, and how fast: the evidence for the one that was taken.

Speeds are of one thread's own time on a core, so that what else runs on the machine counts for little.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from athanor.bench.figures import Figure
from athanor.bench.waveforms.signals import groups
from athanor.kernel.waveforms.codec import decode, encode

_ZSTD = pa.Codec("zstd", compression_level=3)
Encode = Callable[[np.ndarray], int]


def compare() -> list[Figure]:
    """Bytes a point of each group of signals, in ours and in other encodings, one a line."""
    figures: list[Figure] = []
    for name, pieces in groups().items():
        about = f"{name}, {len(pieces)} × {len(pieces[0]):,} points"
        ours = _measured(lambda one: sum(map(len, encode(one).planes)), pieces)
        decoding = f", decodes {_decoding_mb_per_s(pieces):,.0f} MB/s"
        figures.append(_line(about, "ours", ours, decoding))
        others = _INTEGERS if pieces[0].dtype == np.int16 else _FLOATS
        figures += [_line(about, other, _measured(size_of, pieces)) for other, size_of in others.items()]
    return figures


def _line(about: str, encoding: str, measured: "_Measured", more: str = "") -> Figure:
    speed = f"encodes {measured.mb_per_s:,.0f} MB/s{more}"
    return Figure(f"{about}: {encoding}", measured.bytes_per_point, "B/point", compared_with=speed)


@dataclass(frozen=True, slots=True)
class _Measured:
    bytes_per_point: float
    mb_per_s: float


def _measured(size_of: Encode, pieces: Sequence[np.ndarray]) -> _Measured:
    size_of(pieces[0])
    began = time.thread_time()
    size = sum(map(size_of, pieces))
    took = time.thread_time() - began
    return _Measured(size / sum(map(len, pieces)), sum(one.nbytes for one in pieces) / 1e6 / took)


def _decoding_mb_per_s(pieces: Sequence[np.ndarray]) -> float:
    encoded = [encode(one) for one in pieces]
    began = time.thread_time()
    for one, points in zip(encoded, pieces, strict=True):
        decode(one, points.dtype, len(points))
    return sum(one.nbytes for one in pieces) / 1e6 / (time.thread_time() - began)


def _zstd(content: bytes) -> int:
    return len(_ZSTD.compress(content, asbytes=True))


def _shuffled(points: np.ndarray) -> bytes:
    """All first bytes, all second bytes, …: what Blosc and HDF5 do."""
    return np.ascontiguousarray(points.view(np.uint8).reshape(len(points), -1).T).tobytes()


def _bits_shuffled(points: np.ndarray) -> bytes:
    bits = np.unpackbits(points.view(np.uint8).reshape(len(points), -1)[:, ::-1], axis=1)
    return np.packbits(bits.T).tobytes()


def _differences(points: np.ndarray) -> np.ndarray:
    return np.diff(points, prepend=points.dtype.type(0))


def _parquet(points: np.ndarray, encoding: str) -> int:
    sink = pa.BufferOutputStream()
    table = pa.table({"value": points})
    pq.write_table(
        table, sink, compression="zstd", use_dictionary=False, column_encoding=encoding, write_statistics=False
    )
    return int(sink.getvalue().size)


_INTEGERS: Mapping[str, Encode] = {
    "ZSTD": lambda points: _zstd(points.tobytes()),
    "bytes shuffled, ZSTD": lambda points: _zstd(_shuffled(points)),
    "differences, bytes shuffled, ZSTD": lambda points: _zstd(_shuffled(_differences(points))),
    "differences, bits shuffled, ZSTD": lambda points: _zstd(_bits_shuffled(_differences(points))),
    "bits shuffled, ZSTD": lambda points: _zstd(_bits_shuffled(points)),
    "Parquet DELTA_BINARY_PACKED, ZSTD": lambda points: _parquet(points, "DELTA_BINARY_PACKED"),
}
_FLOATS: Mapping[str, Encode] = {
    "ZSTD": lambda points: _zstd(points.tobytes()),
    "bytes shuffled, ZSTD": lambda points: _zstd(_shuffled(points)),
    "bits shuffled, ZSTD": lambda points: _zstd(_bits_shuffled(points)),
    "Parquet BYTE_STREAM_SPLIT, ZSTD": lambda points: _parquet(points, "BYTE_STREAM_SPLIT"),
}
