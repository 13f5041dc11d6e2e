"""Delivery: what waits in the database goes out, each message once, by whichever server claims it.

A message is `sending` in the database before its first byte goes out, and `sent` there after its last. A server that
dies in between leaves it `sending`; another one, or the same after its start, finds that out and sends it again, with
the same token and marked as a possible repetition. That is the only way to a second delivery that Athanor knows of;
another one is beyond it: an answer of the far end that is lost on the way.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from athanor.kernel.database.database import Database
from athanor.kernel.jobs.runner import Silence
from athanor.kernel.jobs.whose import shown
from athanor.kernel.metrics import MESSAGES
from athanor.kernel.notify import circuit, notice, outbox
from athanor.kernel.notify.channels.port import Message
from athanor.kernel.notify.circuit import Pace
from athanor.kernel.notify.errors import PermanentError, TemporaryError
from athanor.kernel.notify.notice import Notice
from athanor.kernel.notify.outbox import Claimed
from athanor.kernel.notify.sending import Sender
from athanor.kernel.notify.tables import ChannelRow, MessageRow, NoticeRow, State

_log = structlog.get_logger(__name__)


class Deliverer:
    """Sends what is due; used from the event loop's thread only.

    Parameters
    ----------
    public_url
        What links begin with; without one messages have none.
    on_room
        Called when a message is done with: there may be room for the next.
    """

    def __init__(
        self,
        database: Database,
        sender: Sender,
        *,
        server: str,
        now: Callable[[], datetime],
        pace: Pace,
        public_url: str = "",
        on_room: Callable[[], None] = lambda: None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._sender, self._now, self._pace = database, sender, now, pace
        self._public_url, self._on_room = public_url.rstrip("/"), on_room
        self.server = server
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._silence = Silence(pace.lease_s, 2 * pace.lease_s, steady)
        self._is_closing = False

    async def look(self) -> int:
        """Claim what is due and has room, and begin to send it: how many messages."""
        await self._take_back()
        begun = 0
        for channel_id in await outbox.due(self._database, self._now()):
            begun += await self._begin(channel_id)
        return begun

    async def settled(self) -> None:
        """Return when nothing is under way here."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def close(self) -> None:
        """Let end what is under way; what takes longer stays claimed, and is taken back at the next start."""
        self._is_closing = True
        if self._tasks:
            _done, late = await asyncio.wait(self._tasks.values(), timeout=5.0)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _take_back(self) -> None:
        """Messages whose server died amid sending them."""
        claims = [one for one in await outbox.claims(self._database) if one[0] not in self._tasks]
        lost = self._silence.of([(str(message), server, attempt, 0) for message, server, attempt in claims])
        if lost:
            found = [(int(message), server, attempt) for message, server, attempt, _ in lost]
            count = await outbox.take_back(self._database, found, self._now())
            _log.warning("notify.taken-back", messages=count, servers=sorted({shown(one[1]) for one in found}))

    async def _begin(self, channel_id: int) -> int:
        channel = await self._channel(channel_id)
        if channel is None or not outbox.is_open_for(channel, self._now()) or self._is_closing:
            return 0
        try:
            room = self._sender.room(channel)
        except TemporaryError as error:
            async with self._database.session() as session:
                row = await session.get_one(ChannelRow, channel_id, with_for_update=True)
                await circuit.note_failure(session, row, error.reason, self._pace, self._now())
            return 0
        lease = timedelta(seconds=self._pace.lease_s)
        claimed = await outbox.claim(self._database, channel_id, room, self.server, self._now(), lease)
        for one in claimed:
            self._tasks[one.row.id] = asyncio.create_task(self._deliver(channel, one), name=f"message:{one.row.id}")
        return len(claimed)

    async def _channel(self, channel_id: int) -> ChannelRow | None:
        async with self._database.reading() as session:
            return await session.get(ChannelRow, channel_id)

    async def _deliver(self, channel: ChannelRow, claimed: Claimed) -> None:
        try:
            error: TemporaryError | PermanentError | None = None
            is_kept = False
            while not is_kept:
                try:
                    await self._sender.send(channel, self.message(claimed.row, claimed.notice))
                except (TemporaryError, PermanentError) as refusal:
                    error = refusal
                is_kept = await self._keep(channel, claimed, error)
        finally:
            del self._tasks[claimed.row.id]
            self._on_room()

    def message(self, row: MessageRow, of: NoticeRow) -> Message:
        """A message as channels send it."""
        link = f"{self._public_url}{of.link}" if self._public_url and of.link.startswith("/") else ""
        return Message(
            token=row.token,
            recipient=row.recipient,
            title=row.title,
            body=row.body,
            link=link,
            priority=of.priority,
            category=of.category,
            topic=of.topic,
            subject=of.subject,
            path=of.path,
            at=of.at,
            is_over=of.is_over,
            is_repeat=row.is_repeat,
        )

    async def _keep(self, channel: ChannelRow, claimed: Claimed, error: TemporaryError | PermanentError | None) -> bool:
        """Keep what became of a message, until the database has it: what is sent is not sent again for want of that.

        False where an output was switched by somebody else meanwhile, and is to be switched again.
        """
        while True:
            try:
                return await self._try_to_keep(channel, claimed, error)
            except Exception as trouble:  # noqa: BLE001 the database may be away for a while
                if self._is_closing:
                    _log.error("notify.end-not-kept", message=claimed.row.id, reason=str(trouble)[:300])
                    return True
                await asyncio.sleep(self._pace.poll_s)

    async def _try_to_keep(
        self, channel: ChannelRow, claimed: Claimed, error: TemporaryError | PermanentError | None
    ) -> bool:
        now, row = self._now(), claimed.row
        values = self._outcome(row, error, now)
        async with self._database.session() as session:
            kept = await session.get_one(ChannelRow, channel.id, with_for_update=True)
            is_output = self._sender.kinds[channel.kind].is_output if channel.kind in self._sender.kinds else False
            if error is None and is_output and kept.turns != channel.turns and not kept.is_on:
                channel.turns = kept.turns
                return False
            if not await outbox.settle(session, row.id, self.server, row.attempts, values):
                _log.warning("notify.lost", message=row.id, channel=channel.name)
                return True
            if error is None:
                await circuit.note_success(session, kept, self._pace, now)
                if is_output:
                    kept.is_on, kept.turns = True, kept.turns + 1
            elif isinstance(error, TemporaryError) and error.is_of_channel:
                await circuit.note_failure(session, kept, error.reason, self._pace, now)
            if values["state"] == State.GIVEN_UP:
                await notice.put(session, _given_up(kept, claimed, str(values["error"]), now), now)
        MESSAGES.labels(kind=channel.kind, outcome=str(values["state"])).inc()
        return True

    def _outcome(
        self, row: MessageRow, error: TemporaryError | PermanentError | None, now: datetime
    ) -> Mapping[str, Any]:
        if error is None:
            return {"state": State.SENT, "sent_at": now, "error": ""}
        is_hopeless = now - row.made_at > self._pace.keep_trying and row.attempts >= self._pace.fewest_attempts
        if isinstance(error, PermanentError) or is_hopeless:
            return {"state": State.GIVEN_UP, "error": error.reason}
        return {"state": State.FAILED, "error": error.reason, "due_at": now + self._pace.retry(row.attempts)}


def _given_up(channel: ChannelRow, claimed: Claimed, reason: str, now: datetime) -> list[Notice]:
    """That somebody cannot be reached: told once a day for a channel and an address, never of such a notice itself."""
    if claimed.notice.topic.startswith("notify."):
        return []
    to = claimed.row.recipient or claimed.row.login or ""
    return [
        Notice(
            key=f"notify.message:{channel.id}:{to}:{now:%Y-%m-%d}"[:300],
            topic="notify.message.given-up",
            subject=f"notify.channel:{channel.id}",
            title={
                "en": f"{channel.name} cannot reach {to or 'its receiver'}",
                "zh_CN": f"{channel.name} 无法送达 {to or '接收方'}",
            },
            detail={"en": reason, "zh_CN": reason},
            tenant=claimed.row.tenant,
            priority=3,
            link="/notifications/messages",
            at=now,
        )
    ]
