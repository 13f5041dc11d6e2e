"""Everybody's own messages, as they read them within Athanor."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.kernel.notify.channels.inbox import INBOX
from athanor.kernel.notify.tables import ChannelRow, MessageRow, NoticeRow, State


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message as its reader sees it."""

    id: int
    title: str
    body: str
    topic: str
    priority: int
    link: str
    at: datetime  # when it came in
    read_at: datetime | None


class Inbox:
    """Shows people what they were told, and notes what they have read. Nobody sees anybody else's."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    async def find(
        self, viewer: User, *, text: str = "", only_unread: bool = False, offset: int = 0, limit: int = 25
    ) -> tuple[list[InboxMessage], int]:
        """A page of them, newest first, and how many there are in all."""
        where = [*_mine(viewer), *([MessageRow.read_at.is_(None)] if only_unread else [])]
        if text.strip():
            where.append(MessageRow.title.icontains(text.strip(), autoescape=True))
        query = (
            select(MessageRow, NoticeRow.topic, NoticeRow.priority, NoticeRow.link)
            .join(NoticeRow, NoticeRow.id == MessageRow.notice_id)
            .where(*where)
            .order_by(MessageRow.sent_at.desc(), MessageRow.id.desc())
        )
        async with self._database.reading() as session:
            total = await session.scalar(select(func.count()).select_from(MessageRow).where(*where))
            rows = (await session.execute(query.offset(offset).limit(limit))).all()
        found = [
            InboxMessage(
                row.id, row.title, row.body, topic, priority, link, row.sent_at or row.made_at, row.read_at
            )
            for row, topic, priority, link in rows
        ]  # fmt: skip
        return found, int(total or 0)

    async def unread(self, viewer: User) -> int:
        """How many they have not read."""
        query = select(func.count()).select_from(MessageRow).where(*_mine(viewer), MessageRow.read_at.is_(None))
        async with self._database.reading() as session:
            return int(await session.scalar(query) or 0)

    async def read(self, viewer: User, ids: Collection[int] | None = None) -> int:
        """Note that they have read these, or all; how many were unread. Others' ids change nothing."""
        mine = [MessageRow.read_at.is_(None), *_mine(viewer)]
        if ids is not None:
            mine.append(MessageRow.id.in_(sorted(ids)))
        statement = update(MessageRow).where(*mine).values(read_at=self._now())
        async with self._database.session() as session:
            done = await session.execute(statement.execution_options(synchronize_session=False))
        return int(cast("CursorResult[Any]", done).rowcount)


def _mine(viewer: User) -> list[ColumnElement[bool]]:
    """Who changes to another enterprise leaves their messages behind."""
    inboxes = select(ChannelRow.id).where(ChannelRow.kind == INBOX)
    return [
        MessageRow.login == viewer.login,
        MessageRow.tenant.is_(None) if viewer.tenant is None else MessageRow.tenant == viewer.tenant,
        MessageRow.state == State.SENT,
        MessageRow.channel_id.in_(inboxes),
    ]
