"""Sirens, lights and voice columns: off again once all that they tell of is over.

Two servers may switch at once. Each counts its turn in the channel's row, and one that finds another's turn there looks
again: so what was switched last is what the row says.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from athanor.kernel.database.database import Database
from athanor.kernel.notify import circuit
from athanor.kernel.notify.channels.port import Output
from athanor.kernel.notify.circuit import Pace
from athanor.kernel.notify.errors import PermanentError, TemporaryError
from athanor.kernel.notify.outbox import is_resting
from athanor.kernel.notify.sending import Sender
from athanor.kernel.notify.tables import ChannelRow, MessageRow, NoticeRow, State

TEST_TOPIC = "notify.test"
TEST_LASTS = timedelta(seconds=5)
_TURNS = 5  # of another server amid ours; then the next look goes on


class Outputs:
    """Switches outputs off."""

    def __init__(self, database: Database, sender: Sender, *, now: Callable[[], datetime], pace: Pace) -> None:
        self._database, self._sender, self._now, self._pace = database, sender, now, pace

    async def look(self) -> int:
        """Switch off what stands on for nothing: how many."""
        async with self._database.reading() as session:
            rows = (await session.scalars(select(ChannelRow).where(ChannelRow.is_on.is_(True)))).all()
        count = 0
        for row in rows:
            if not is_resting(row, self._now()):
                count += await self._settle(row.id)
        return count

    async def _settle(self, channel_id: int) -> bool:
        """Let an output be as what it tells of stands; whether it was switched off."""
        for turn in range(_TURNS):
            async with self._database.reading() as session:
                row = await session.get_one(ChannelRow, channel_id)
                is_wanted = await self._is_wanted(session, row)
            if is_wanted and turn == 0:
                return False
            error = await self._switch(row, is_on=is_wanted)
            async with self._database.session() as session:
                kept = await session.get_one(ChannelRow, channel_id, with_for_update=True)
                if error is not None:
                    await circuit.note_failure(session, kept, error.reason, self._pace, self._now())
                    return False
                if kept.turns == row.turns:
                    kept.is_on, kept.turns = is_wanted, kept.turns + 1
                    await circuit.note_success(session, kept, self._pace, self._now())
                    return not is_wanted
        return False

    async def _switch(self, row: ChannelRow, *, is_on: bool) -> TemporaryError | PermanentError | None:
        try:
            await self._sender.switch(row, is_on=is_on)
        except (TemporaryError, PermanentError) as error:
            return error
        return None

    async def _is_wanted(self, session: AsyncSession, row: ChannelRow) -> bool:
        """Whether anything stands that an output tells of."""
        if not row.is_enabled or row.retired_at is not None:
            return False
        now = self._now()
        lasts = self._lasts(row)
        later = aliased(NoticeRow)
        is_over = exists().where(later.subject == NoticeRow.subject, later.id > NoticeRow.id, later.is_over.is_(True))
        is_test = NoticeRow.topic == TEST_TOPIC
        query = (
            select(func.count())
            .select_from(MessageRow)
            .join(NoticeRow, NoticeRow.id == MessageRow.notice_id)
            .where(
                MessageRow.channel_id == row.id,
                NoticeRow.is_over.is_(False),
                MessageRow.state.in_((State.SENT, State.SENDING)),
                ~is_over,
                or_(~is_test, MessageRow.sent_at > now - TEST_LASTS, MessageRow.state == State.SENDING),
            )
        )
        if lasts is not None:
            query = query.where(or_(MessageRow.sent_at > now - lasts, MessageRow.state == State.SENDING))
        return bool(await session.scalar(query))

    def _lasts(self, row: ChannelRow) -> timedelta | None:
        try:
            channel = self._sender.channel(row)
        except TemporaryError:
            return None
        lasts_s = channel.lasts_s() if isinstance(channel, Output) else None
        return None if lasts_s is None else timedelta(seconds=lasts_s)
