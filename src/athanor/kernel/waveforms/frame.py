"""A waveform as bytes that explain themselves: what lies in the files, one frame after the other.

    offset  0  magic, `AWF1`
            4  length of the header [bytes], uint32, little-endian
            8  length of what follows the header [bytes], uint32
           12  CRC-32 of all from here on, uint32
           16  header, JSON in UTF-8
            …  the planes, one after the other

The header says all that the index in the database says, so that an index can be made anew from the files alone.
docs/waveforms.md holds a reader of twenty lines that needs nothing of ours.
"""

import struct
import zlib
from datetime import UTC
from typing import Any

import numpy as np
import orjson

from athanor.kernel.historian.port import microseconds, moment
from athanor.kernel.telemetry import Quality
from athanor.kernel.waveforms.codec import Encoded, Encoding, decode, encode
from athanor.kernel.waveforms.port import Head, Trigger, Waveform

_MAGIC = b"AWF1"
_PREFIX = struct.Struct("<4sIII")


class DamagedFrameError(ValueError):
    """Bytes that are no frame, or not the one that was written."""


def to_frame(waveform: Waveform) -> bytes:
    """A waveform as one frame."""
    head, encoded = waveform.head, encode(waveform.numbers)
    header = orjson.dumps(
        {
            "asset": head.asset,
            "channel": head.channel,
            "start_us": microseconds(head.start),
            "rate_hz": head.rate_hz,
            "quantity": head.quantity,
            "unit": head.unit,
            "scale": head.scale,
            "offset": head.offset,
            "quality": int(head.quality),
            "trigger": head.trigger.value,
            "dtype": waveform.numbers.dtype.name,
            "points": len(waveform.numbers),
            "encoding": encoded.encoding.value,
            "low": encoded.low,
            "planes": [len(plane) for plane in encoded.planes],
        }
    )
    body = b"".join((header, *encoded.planes))
    return _PREFIX.pack(_MAGIC, len(header), len(body) - len(header), zlib.crc32(body)) + body


def of_frame(frame: bytes) -> Waveform:
    """The waveform in a frame. Raises DamagedFrameError."""
    header, planes = _opened(frame)
    try:
        encoded = Encoded(Encoding(header["encoding"]), tuple(header["low"]), planes)
        numbers = decode(encoded, np.dtype(header["dtype"]), header["points"])
        head = Head(
            asset=header["asset"],
            channel=header["channel"],
            start=moment(header["start_us"]).astimezone(UTC),
            rate_hz=header["rate_hz"],
            quantity=header["quantity"],
            unit=header["unit"],
            scale=header["scale"],
            offset=header["offset"],
            quality=Quality(header["quality"]),
            trigger=Trigger(header["trigger"]),
        )
    except (KeyError, ValueError, TypeError, IndexError, OSError) as error:  # written by a later version
        raise DamagedFrameError(f"it is whole, and this version cannot read it: {error!r}") from error
    return Waveform(head, numbers)


def _opened(frame: bytes) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    if len(frame) < _PREFIX.size:
        raise DamagedFrameError(f"{len(frame)} bytes are there")
    magic, header_length, planes_length, checksum = _PREFIX.unpack_from(frame)
    body = memoryview(frame)[_PREFIX.size :]
    if magic != _MAGIC:
        raise DamagedFrameError("it does not begin as a waveform does")
    if len(body) != header_length + planes_length:
        raise DamagedFrameError(f"{len(body)} bytes are there of {header_length + planes_length}")
    if zlib.crc32(body) != checksum:
        raise DamagedFrameError("its checksum is wrong")
    header: dict[str, Any] = orjson.loads(body[:header_length])
    planes, at = [], header_length
    for length in header["planes"]:
        planes.append(bytes(body[at : at + length]))
        at += length
    return header, tuple(planes)
