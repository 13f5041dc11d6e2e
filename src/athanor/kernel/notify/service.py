"""The port `notify`: channels, messages, and the loop that brings notices to people."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.whose import this_server
from athanor.kernel.metrics import MESSAGES_WAITING
from athanor.kernel.notify import notice, outbox, routing
from athanor.kernel.notify.books import Policies, Rosters
from athanor.kernel.notify.channelbook import Channels
from athanor.kernel.notify.channels.outside import Limits, Outside
from athanor.kernel.notify.circuit import Pace
from athanor.kernel.notify.delivery import Deliverer
from athanor.kernel.notify.errors import BadAddressError, PermanentError, TemporaryError
from athanor.kernel.notify.inbox import Inbox
from athanor.kernel.notify.messages import Messages
from athanor.kernel.notify.notice import Notice
from athanor.kernel.notify.outputs import TEST_TOPIC, Outputs
from athanor.kernel.notify.preview import Previews
from athanor.kernel.notify.reaching import Reaching
from athanor.kernel.notify.sending import Sender
from athanor.kernel.notify.tables import ChannelRow, MessageRow, NoticeRow, State
from athanor.kernel.plant.model import Plant
from athanor.kernel.vault import Vault

_log = structlog.get_logger(__name__)

_EXPIRE_EVERY_S = 3600.0
_COUNT_EVERY_S = 15.0
_CLOSE_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Tested:
    """How a message went that was sent at once."""

    is_sent: bool
    error: str
    took_s: float


class Notify:
    """Tells people. Whoever opened it closes it.

    Parameters
    ----------
    plant
        The plant as it runs now: for names of places, areas, and the site's clock.
    language
        Of people who chose none.
    public_url
        What links in messages begin with; without one they have none.
    keep
        How long it is kept what became of messages.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        *,
        plant: Callable[[], Plant],
        language: str = "zh_CN",
        limits: Limits | None = None,
        pace: Pace | None = None,
        public_url: str = "",
        keep: timedelta = timedelta(days=365),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = time.monotonic,
        server: str | None = None,
    ) -> None:
        self._database, self._now, self._keep = database, now, keep
        self._plant, self._language = plant, language
        self._pace = pace or Pace()
        self._outside = Outside(limits)
        self._sender = Sender(vault, self._outside)
        self.channels = Channels(database, vault, self._sender, now)
        self.messages = Messages(database, now)
        self.policies, self.rosters = Policies(database, now), Rosters(database, now)
        self.previews, self.inbox = Previews(database, now), Inbox(database, now)
        self.reaching = Reaching(database, self.send_now, now)
        self.public_url = public_url.rstrip("/")
        self._wake = asyncio.Event()
        self._deliverer = Deliverer(
            database,
            self._sender,
            server=server or this_server(),
            now=now,
            pace=self._pace,
            public_url=public_url,
            on_room=self._on_room,
            steady=steady,
        )
        self._outputs = Outputs(database, self._sender, now=now, pace=self._pace)
        self._loop: asyncio.Task[None] | None = None
        self._is_closing = False
        self._is_news = False  # more than room for the next message
        self._failing: set[str] = set()
        self._done_at: dict[str, float] = {}

    async def start(self) -> None:
        """Begin to tell people."""
        await self._until_routed()
        self._loop = asyncio.create_task(self._go_on(), name="notify")

    async def close(self) -> None:
        """Stop; what is under way may end. What is not sent waits for the next start, or for another server."""
        self._is_closing = True
        self._wake.set()
        if self._loop is not None:
            _done, late = await asyncio.wait([self._loop], timeout=_CLOSE_WITHIN_S)
            for loop in late:
                loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        await self._deliverer.close()
        await self._outside.close()

    def wake(self) -> None:
        """Something waits: look at once, not with the next second. Call it after the commit."""
        self._is_news = True
        self._wake.set()

    def _on_room(self) -> None:
        self._wake.set()

    async def tell(self, session: AsyncSession, notices: Sequence[Notice]) -> None:
        """Let people hear of something, with the caller's commit: see `notice.put`."""
        await notice.put(session, notices, self._now())

    async def look(self) -> None:
        """Route and deliver once what is there now, and wait for the outcome. What the loop does again and again."""
        await self._route()
        while await self._deliverer.look():
            await self._deliverer.settled()
        await self._outputs.look()

    async def test(self, viewer: User, channel_id: int, address: str = "", *, origin: str = "") -> Tested:
        """Send a message that says it is a test, now, whether the channel is on or not; it is in the log as any other.

        Raises NotFoundError, NotAllowedError, BadAddressError.
        """
        channel = await self.channels.row(viewer, channel_id)
        title = {"en": "Test message from Athanor", "zh_CN": "Athanor 测试消息"}
        body = {
            "en": f"Sent by {viewer.name} to see whether this channel works. Nothing needs to be done.",
            "zh_CN": f"{viewer.name} 发送此消息以检查该渠道是否正常，无需处理。",
        }
        language = viewer.language or "zh_CN"
        async with self._database.session() as session:
            detail = {"address": address}
            record(session, viewer.login, "notify.channel-tested", str(channel.id), address=origin, detail=detail)
        said = Notice(
            key=f"{TEST_TOPIC}:{uuid4().hex}",
            topic=TEST_TOPIC,
            subject=f"notify.channel:{channel.id}",
            title=title,
            detail=body,
            tenant=channel.tenant,
            at=self._now(),
        )
        return await self.send_now(
            channel, address, said, title.get(language, title["en"]), body.get(language, body["en"])
        )

    async def send_now(
        self, channel: ChannelRow, address: str, of: Notice, title: str, body: str, *, login: str | None = None,
        is_body_kept: bool = True,
    ) -> Tested:  # fmt: skip
        """Send one message at once, past policies and queue, and only once.

        `is_body_kept` False: what it says is a secret, such as a code, and does not stay. Raises BadAddressError.
        """
        kind = self._sender.kinds[channel.kind]
        if not kind.knows(address):
            raise BadAddressError(address, kind.address_example)
        row, about = await self._keep_test(channel, address, of, title, body if is_body_kept else "", login)
        row.body = body
        began = time.monotonic()
        error = ""
        try:
            await self._sender.send(channel, self._deliverer.message(row, about))
        except (TemporaryError, PermanentError) as refusal:
            error = refusal.reason
        now = self._now()
        async with self._database.session() as session:
            kept = await session.get_one(MessageRow, row.id, with_for_update=True)
            kept.state, kept.error = (State.GIVEN_UP, error) if error else (State.SENT, "")
            kept.sent_at, kept.claimed_by, kept.claimed_until = None if error else now, None, None
            if not error:
                owner = await session.get_one(ChannelRow, channel.id, with_for_update=True)
                owner.last_sent_at = now
                owner.open_until = None  # it works again, it seems: what waits tries it at once
                if kind.is_output:
                    owner.is_on, owner.turns = True, owner.turns + 1
        self._wake.set()
        return Tested(not error, error, time.monotonic() - began)

    async def _keep_test(
        self, channel: ChannelRow, address: str, of: Notice, title: str, body: str, login: str | None
    ) -> tuple[MessageRow, NoticeRow]:
        """A message that no queue takes: claimed by nobody's name, so that one that is left so is given up."""
        now = self._now()
        async with self._database.session() as session:
            await notice.put(session, [of], now)
            about = await notice.by_key(session, of.key)
            about.routed_at = now
            row = MessageRow(
                notice_id=about.id, policy_id=0, step=0, channel_id=channel.id, recipient=address, login=login,
                token=uuid4().hex, state=State.GIVEN_UP, due_at=now, claimed_by=None, claimed_until=None, attempts=1,
                made_at=now, sent_at=None, error="its server ended amid sending", title=title, body=body,
                digest_id=None, tenant=channel.tenant,
            )  # fmt: skip
            session.add(row)
            await session.flush()
            session.expunge(row)
            return row, about

    async def _route(self) -> None:
        """Make messages of what nobody was told of yet, and escalate; only where there is something to do."""
        async with self._database.reading() as session:
            is_needed = await routing.is_needed(session, self._now())
        if is_needed:
            await self._until_routed()

    async def _until_routed(self) -> None:
        has_more = True
        while has_more and not self._is_closing:
            async with self._database.session() as session:
                has_more = (await routing.route(session, self._now(), self._plant(), self._language)).has_more

    async def _go_on(self) -> None:
        steps: list[tuple[str, Callable[[], Awaitable[object]]]] = [
            ("route", self._route),
            ("deliver", self._deliverer.look),
            ("outputs", self._outputs.look),
            ("count", self._count),
            ("expire", self._expire),
        ]
        while not self._is_closing:
            self._wake.clear()
            is_whole = self._is_news or self._is_time("look", self._pace.poll_s)
            self._is_news = False
            for name, call in steps:
                if is_whole or name == "deliver":
                    await self._step(name, call)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._pace.poll_s)

    async def _step(self, name: str, call: Callable[[], Awaitable[object]]) -> None:
        """One thing to do; that it fails is said once, and keeps nothing else from being done."""
        try:
            await call()
        except Exception as error:  # noqa: BLE001 the database may be away: tried again with the next look
            if name not in self._failing:
                _log.exception("notify.failing", doing=name, reason=f"{type(error).__name__}: {error}"[:300])
            self._failing.add(name)
        else:
            if name in self._failing:
                _log.info("notify.recovered", doing=name)
            self._failing.discard(name)

    def _is_time(self, name: str, every_s: float) -> bool:
        now = time.monotonic()
        if now - self._done_at.get(name, -every_s) < every_s:
            return False
        self._done_at[name] = now
        return True

    async def _count(self) -> None:
        if self._is_time("count", _COUNT_EVERY_S):
            counts = await outbox.waiting(self._database)
            MESSAGES_WAITING.clear()
            for channel, count in counts.items():
                MESSAGES_WAITING.labels(channel=str(channel)).set(count)

    async def _expire(self) -> None:
        if self._is_time("expire", _EXPIRE_EVERY_S):
            await outbox.expire(self._database, self._now() - self._keep)
