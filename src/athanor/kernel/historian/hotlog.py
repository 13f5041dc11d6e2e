"""The hot tail: samples since the last seal, in a log on disk and as columns in memory. One folder, no server.

Samples are appended to a *generation*: a file of framed Arrow batches, flushed to the disk before anything is
acknowledged, and the same samples as growing NumPy columns, which queries read. A full or old generation is closed,
sealed into the lake by someone else and then removed, while the next one takes what comes in. Generations and the
lake's files draw their order from one counter, so that of two samples with the same tag and time the later written
one is known.

A frame is magic, length and CRC-32 of an Arrow record batch (IPC encapsulated message, schema STORED). What a crash
cut short was never acknowledged; a frame that the disk damaged is logged, and those behind it are read.
"""

import os
import shutil
import struct
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import structlog

from athanor.kernel.durable import flush
from athanor.kernel.historian.claim import FolderClaim
from athanor.kernel.historian.latest import LatestSamples
from athanor.kernel.historian.port import STORED, HistorianFullError, HistorianUnopenableError
from athanor.kernel.telemetry import TIME, numpy_column

_log = structlog.get_logger(__name__)

_MAGIC = b"ATHL"
_HEADER = struct.Struct("<4sII")  # magic, length of the batch, its CRC-32
_GROW_BY = 16 * 1024 * 1024  # [B] room is taken ahead, so that a flush need not write the file's length too
_FIRST_ROWS = 65_536
_LATEST = "latest.arrow"
_EVER = (-(2**63), 2**63 - 1)  # [us]
RESERVE_MB = 64  # left free on the disk, so that what is here can still be sealed


@dataclass(frozen=True, slots=True)
class HotRows:
    """Some rows of a generation, as they were when they were asked for; order is that of writing."""

    tag: np.ndarray  # int32
    time_us: np.ndarray  # int64
    value: np.ndarray  # float64, NaN where there is no number
    quality: np.ndarray  # uint8
    text: dict[int, str]  # by row of the generation
    rows: np.ndarray  # which rows of the generation these are

    def to_table(self) -> pa.Table:
        """As samples (STORED), in the same order."""
        texts = [self.text.get(row) for row in self.rows.tolist()] if self.text else None
        return pa.table(
            [
                pa.array(self.tag, pa.int32()),
                pa.array(self.time_us, pa.int64()).cast(TIME),
                pa.array(self.value, mask=np.isnan(self.value)),
                pa.nulls(len(self.rows), pa.string()) if texts is None else pa.array(texts, pa.string()),
                pa.array(self.quality, pa.uint8()),
            ],
            schema=STORED,
        )


class _Columns:
    """Columns that grow. Readers take arrays and length as they are; rows below the length never change."""

    def __init__(self) -> None:
        self.rows = 0
        self.tag = np.empty(_FIRST_ROWS, np.int32)
        self.time_us = np.empty(_FIRST_ROWS, np.int64)
        self.value = np.empty(_FIRST_ROWS, np.float64)
        self.quality = np.empty(_FIRST_ROWS, np.uint8)
        self.text: dict[int, str] = {}

    def append(self, batch: pa.RecordBatch) -> None:
        end = self.rows + batch.num_rows
        if end > len(self.tag):
            self._grow(max(end, 2 * len(self.tag)))
        place = slice(self.rows, end)
        self.tag[place] = numpy_column(batch, "tag")
        self.time_us[place] = numpy_column(batch, "time")
        self.value[place] = numpy_column(batch, "value")
        self.quality[place] = numpy_column(batch, "quality")
        text = batch.column("text")
        if text.null_count < len(text):
            said = enumerate(text.to_pylist(), start=self.rows)
            self.text.update((row, word) for row, word in said if word is not None)
        self.rows = end

    def _grow(self, size: int) -> None:
        self.tag = _longer(self.tag, size)
        self.time_us = _longer(self.time_us, size)
        self.value = _longer(self.value, size)
        self.quality = _longer(self.quality, size)

    def picked(self, tags: np.ndarray | None, start_us: int, end_us: int) -> HotRows:
        """Rows of these tags (all where None) with start ≤ time < end."""
        rows, tag, time_us, value, quality = self.rows, self.tag, self.time_us, self.value, self.quality
        tag, time_us = tag[:rows], time_us[:rows]
        if tags is None:
            chosen = np.arange(rows)
        elif len(tags) == 1:
            chosen = np.flatnonzero(tag == tags[0])
        else:
            chosen = np.flatnonzero(np.isin(tag, tags))
        times = time_us[chosen]
        chosen = chosen[(times >= start_us) & (times < end_us)]
        return HotRows(tag[chosen], time_us[chosen], value[chosen], quality[chosen], self.text, chosen)


@dataclass(slots=True)
class Generation:
    """One file of the log, and the same samples in memory."""

    order: int
    path: Path
    columns: _Columns = field(default_factory=_Columns)
    opened_at: float = field(default_factory=time.monotonic)

    @property
    def rows(self) -> int:
        """Samples in it."""
        return self.columns.rows

    def read(self, tags: np.ndarray | None = None, start_us: int = _EVER[0], end_us: int = _EVER[1]) -> pa.Table:
        """Samples (STORED) of these tags (all where None) with start ≤ time < end [us], in order of writing."""
        return self.columns.picked(tags, start_us, end_us).to_table()


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of the log as it was at one moment: what was appended since lies behind its size. Close it."""

    name: str
    handle: int  # to read by, also when the file is gone
    size: int  # [B]

    def close(self) -> None:
        """Let go of it."""
        os.close(self.handle)


class HotLog:
    """The open generations of the hot tail. One writer at a time; readers at any time."""

    def __init__(self, folder: Path, *, next_order: int, reserve_mb: int = RESERVE_MB) -> None:
        """Open or create the log in a folder. `next_order` is above every order that the lake holds.

        Nothing is stored where the disk has less than `reserve_mb` left. Raises HistorianUnopenableError when another
        process has it open, or the folder cannot be used.
        """
        self.folder = folder
        self._reserve_bytes = reserve_mb * 1024**2
        self._lock = threading.Lock()
        try:
            self._claim = FolderClaim(folder)
            self._latest = LatestSamples.load(folder / _LATEST)
            self._generations = [replayed(path) for path in sorted(folder.glob("*.log"))]
        except OSError as error:
            raise HistorianUnopenableError(folder, error) from error
        for generation in self._generations:
            self._latest.take(generation.read(), generation.order)
        self._next_order = max([next_order, *(generation.order + 1 for generation in self._generations)])
        if not self._generations or self.current.order < next_order:  # what the lake has sealed takes no more writes
            self._generations += [Generation(self._next_order, folder / f"{self._next_order:012d}.log")]
            self._next_order += 1
        try:
            self._file = _LogFile(self.current.path)
        except OSError as error:
            raise HistorianUnopenableError(folder, error) from error

    @property
    def generations(self) -> tuple[Generation, ...]:
        """Oldest first; the last one takes the writes."""
        return tuple(self._generations)

    @property
    def current(self) -> Generation:
        """The generation that takes the writes."""
        return self._generations[-1]

    def oldest_order(self) -> int:
        """The order of the oldest generation that holds samples or may yet come to hold some."""
        generations = self._generations
        return next((one.order for one in generations if one.rows), generations[-1].order)

    def append(self, batches: Sequence[pa.RecordBatch]) -> None:
        """Store batches (STORED), all or none; durable on return. Raises HistorianFullError."""
        with self._lock:
            free = shutil.disk_usage(self.folder).free
            if free < self._reserve_bytes:
                raise HistorianFullError(self.folder, f"the disk has {free >> 20} MB left")
            try:
                self._file.append(batches)
            except OSError as error:
                raise HistorianFullError(self.folder, error.strerror) from error
            current = self.current
            for batch in batches:
                current.columns.append(batch)
                self._latest.take(batch, current.order)

    def roll(self) -> int:
        """Open a new generation for the writes to come; returns an order between the old and the new.

        Raises HistorianFullError.
        """
        with self._lock:
            between, order = self._next_order, self._next_order + 1
            path = self.folder / f"{order:012d}.log"
            try:
                file = _LogFile(path)
            except OSError as error:
                path.unlink(missing_ok=True)
                raise HistorianFullError(self.folder, error.strerror) from error
            self._file.close()
            self._next_order = order + 1
            self._file = file
            self._generations = [*self._generations, Generation(order, path)]
            return between

    def forget(self, generation: Generation) -> None:
        """Remove a sealed generation; what was newest in it stays known to `latest`. Raises HistorianFullError."""
        with self._lock:
            try:
                self._latest.save(self.folder / _LATEST)
                generation.path.unlink()
            except OSError as error:
                raise HistorianFullError(self.folder, error.strerror) from error
            self._generations = [other for other in self._generations if other is not generation]

    def note_latest(self, rows: pa.Table, *, order: int) -> None:
        """Make known to `latest` the newest of samples (STORED) that went straight to the lake.

        Raises HistorianFullError.
        """
        with self._lock:
            self._latest.take(rows, order)
            try:
                self._latest.save(self.folder / _LATEST)
            except OSError as error:
                raise HistorianFullError(self.folder, error.strerror) from error

    def latest(self) -> pa.Table:
        """The newest sample (STORED) of every tag, sealed ones included, by tag."""
        with self._lock:
            return self._latest.to_table()

    def files_now(self) -> list[LogFile]:
        """Everything that was acknowledged and not forgotten, as open files, `latest` the last of them."""
        with self._lock:
            paths = [generation.path for generation in self._generations]
            latest = self.folder / _LATEST
            files = [_opened(path) for path in (*paths, *([latest] if latest.exists() else []))]
            return [replace(one, size=self._file.end) if one.name == paths[-1].name else one for one in files]

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._file.close()
            self._claim.release()


class _LogFile:
    """A generation's file, open for appending."""

    def __init__(self, path: Path) -> None:
        self._room = 0
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._end = max((end for end, _ in _frames(path)), default=0)
        self._cut()
        flush(path.parent)

    @property
    def end(self) -> int:
        """Where what was acknowledged ends. [B]"""
        return self._end

    def append(self, batches: Sequence[pa.RecordBatch]) -> None:
        """Write and flush; on failure the file ends where it ended before. Raises OSError."""
        body = b"".join(_framed(batch) for batch in batches)
        try:
            if self._end + len(body) > self._room:
                self._take_room(len(body))
            _write_all(self._handle, body, self._end)
            os.fdatasync(self._handle)
        except OSError:
            self._cut()
            raise
        self._end += len(body)

    def _take_room(self, needed: int) -> None:
        """On the disk, for so many bytes and some more; for just these where the disk is nearly full."""
        for room in (-(-needed // _GROW_BY) * _GROW_BY, needed):
            try:
                os.posix_fallocate(self._handle, self._end, room)
            except OSError:
                if room == needed:
                    raise
            else:
                self._room = self._end + room
                return

    def _cut(self) -> None:
        """Take back what a crash or a failed append left behind the last whole frame."""
        os.ftruncate(self._handle, self._end)
        self._room = self._end

    def close(self) -> None:
        """Give back the room that was taken ahead, and let go."""
        self._cut()
        os.close(self._handle)


def _opened(path: Path) -> LogFile:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return LogFile(path.name, handle, os.fstat(handle).st_size)


def _longer(column: np.ndarray, size: int) -> np.ndarray:
    longer = np.empty(size, column.dtype)
    longer[: len(column)] = column
    return longer


def _write_all(handle: int, body: bytes, at: int) -> None:
    """A write may take less than it was given, as when the disk is nearly full: go on until it says why."""
    rest = memoryview(body)
    while rest:
        written = os.pwrite(handle, rest, at)
        rest, at = rest[written:], at + written


def _framed(batch: pa.RecordBatch) -> bytes:
    body = memoryview(batch.serialize())
    return _HEADER.pack(_MAGIC, len(body), zlib.crc32(body)) + body


def _frames(path: Path) -> Iterator[tuple[int, memoryview]]:
    """The whole frames of a file and where each ends.

    After a damaged place the next whole frame is looked for: what was acknowledged behind it is not lost with it.
    """
    content = path.read_bytes()
    end = at = 0
    while (at := content.find(_MAGIC, at)) >= 0:
        body = _body_at(content, at)
        if body is None:
            at += 1
            continue
        if at > end:
            _log.error("historian.log-damaged", path=str(path), begins=end, ends=at)
        end = at = at + _HEADER.size + len(body)
        yield end, body
    if content[end : end + _HEADER.size].strip(b"\0"):
        _log.warning("historian.log-cut", path=str(path), at=end)


def _body_at(content: bytes, at: int) -> memoryview | None:
    """The batch of the frame that begins here, where it is whole."""
    if at + _HEADER.size > len(content):
        return None
    _, length, checksum = _HEADER.unpack_from(content, at)
    begin = at + _HEADER.size
    body = memoryview(content)[begin : begin + length]
    return body if len(body) == length and zlib.crc32(body) == checksum else None


def replayed(path: Path) -> Generation:
    """A generation as its file has it. Raises OSError."""
    generation = Generation(int(path.stem), path)
    for _, body in _frames(path):
        generation.columns.append(pa.ipc.read_record_batch(pa.py_buffer(body), STORED))
    return generation
