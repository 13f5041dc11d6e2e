"""What became of messages, as people look it up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Select, func, or_, select, update

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotAllowedError, NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User
from athanor.kernel.notify.channelbook import ADMINISTER
from athanor.kernel.notify.channels.inbox import INBOX
from athanor.kernel.notify.outbox import TO_GO
from athanor.kernel.notify.tables import ChannelRow, MessageRow, NoticeRow, State

_AGAIN = (State.GIVEN_UP, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as it stands."""

    id: int
    notice_id: int
    policy_id: int
    step: int
    channel_id: int
    channel: str  # its name
    kind: str
    recipient: str
    login: str | None
    tenant: str | None
    state: State
    title: str
    body: str
    topic: str
    subject: str
    link: str
    priority: int
    at: datetime  # of what it tells
    made_at: datetime
    due_at: datetime
    sent_at: datetime | None
    attempts: int
    is_repeat: bool
    error: str
    digest_id: int | None

    @property
    def took_s(self) -> float | None:
        """From the notice to the far end's taking it. [s]"""
        return None if self.sent_at is None else (self.sent_at - self.made_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Wish:
    """Which messages to find; what is empty leaves all. `before` is the id after which the next page begins."""

    channel_id: int | None = None
    states: tuple[State, ...] = ()
    login: str | None = None
    text: str = ""  # part of the title, recipient or error
    since: datetime | None = None
    until: datetime | None = None
    notice_id: int | None = None
    with_inbox: bool = False
    before: int | None = None
    offset: int = 0
    limit: int = 100


class Messages:
    """The log of delivery. An enterprise's people see its own; whoever administers sees everybody's within it."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    async def find(self, viewer: User, wish: Wish) -> list[MessageView]:
        """Newest first; a page that is shorter than the limit is the last."""
        query = self._seen(viewer).where(*_filters(wish)).order_by(MessageRow.id.desc()).limit(min(wish.limit, 1000))
        query = query.offset(wish.offset)
        if wish.before is not None:
            query = query.where(MessageRow.id < wish.before)
        async with self._database.reading() as session:
            return [_view(*row) for row in (await session.execute(query)).all()]

    async def count(self, viewer: User, wish: Wish) -> int:
        """How many there are in all."""
        query = select(func.count()).select_from(self._seen(viewer).where(*_filters(wish)).subquery())
        async with self._database.reading() as session:
            return int(await session.scalar(query) or 0)

    async def get(self, viewer: User, message_id: int) -> MessageView:
        """Raises NotFoundError."""
        async with self._database.reading() as session:
            row = (await session.execute(self._seen(viewer).where(MessageRow.id == message_id))).first()
        if row is None:
            raise NotFoundError("message", message_id)
        return _view(*row)

    async def again(self, viewer: User, message_id: int, *, address: str = "") -> None:
        """Let a message that was given up be tried again. Raises NotFoundError, NotAllowedError."""
        if not viewer.may(ADMINISTER):
            raise NotAllowedError("Only administrators let messages be sent again.")
        message = await self.get(viewer, message_id)
        async with self._database.session() as session:
            given_up = (MessageRow.id == message.id, MessageRow.state.in_(_AGAIN))
            values = {"state": State.WAITING, "due_at": self._now(), "error": ""}
            done = await session.execute(update(MessageRow).where(*given_up).values(**values))
            if cast("CursorResult[Any]", done).rowcount:
                detail = {"recipient": message.recipient, "channel": message.channel}
                record(session, viewer.login, "notify.sent-again", str(message.id), address=address, detail=detail)

    async def cancel(self, viewer: User, message_id: int, *, address: str = "") -> None:
        """Call back a message that has not gone out. Raises NotFoundError, NotAllowedError."""
        if not viewer.may(ADMINISTER):
            raise NotAllowedError("Only administrators call messages back.")
        message = await self.get(viewer, message_id)
        async with self._database.session() as session:
            waiting = (MessageRow.id == message.id, MessageRow.state.in_((*TO_GO, State.WITHHELD)))
            values = {"state": State.CANCELLED, "error": f"called back by {viewer.login}"}
            done = await session.execute(update(MessageRow).where(*waiting).values(**values))
            if cast("CursorResult[Any]", done).rowcount:
                detail = {"recipient": message.recipient, "channel": message.channel}
                record(session, viewer.login, "notify.called-back", str(message.id), address=address, detail=detail)

    def _seen(self, viewer: User) -> Select[MessageRow, NoticeRow, ChannelRow]:
        query = (
            select(MessageRow, NoticeRow, ChannelRow)
            .join(NoticeRow, NoticeRow.id == MessageRow.notice_id)
            .join(ChannelRow, ChannelRow.id == MessageRow.channel_id)
        )
        if viewer.tenant is not None:
            query = query.where(MessageRow.tenant == viewer.tenant)
        return query if viewer.may(ADMINISTER) else query.where(MessageRow.login == viewer.login)


def _filters(wish: Wish) -> list[Any]:
    found: list[Any] = []
    if wish.channel_id is not None:
        found.append(MessageRow.channel_id == wish.channel_id)
    elif not wish.with_inbox:
        found.append(ChannelRow.kind != INBOX)
    if wish.states:
        found.append(MessageRow.state.in_(wish.states))
    if wish.login:
        found.append(MessageRow.login == wish.login)
    if wish.notice_id is not None:
        found.append(MessageRow.notice_id == wish.notice_id)
    if wish.since is not None:
        found.append(MessageRow.made_at >= wish.since)
    if wish.until is not None:
        found.append(MessageRow.made_at < wish.until)
    if wish.text.strip():
        places = (MessageRow.title, MessageRow.recipient, MessageRow.error)
        found.append(or_(*(place.icontains(wish.text.strip(), autoescape=True) for place in places)))
    return found


def _view(message: MessageRow, notice: NoticeRow, channel: ChannelRow) -> MessageView:
    return MessageView(
        id=message.id,
        notice_id=notice.id,
        policy_id=message.policy_id,
        step=message.step,
        channel_id=channel.id,
        channel=channel.name,
        kind=channel.kind,
        recipient=message.recipient,
        login=message.login,
        tenant=message.tenant,
        state=State(message.state),
        title=message.title,
        body=message.body,
        topic=notice.topic,
        subject=notice.subject,
        link=notice.link,
        priority=notice.priority,
        at=notice.at,
        made_at=message.made_at,
        due_at=message.due_at,
        sent_at=message.sent_at,
        attempts=message.attempts,
        is_repeat=message.is_repeat,
        error=message.error,
        digest_id=message.digest_id,
    )
