"""The client for programs with an event loop: each question waits in a thread, so the loop goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from athanor.client.answer import Answer
from athanor.client.sync import Client
from athanor.client.values import CurrentValue, Receipt, Sample, Tag


class AsyncClient:
    """As `Client`, which says what the parameters are; every method is awaited. Many may be asked at once."""

    def __init__(self, url: str, **options: Any) -> None:
        self._client = Client(url, **options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """See `Client.close`."""
        await asyncio.to_thread(self._client.close)

    async def tags(self, search: str = "") -> list[Tag]:
        """See `Client.tags`."""
        return await asyncio.to_thread(self._client.tags, search)

    async def current(self, tags: Sequence[str]) -> list[CurrentValue]:
        """See `Client.current`."""
        return await asyncio.to_thread(self._client.current, tags)

    async def series(
        self, tags: Sequence[str], start: datetime | str, end: datetime | str | None = None, **options: Any
    ) -> Answer:
        """See `Client.series`."""
        return await asyncio.to_thread(self._client.series, tags, start, end, **options)

    async def grid(
        self, tags: Sequence[str], start: datetime | str, end: datetime | str | None = None, **options: Any
    ) -> Answer:
        """See `Client.grid`."""
        return await asyncio.to_thread(self._client.grid, tags, start, end, **options)

    async def delta(
        self, tags: Sequence[str], start: datetime | str, end: datetime | str | None = None, **options: Any
    ) -> Answer:
        """See `Client.delta`."""
        return await asyncio.to_thread(self._client.delta, tags, start, end, **options)

    async def at(self, tags: Sequence[str], time: datetime | str, **options: Any) -> Answer:
        """See `Client.at`."""
        return await asyncio.to_thread(self._client.at, tags, time, **options)

    async def batches(
        self, tags: Sequence[str], start: datetime | str, end: datetime | str | None = None, **options: Any
    ) -> AsyncIterator[pa.RecordBatch]:
        """See `Client.batches`."""
        batches = self._client.batches(tags, start, end, **options)
        try:
            while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                yield batch
        finally:
            await asyncio.to_thread(batches.close)

    async def write(self, samples: pa.Table | pa.RecordBatch | Iterable[Sample]) -> Receipt:
        """See `Client.write`."""
        return await asyncio.to_thread(self._client.write, samples)
