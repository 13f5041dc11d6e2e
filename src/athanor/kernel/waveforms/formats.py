"""The forms in which programs send and get waveforms: NumPy's npy, WAV, plain numbers, CSV and JSON."""

import io
import wave
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv

from athanor.kernel.errors import AthanorError
from athanor.kernel.waveforms.port import BadWaveformError, Waveform

NPY, WAV, RAW, CSV, JSON = "application/x-npy", "audio/wav", "application/octet-stream", "text/csv", "application/json"
_SAME = {"audio/x-wav": WAV, "audio/wave": WAV, "audio/vnd.wave": WAV, "application/npy": NPY}
_LONGEST_HEADER = 10_000  # bytes, of an npy
_LITTLE: Mapping[str, np.dtype[Any]] = {"int16": np.dtype("<i2"), "float32": np.dtype("<f4")}


class UnknownFormError(AthanorError):
    """A content type that holds no waveform that Athanor reads."""

    code = "waveforms.unknown-form"

    def __init__(self, given: str) -> None:
        super().__init__(
            f"Waveforms are not read from {given[:80]!r}. Send {NPY}, {WAV} (16-bit PCM), or {RAW} with dtype=int16 or "
            "dtype=float32, little-endian; docs/waveforms.md has examples."
        )


def rows_of(body: bytes, content_type: str, dtype: str | None, channels: int) -> tuple[np.ndarray, float | None]:
    """The rows of points in a request's body, one a channel, and their sampling rate where the body says it. [Hz]

    Parameters
    ----------
    body
        As `content_type` says; plain numbers come channel after channel.
    dtype
        Of plain numbers: int16 or float32.
    channels
        How many rows there should be.

    Raises UnknownFormError, BadWaveformError.
    """
    kind = content_type.partition(";")[0].strip().lower()
    kind = _SAME.get(kind, kind)
    rate_hz: float | None = None
    if kind == NPY:
        rows = _of_npy(body)
    elif kind == WAV:
        rows, rate_hz = _of_wav(body)
    elif kind == RAW and (numbers := _LITTLE.get(dtype or "")) is not None:
        rows = _of_raw(body, numbers, channels)
    else:
        raise UnknownFormError(content_type if dtype is None else f"{content_type}; dtype={dtype}")
    if len(rows) != channels:
        raise BadWaveformError(f"it holds {len(rows)} rows of points, and names {channels} channels")
    return rows, rate_hz


def to_npy(one: Waveform, *, raw: bool) -> bytes:
    """Values in the waveform's unit or, raw, the numbers as they were sent; NumPy's own format."""
    sink = io.BytesIO()
    np.lib.format.write_array(sink, one.numbers if raw else one.values, version=(1, 0), allow_pickle=False)
    return sink.getvalue()


def to_wav(one: Waveform) -> bytes:
    """16-bit PCM, one channel. Numbers that are float32 are scaled so that the largest fits; WAV has no unit."""
    numbers = one.numbers
    if numbers.dtype != np.int16:
        finite = np.nan_to_num(numbers.astype(np.float64), posinf=0.0, neginf=0.0)
        peak = np.abs(finite).max() or 1.0
        numbers = np.rint(finite / peak * (2**15 - 1)).astype(np.int16)
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(max(1, round(one.head.rate_hz)))  # WAV knows whole ones only
        file.writeframes(numbers.astype("<i2").tobytes())
    return sink.getvalue()


def to_csv(one: Waveform) -> bytes:
    """Seconds since the start, and values; the unit stands in the column's name."""
    sink = io.BytesIO()
    time_s = np.arange(len(one.numbers)) / one.head.rate_hz
    pa_csv.write_csv(pa.table([time_s, one.values], ["t [s]", f"{one.head.quantity} [{one.head.unit}]"]), sink)
    return sink.getvalue()


def to_json(one: Waveform, about: Mapping[str, Any]) -> bytes:
    """What the waveform is of, and its values; null where one is no number."""
    return orjson.dumps({**about, "values": np.ascontiguousarray(one.values)}, option=orjson.OPT_SERIALIZE_NUMPY)


def _of_npy(body: bytes) -> np.ndarray:
    """Checked before anything is made of it: a header may claim any size."""
    stream = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(stream)
        read: Callable[..., Any] = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, is_fortran, dtype = read(stream, max_header_size=_LONGEST_HEADER)
    except (ValueError, KeyError, OSError) as error:
        raise BadWaveformError(f"it is no npy file that can be read ({error})") from error
    if dtype.newbyteorder("<") not in _LITTLE.values() or len(shape) not in (1, 2):
        raise BadWaveformError(
            f"it is {dtype} of shape {shape}; send a row of int16 with a scale or of float32, or a row a channel"
        )
    count = int(np.prod(shape, dtype=object))
    if len(body) - stream.tell() != count * dtype.itemsize:
        raise BadWaveformError(f"{len(body) - stream.tell()} bytes of numbers are there of {count * dtype.itemsize}")
    numbers = np.frombuffer(body, dtype, count, stream.tell()).reshape(shape, order="F" if is_fortran else "C")
    return _native(numbers if numbers.ndim == 2 else numbers[None, :])


def _of_wav(body: bytes) -> tuple[np.ndarray, float]:
    try:
        with wave.open(io.BytesIO(body), "rb") as file:
            channels, width, rate_hz = file.getnchannels(), file.getsampwidth(), file.getframerate()
            content = file.readframes(file.getnframes())
            frames = file.getnframes()
    except (wave.Error, EOFError, ValueError, RuntimeError) as error:
        raise BadWaveformError(f"it is no WAV file of PCM that can be read ({error})") from error
    if width != 2:
        raise BadWaveformError(f"its WAV has {8 * width} bits a point; send 16, or npy")
    if len(content) != 2 * channels * frames:
        raise BadWaveformError(f"its WAV breaks off: {len(content)} bytes are there of {2 * channels * frames}")
    return _native(np.frombuffer(content, "<i2").reshape(-1, channels).T), float(rate_hz)


def _of_raw(body: bytes, dtype: np.dtype[Any], channels: int) -> np.ndarray:
    if not channels or len(body) % (dtype.itemsize * channels):
        raise BadWaveformError(f"{len(body)} bytes do not make {channels} rows of {dtype.name}")
    return _native(np.frombuffer(body, dtype).reshape(channels, -1))


def _native(rows: np.ndarray) -> np.ndarray:
    """Rows that are whole in memory, in the machine's own order of bytes."""
    return np.ascontiguousarray(rows, rows.dtype.newbyteorder("="))
