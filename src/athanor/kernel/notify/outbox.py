"""Messages in the database are the queue: claimed by one server, settled by it, found again when it died.

A claim locks its channel's row, so that two servers neither take the same message nor together exceed what a channel
may carry: on PostgreSQL by row, on SQLite writers take turns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Select, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.notify.tables import ChannelRow, MessageRow, NoticeRow, State

TO_GO = (State.WAITING, State.FAILED)
_MINUTE = timedelta(minutes=1)
_AHEAD = timedelta(seconds=5)  # by how much a clock may have been set back without that counting
_JUMPED = timedelta(hours=1)  # no failed message waits that long: the clock was set back


@dataclass(frozen=True, slots=True)
class Room:
    """What a channel carries: messages at once and in a minute, of all servers together."""

    at_once: int
    per_minute: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this server is to send now."""

    row: MessageRow
    notice: NoticeRow


async def due(database: Database, now: datetime) -> list[int]:
    """The channels for which messages are due; without keeping others from writing."""
    async with database.reading() as session:
        return list(await session.scalars(select(MessageRow.channel_id).where(_is_due(now)).distinct()))


async def claim(
    database: Database, channel_id: int, room: Room, server: str, now: datetime, lease: timedelta
) -> list[Claimed]:
    """Take the most urgent messages for which a channel has room; kept as `sending` on return.

    None where the channel is off, gone, or its circuit open; one to try it with where that was open until now.
    """
    async with database.session() as session:
        channel = await session.get(ChannelRow, channel_id, with_for_update=True)
        if channel is None or not is_open_for(channel, now):
            return []
        most = min(
            room.at_once - await _under_way(session, channel_id),
            room.per_minute - await _lately(session, channel_id, now),
        )
        if channel.open_until is not None:
            most = min(most, 1 - await _under_way(session, channel_id))
        if most <= 0:
            return []
        found = await session.execute(_most_urgent(channel_id, now).limit(most))
        claimed = [Claimed(row, notice) for row, notice in found]
        for one in claimed:
            row = one.row
            row.state, row.claimed_by, row.claimed_until = State.SENDING, server, now + lease
            row.attempts += 1
        return claimed


def is_open_for(channel: ChannelRow, now: datetime) -> bool:
    """Whether a channel is to carry messages now."""
    return channel.is_enabled and channel.retired_at is None and not is_resting(channel, now)


def is_resting(channel: ChannelRow, now: datetime) -> bool:
    """Whether its circuit is open. A time too far ahead was written before the clock was set back."""
    return channel.open_until is not None and now < channel.open_until <= now + _JUMPED


def _most_urgent(channel_id: int, now: datetime) -> Select[MessageRow, NoticeRow]:
    return (
        select(MessageRow, NoticeRow)
        .join(NoticeRow, NoticeRow.id == MessageRow.notice_id)
        .where(MessageRow.channel_id == channel_id, _is_due(now))
        .order_by(NoticeRow.priority, MessageRow.made_at, MessageRow.id)
        .with_for_update(skip_locked=True, of=MessageRow)
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    is_failed = and_(MessageRow.state == State.FAILED, MessageRow.due_at > now + _JUMPED)
    return or_(and_(MessageRow.state.in_(TO_GO), MessageRow.due_at <= now), is_failed)


async def _under_way(session: AsyncSession, channel_id: int) -> int:
    query = select(func.count()).where(MessageRow.channel_id == channel_id, MessageRow.state == State.SENDING)
    return int(await session.scalar(query) or 0)


async def _lately(session: AsyncSession, channel_id: int, now: datetime) -> int:
    """Messages on their way, and those that went out within the last minute."""
    query = select(func.count()).where(
        MessageRow.channel_id == channel_id,
        or_(MessageRow.state == State.SENDING, MessageRow.sent_at.between(now - _MINUTE, now + _AHEAD)),
    )
    return int(await session.scalar(query) or 0)


async def settle(session: AsyncSession, message_id: int, server: str, attempt: int, values: Mapping[str, Any]) -> bool:
    """Keep what became of a message; False where this server had lost it."""
    mine = (
        MessageRow.id == message_id,
        MessageRow.state == State.SENDING,
        MessageRow.claimed_by == server,
        MessageRow.attempts == attempt,
    )
    done = await session.execute(update(MessageRow).where(*mine).values(claimed_by=None, claimed_until=None, **values))
    return bool(cast("CursorResult[Any]", done).rowcount)


async def claims(database: Database) -> list[tuple[int, str, int]]:
    """Message, server and attempt of all that is under way, of all servers."""
    query = select(MessageRow.id, MessageRow.claimed_by, MessageRow.attempts).where(MessageRow.state == State.SENDING)
    async with database.reading() as session:
        return [(row.id, row.claimed_by or "", row.attempts) for row in await session.execute(query)]


async def take_back(database: Database, lost: Sequence[tuple[int, str, int]], now: datetime) -> int:
    """Let messages wait again whose server died amid sending them: they may go out a second time. How many."""
    count = 0
    async with database.session() as session:
        for message_id, server, attempt in lost:
            values = {"state": State.WAITING, "is_repeat": True, "due_at": now}
            count += await settle(session, message_id, server, attempt, values)
    return count


async def let_go(session: AsyncSession, channel_id: int, now: datetime) -> None:
    """A channel is back: what had failed for it is due at once, so that all goes out in order of urgency."""
    failed = (MessageRow.channel_id == channel_id, MessageRow.state == State.FAILED)
    await session.execute(update(MessageRow).where(*failed).values(due_at=now))


async def waiting(database: Database) -> dict[int, int]:
    """How many messages of each channel have not gone out."""
    open_states = (*TO_GO, State.SENDING)
    query = select(MessageRow.channel_id, func.count()).where(MessageRow.state.in_(open_states))
    async with database.reading() as session:
        rows = await session.execute(query.group_by(MessageRow.channel_id))
        return {channel: count for channel, count in rows}  # noqa: C416 (rows are no pairs to mypy)


async def expire(database: Database, before: datetime) -> int:
    """Forget notices, and what became of them, that were made before a moment; how many messages.

    What has still to go out stays, however old.
    """
    open_states = (*TO_GO, State.SENDING, State.WITHHELD)
    is_needed = (
        select(MessageRow.id)
        .where(
            MessageRow.notice_id == NoticeRow.id,
            or_(MessageRow.state.in_(open_states), MessageRow.made_at >= before),
        )
        .exists()
    )
    old = select(NoticeRow.id).where(NoticeRow.made_at < before, NoticeRow.routed_at.is_not(None), ~is_needed)
    async with database.session() as session:
        ids = list(await session.scalars(old.limit(1000)))
        done = await session.execute(delete(MessageRow).where(MessageRow.notice_id.in_(ids)))
        await session.execute(delete(NoticeRow).where(NoticeRow.id.in_(ids)))
        return int(cast("CursorResult[Any]", done).rowcount)
