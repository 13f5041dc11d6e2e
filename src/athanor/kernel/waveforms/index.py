"""The index of waveforms in the database: a function for each thing asked of it, within a caller's session."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Row, Select, delete, exists, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.errors import NotFoundError
from athanor.kernel.historian.port import Span, microseconds, moment
from athanor.kernel.telemetry import Quality
from athanor.kernel.waveforms.port import Channel, Entry, Gone, Head, Selection, Trigger
from athanor.kernel.waveforms.tables import BlobRow, ChannelRow, WaveformRow

ChannelKey = tuple[str, str]  # asset and name
_T = TypeVar("_T")
_AT_ONCE = 500  # rows in one statement


@dataclass(frozen=True, slots=True)
class Placed:
    """A waveform and where in the files it lies."""

    head: Head
    points: int
    dtype: str
    blob: str  # name of its file
    place: int  # of its first byte there
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Located:
    """What the index says of a waveform, and where it lies."""

    entry: Entry
    blob: str
    place: int


async def channel_ids(session: AsyncSession, keys: Collection[ChannelKey]) -> dict[ChannelKey, int]:
    """Ids of channels; new ones are made."""
    rows = [{"asset": asset, "name": name} for asset, name in sorted(keys)]  # sorted: two writers cannot deadlock
    await session.execute(_insert(session, ChannelRow).on_conflict_do_nothing(), rows)
    found = await session.execute(
        select(ChannelRow.id, ChannelRow.asset, ChannelRow.name).where(
            tuple_(ChannelRow.asset, ChannelRow.name).in_(list(keys))
        )
    )
    return {(row.asset, row.name): row.id for row in found}


async def record(
    session: AsyncSession, placed: Sequence[Placed], channels: Mapping[ChannelKey, int]
) -> tuple[list[int], list[str]]:
    """Enter waveforms, each of another key; their ids, and the files in which nothing is left."""
    blobs = await _add_blobs(session, sorted({one.blob for one in placed}))
    ids: list[int] = []
    replaced: set[int] = set()
    for part in _parts(placed):
        rows = [_row(one, channels, blobs) for one in part]
        keys = [(row["channel"], row["start_us"]) for row in rows]
        is_there = tuple_(WaveformRow.channel, WaveformRow.start_us).in_(keys)
        replaced.update(await session.scalars(select(WaveformRow.blob).where(is_there).with_for_update()))
        entering = _insert(session, WaveformRow)
        changed = {name: entering.excluded[name] for name in rows[0] if name not in {"channel", "start_us"}}
        replacing = entering.on_conflict_do_update(index_elements=["channel", "start_us"], set_=changed)
        await session.execute(replacing, rows)  # rows apart: so the statement is compiled once, whatever their number
        found = await session.execute(select(WaveformRow.id, WaveformRow.channel, WaveformRow.start_us).where(is_there))
        known = {(row.channel, row.start_us): row.id for row in found}
        ids += [known[key] for key in keys]
    return ids, await drop_empty(session, replaced)


async def drop_empty(session: AsyncSession, blobs: Collection[int] | None = None) -> list[str]:
    """Forget files, among these or of all, that no waveform is in any more; their names."""
    is_empty = ~exists().where(WaveformRow.blob == BlobRow.id)
    if blobs is None:
        return list(await session.scalars(delete(BlobRow).where(is_empty).returning(BlobRow.name)))
    names: list[str] = []
    for part in _parts(sorted(blobs)):
        names += await session.scalars(delete(BlobRow).where(BlobRow.id.in_(part), is_empty).returning(BlobRow.name))
    return names


async def known_blobs(session: AsyncSession, names: Sequence[str]) -> set[str]:
    """Those of the files that the index knows."""
    known: set[str] = set()
    for part in _parts(names):
        known.update(await session.scalars(select(BlobRow.name).where(BlobRow.name.in_(part))))
    return known


async def locate(session: AsyncSession, ids: Sequence[int]) -> list[Located]:
    """Where waveforms lie, in the order asked. Raises NotFoundError."""
    found: dict[int, Located] = {}
    for part in _parts(sorted(set(ids))):
        rows = await session.execute(_all().where(WaveformRow.id.in_(part)))
        found |= {row.id: Located(_entry(row), row.blob_name, row.place) for row in rows}
    for waveform_id in ids:
        if waveform_id not in found:
            raise NotFoundError("waveform", waveform_id)
    return [found[waveform_id] for waveform_id in ids]


async def find(
    session: AsyncSession,
    asset: str,
    channel: str | None,
    span: Span | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Entry]:
    """See `Waveforms.find`."""
    query = _all().where(ChannelRow.asset == asset).order_by(WaveformRow.start_us, ChannelRow.name).limit(limit)
    if channel is not None:
        query = query.where(ChannelRow.name == channel)
    if span is not None:
        query = query.where(WaveformRow.start_us >= span.start_us, WaveformRow.start_us < span.end_us)
    if after is not None:
        last = (microseconds(after[0]), after[1])
        query = query.where(WaveformRow.start_us >= last[0], tuple_(WaveformRow.start_us, ChannelRow.name) > last)
    return [_entry(row) for row in await session.execute(query)]


async def latest(session: AsyncSession, asset: str, channel: str | None) -> list[Entry]:
    """See `Waveforms.latest`."""
    newest = (  # one look into the index for each channel
        select(WaveformRow.id)
        .where(WaveformRow.channel == ChannelRow.id)
        .order_by(WaveformRow.start_us.desc())
        .limit(1)
        .scalar_subquery()
    )
    of_each = select(newest).select_from(ChannelRow).where(ChannelRow.asset == asset)
    if channel is not None:
        of_each = of_each.where(ChannelRow.name == channel)
    ids = [one for one in await session.scalars(of_each) if one is not None]
    query = _all().where(WaveformRow.id.in_(ids)).order_by(ChannelRow.name)
    return [_entry(row) for row in await session.execute(query)]


async def channels(session: AsyncSession, asset: str | None) -> list[Channel]:
    """See `Waveforms.channels`."""
    query = select(ChannelRow.asset, ChannelRow.name).order_by(ChannelRow.asset, ChannelRow.name)
    if asset is not None:
        query = query.where(ChannelRow.asset == asset)
    return [Channel(row.asset, row.name) for row in await session.execute(query)]


async def count(session: AsyncSession, selection: Selection) -> Gone:
    """How much a selection holds."""
    totals = _selected(
        select(
            func.count().label("waveforms"),
            func.coalesce(func.sum(WaveformRow.points), 0).label("points"),
            func.coalesce(func.sum(WaveformRow.size), 0).label("size"),
            func.min(WaveformRow.start_us).label("oldest"),
            func.max(WaveformRow.start_us).label("newest"),
        ).select_from(WaveformRow),
        selection,
    )
    row = (await session.execute(totals)).one()
    oldest, newest = (None if us is None else moment(us) for us in (row.oldest, row.newest))
    return Gone(row.waveforms, int(row.points), int(row.size), oldest, newest)


async def remove_some(session: AsyncSession, selection: Selection, most: int) -> tuple[int, list[str]]:
    """Take the oldest of a selection out of the index, so many at most; how many, and the files left empty."""
    oldest = _selected(select(WaveformRow.id, WaveformRow.blob), selection).order_by(WaveformRow.start_us).limit(most)
    rows = (await session.execute(oldest)).all()
    for part in _parts(rows):
        await session.execute(delete(WaveformRow).where(WaveformRow.id.in_([row.id for row in part])))
    return len(rows), await drop_empty(session, {row.blob for row in rows})


def _selected(query: Any, selection: Selection) -> Any:
    query = query.where(WaveformRow.start_us < microseconds(selection.before))
    if selection.trigger is not None:
        query = query.where(WaveformRow.trigger == selection.trigger.value)
    if selection.assets is not None:
        of_them = select(ChannelRow.id).where(ChannelRow.asset.in_(selection.assets))
        query = query.where(WaveformRow.channel.in_(of_them))
    return query


def _all() -> Select[Any]:
    columns = [column for column in WaveformRow.__table__.columns if column.name not in {"channel", "blob"}]
    return (
        select(*columns, ChannelRow.asset, ChannelRow.name.label("channel_name"), BlobRow.name.label("blob_name"))
        .join(ChannelRow, ChannelRow.id == WaveformRow.channel)
        .join(BlobRow, BlobRow.id == WaveformRow.blob)
    )


def _entry(row: Row[Any]) -> Entry:
    head = Head(
        asset=row.asset,
        channel=row.channel_name,
        start=moment(row.start_us),
        rate_hz=row.rate_hz,
        quantity=row.quantity,
        unit=row.unit,
        scale=row.scale,
        offset=row.offset,
        quality=Quality(row.quality),
        trigger=Trigger(row.trigger),
    )
    return Entry(row.id, head, row.points, row.dtype, row.size)


async def _add_blobs(session: AsyncSession, names: Sequence[str]) -> dict[str, int]:
    adding = _insert(session, BlobRow).returning(BlobRow.id, BlobRow.name)
    found = await session.execute(adding, [{"name": name} for name in names])
    return {row.name: row.id for row in found}


def _row(one: Placed, channels: Mapping[ChannelKey, int], blobs: Mapping[str, int]) -> dict[str, Any]:
    head = one.head
    return {
        "channel": channels[head.asset, head.channel],
        "start_us": microseconds(head.start),
        "rate_hz": head.rate_hz,
        "points": one.points,
        "dtype": one.dtype,
        "quantity": head.quantity,
        "unit": head.unit,
        "scale": head.scale,
        "offset": head.offset,
        "quality": int(head.quality),
        "trigger": head.trigger.value,
        "blob": blobs[one.blob],
        "place": one.place,
        "size": one.size,
    }


def _insert(session: AsyncSession, table: type[Any]) -> Any:
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table.__table__)  # Core: no object for each row


def _parts(items: Sequence[_T]) -> list[list[_T]]:
    """Cut so that no statement has more parameters than a database takes."""
    left = iter(items)
    return list(iter(lambda: list(islice(left, _AT_ONCE)), []))
