"""Waveforms in a store of files, with their index in the database.

A write puts its file first and enters it into the index after: a crash in between leaves a file that nobody knows of,
and never an entry without its file. What is deleted leaves the index first. So `sweep` finds all that crashes leave.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import uuid4

import numpy as np
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database, reason_of
from athanor.kernel.errors import AthanorError
from athanor.kernel.files.port import FileMissingError, Files
from athanor.kernel.historian.port import Span, microseconds
from athanor.kernel.waveforms import index
from athanor.kernel.waveforms.frame import DamagedFrameError, of_frame, to_frame
from athanor.kernel.waveforms.index import Located, Placed
from athanor.kernel.waveforms.port import (
    Channel,
    DamagedWaveformError,
    Entry,
    Gone,
    Head,
    Selection,
    UnequalWaveformsError,
    Waveform,
    WaveformIndexError,
    checked,
)

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

FOLDER = "waveforms"  # in the store of files
ABANDONED_AFTER = timedelta(days=1)  # a file without entry: longer than any write lasts
_READS_AT_ONCE = 8
_EXPIRED_AT_ONCE = 2000  # in one transaction, so that writers need not wait
_SWEPT_AT_ONCE = 500
_SWEEP_EVERY_S = 6 * 3600.0
_Key = tuple[str, str, int]  # asset, channel, start [us]


class StoredWaveforms:
    """Implements `Waveforms`; see its docstrings for the contract.

    Parameters
    ----------
    files, database
        Where waveforms and their index lie; the caller closes them.
    now
        The clock, aware.
    """

    def __init__(
        self, files: Files, database: Database, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._files = files
        self._database = database
        self._now = now
        self._codecs = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="waveforms-codec")
        self._sweeping: asyncio.Task[None] | None = None
        self._waiting: list[tuple[Sequence[Placed], asyncio.Future[Mapping[_Key, int]]]] = []  # their files are durable
        self._entering: asyncio.Task[None] | None = None
        self._channels: dict[index.ChannelKey, int] = {}  # that are known to be in the database

    async def write(self, waveforms: Sequence[Waveform]) -> list[int]:
        """See `Waveforms`."""
        for one in waveforms:
            checked(one)
        last = {_key(one.head): one for one in waveforms}
        placed, contents = await self._framed(list(last.values()))
        if not placed:
            return []
        await asyncio.gather(*(self._files.put(name, content) for name, content in contents.items()))
        id_of = await self._enter(placed)
        return [id_of[_key(one.head)] for one in waveforms]

    async def read(self, waveform_id: int) -> Waveform:
        """See `Waveforms`."""
        (waveform,) = await self.read_many([waveform_id])
        return waveform

    async def read_many(self, ids: Sequence[int]) -> list[Waveform]:
        """See `Waveforms`."""
        async with self._asking() as session:
            located = await index.locate(session, ids)
        at_once = asyncio.Semaphore(_READS_AT_ONCE)

        async def one(of: Located) -> Waveform:
            async with at_once:
                return await self._read(of)

        return list(await asyncio.gather(*map(one, located)))

    async def table(self, ids: Sequence[int]) -> np.ndarray:
        """See `Waveforms`."""
        async with self._asking() as session:
            entries = [one.entry for one in await index.locate(session, ids)]
        for entry in entries[1:]:
            if _shape(entry) != _shape(entries[0]):
                raise UnequalWaveformsError(entries[0], entry)
        rows = [one.values.astype(np.float64, copy=False) for one in await self.read_many(ids)]
        return np.stack(rows) if rows else np.empty((0, 0))

    async def entry(self, waveform_id: int) -> Entry:
        """See `Waveforms`."""
        async with self._asking() as session:
            (located,) = await index.locate(session, [waveform_id])
        return located.entry

    async def find(
        self,
        asset: str,
        channel: str | None = None,
        span: Span | None = None,
        *,
        after: tuple[datetime, str] | None = None,
        limit: int = 1000,
    ) -> list[Entry]:
        """See `Waveforms`."""
        async with self._asking() as session:
            return await index.find(session, asset, channel, span, after, limit)

    async def latest(self, asset: str, channel: str | None = None) -> list[Entry]:
        """See `Waveforms`."""
        async with self._asking() as session:
            return await index.latest(session, asset, channel)

    async def channels(self, asset: str | None = None) -> list[Channel]:
        """See `Waveforms`."""
        async with self._asking() as session:
            return await index.channels(session, asset)

    async def expire(self, selection: Selection, *, dry_run: bool) -> Gone:
        """See `Waveforms`."""
        async with self._asking() as session:
            gone = await index.count(session, selection)
        if dry_run:
            return gone
        removed = _EXPIRED_AT_ONCE
        while removed == _EXPIRED_AT_ONCE:
            async with self._changing() as session:
                removed, emptied = await index.remove_some(session, selection, _EXPIRED_AT_ONCE)
            await self._delete(emptied)
        return gone

    async def sweep(self) -> int:
        """See `Waveforms`."""
        async with self._changing() as session:
            emptied = await index.drop_empty(session)
        await self._delete(emptied)
        swept = len(emptied)
        old: list[str] = []
        async for file in self._files.list_files(FOLDER):
            if file.stored_at < self._now() - ABANDONED_AFTER:
                old.append(file.name)
            if len(old) == _SWEPT_AT_ONCE:
                swept += await self._delete_unknown(old)
                old.clear()
        return swept + await self._delete_unknown(old)

    def start(self) -> None:
        """Sweep now and then, from the running loop, until closed."""
        self._sweeping = asyncio.create_task(self._sweep_now_and_then(), name="waveforms:sweep")

    async def close(self) -> None:
        """Wait for what is being coded; nothing is answered after."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        if self._entering is not None:
            await self._entering
        await asyncio.to_thread(self._codecs.shutdown)

    async def _sweep_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_EVERY_S)
            try:
                swept = await self.sweep()
            except AthanorError as error:  # the store or the database is away, which others say louder
                _log.warning("waveforms.not-swept", reason=str(error))
            else:
                _log.info("waveforms.swept", files=swept)

    async def _framed(self, waveforms: Sequence[Waveform]) -> tuple[list[Placed], dict[str, bytes]]:
        """Each waveform's place, and the files, one for each asset."""
        frames = await asyncio.gather(*(self._coding(partial(to_frame, one)) for one in waveforms))
        names: dict[str, str] = {}
        contents: dict[str, list[bytes]] = {}
        lengths: dict[str, int] = {}
        placed: list[Placed] = []
        for one, frame in zip(waveforms, frames, strict=True):
            head = one.head
            name = names.setdefault(head.asset, _new_name(head.asset, head.start))
            place = lengths.get(name, 0)
            placed.append(Placed(head, len(one.numbers), one.numbers.dtype.name, name, place, len(frame)))
            contents.setdefault(name, []).append(frame)
            lengths[name] = place + len(frame)
        return placed, {name: b"".join(parts) for name, parts in contents.items()}

    async def _enter(self, placed: Sequence[Placed]) -> Mapping[_Key, int]:
        """Enter waveforms into the index, with all others that wait for it: one transaction, one flush to the disk."""
        entered: asyncio.Future[Mapping[_Key, int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((placed, entered))
        if self._entering is None or self._entering.done():
            self._entering = asyncio.create_task(self._enter_waiting(), name="waveforms:enter")
        return await entered

    async def _enter_waiting(self) -> None:
        """A task of its own, so that a sender who gives up takes no other with them."""
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                id_of = await self._enter_all([one for placed, _ in group for one in placed])
            except BaseException as error:
                for _, entered in group:
                    if not entered.done():
                        entered.set_exception(error)
                if not isinstance(error, Exception):
                    raise
            else:
                for _, entered in group:
                    if not entered.done():
                        entered.set_result(id_of)

    async def _enter_all(self, placed: Sequence[Placed]) -> Mapping[_Key, int]:
        last = {_key(one.head): one for one in placed}
        wanted = {(asset, channel) for asset, channel, _ in last}
        async with self._changing() as session:
            fresh = wanted - self._channels.keys()
            made = await index.channel_ids(session, fresh) if fresh else {}
            ids, emptied = await index.record(session, list(last.values()), self._channels | made)
        self._channels |= made  # only now: what is not committed is not there
        unused = {one.blob for one in placed} - {one.blob for one in last.values()}
        await self._delete([*emptied, *sorted(unused)])
        return dict(zip(last, ids, strict=True))

    async def _read(self, located: Located) -> Waveform:
        while True:
            try:
                frame = await self._files.get_range(located.blob, located.place, located.entry.size)
                waveform = await self._coding(partial(of_frame, frame))
            except FileMissingError as error:
                async with self._asking() as session:
                    (now,) = await index.locate(session, [located.entry.id])
                if now.blob == located.blob:
                    raise _damaged(located, "it is missing") from error
                located = now  # it was replaced meanwhile
            except DamagedFrameError as error:
                raise _damaged(located, error) from error
            else:
                if (waveform.head, len(waveform.numbers)) != (located.entry.head, located.entry.points):
                    raise _damaged(located, "another waveform is there")
                return waveform

    async def _delete(self, names: Sequence[str]) -> None:
        """Delete files that the index has forgotten; what does not go now, the next sweep takes."""
        for name in names:
            try:
                await self._files.delete(name)
            except AthanorError as error:
                _log.warning("waveforms.file-left", name=name, reason=str(error))

    async def _delete_unknown(self, names: Sequence[str]) -> int:
        async with self._asking() as session:
            unknown = set(names) - await index.known_blobs(session, names)
        await self._delete(sorted(unknown))
        return len(unknown)

    async def _coding(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._codecs, work)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[AsyncSession]:
        try:
            async with self._database.reading() as session:
                yield session
        except (DBAPIError, OSError) as error:
            raise WaveformIndexError(reason_of(error)) from error

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[AsyncSession]:
        try:
            async with self._database.session() as session:
                yield session
        except (DBAPIError, OSError) as error:
            raise WaveformIndexError(reason_of(error)) from error


def _key(head: Head) -> _Key:
    return head.asset, head.channel, microseconds(head.start)


def _new_name(asset: str, start: datetime) -> str:
    """A name that no file has: `waveforms/smelter/fans/fan_1/20261121T120000Z-….awf`."""
    return f"{FOLDER}/{asset.replace('.', '/')}/{start.astimezone(UTC):%Y%m%dT%H%M%SZ}-{uuid4().hex}.awf"


def _shape(entry: Entry) -> tuple[int, float, str]:
    return entry.points, entry.head.rate_hz, entry.head.unit


def _damaged(located: Located, reason: object) -> DamagedWaveformError:
    head = located.entry.head
    what = f"Waveform {located.entry.id} ({head.asset} {head.channel}, {head.start.isoformat()})"
    place = f"{located.blob}, {located.entry.size} bytes from {located.place} on,"
    return DamagedWaveformError(what, place, reason)
