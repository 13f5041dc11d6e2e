"""How people wish to be reached: their addresses, proved by a code that is sent there, and their quiet hours."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.tables import UserRow
from athanor.kernel.identity.user import User
from athanor.kernel.notify.channels import KINDS
from athanor.kernel.notify.channels.inbox import INBOX
from athanor.kernel.notify.errors import BadAddressError
from athanor.kernel.notify.notice import Notice
from athanor.kernel.notify.quiet import NO_WISHES, Wishes
from athanor.kernel.notify.recipients import EMAIL, SMS
from athanor.kernel.notify.tables import ChannelRow, ReachRow, WishRow
from athanor.kernel.notify.templates import in_language

TOPIC = "notify.verification"
CODE_LASTS = timedelta(minutes=10)

_AGAIN_AFTER = timedelta(minutes=1)
_TRIES = 5
_MOST = 20  # addresses of one person
_LONGEST = 400
_ABOUT = {"en": "Verification of an address", "zh_CN": "地址验证"}
_CODE = {"en": "Your code for Athanor: {code}", "zh_CN": "Athanor 验证码：{code}"}
_BODY = {
    "en": "Enter it where you added this address. It holds for ten minutes. If you did not ask for it, ignore it.",
    "zh_CN": "请在添加此地址的页面输入该验证码，十分钟内有效。如非本人操作，请忽略。",
}


class VerificationError(AthanorError):
    """An address was not verified."""

    code = "notify.not-verified"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The address is not verified: {reason}.")


@dataclass(frozen=True, slots=True)
class Reach:
    """One address of a person. Nothing is sent to one that is not verified."""

    id: int
    kind: str
    address: str
    is_enabled: bool
    is_verified: bool


class SendsNow(Protocol):
    """What sends one message at once: `Notify.send_now`."""

    def __call__(
        self, channel: ChannelRow, address: str, of: Notice, title: str, body: str, *, login: str | None = None,
        is_body_kept: bool = True,
    ) -> Awaitable["Outcome"]: ...  # fmt: skip


class Outcome(Protocol):
    """How it went."""

    @property
    def is_sent(self) -> bool: ...
    @property
    def error(self) -> str: ...


class Reaching:
    """Keeps people's addresses and wishes; each person sees and changes their own."""

    def __init__(self, database: Database, send: SendsNow, now: Callable[[], datetime]) -> None:
        self._database, self._send, self._now = database, send, now

    async def mine(self, viewer: User) -> list[Reach]:
        """A person's addresses, in the order of their making."""
        query = select(ReachRow).where(ReachRow.login == viewer.login).order_by(ReachRow.id)
        async with self._database.reading() as session:
            return [
                Reach(row.id, row.kind, row.address, row.is_enabled, row.verified_at is not None)
                for row in await session.scalars(query)
            ]

    async def of_account(self, viewer: User) -> dict[str, str]:
        """By kind, the addresses that their account names: used where they give none themselves."""
        async with self._database.reading() as session:
            return await _of_account(session, viewer.login)

    async def kinds(self, viewer: User) -> list[str]:
        """The kinds of channels that are set up for them and take an address, by which they can be reached."""
        async with self._database.reading() as session:
            rows = await _channels(session, viewer)
        return sorted({row.kind for row in rows})

    async def add(self, viewer: User, kind: str, address: str, *, origin: str = "") -> int:
        """Keep an address; one that is there already is enabled again. Its id. `origin`: where the person sits.

        One that the account names is verified by that. Raises NotFoundError for a kind that there is not,
        BadAddressError.
        """
        known = KINDS.get(kind)
        if known is None or not known.is_address_needed or kind == INBOX:
            raise NotFoundError("kind of channel", kind)
        address = address.strip()
        if len(address) > _LONGEST or not known.knows(address):
            raise BadAddressError(address, known.address_example)
        async with self._database.session() as session:
            rows = (await session.scalars(select(ReachRow).where(ReachRow.login == viewer.login))).all()
            row = next((one for one in rows if (one.kind, one.address) == (kind, address)), None)
            if row is None and len(rows) >= _MOST:
                raise BadAddressError(address, f"one of your {_MOST}, after removing those that are out of use")
            if row is None:
                is_known = (await _of_account(session, viewer.login)).get(kind) == address
                row = ReachRow(
                    login=viewer.login, kind=kind, address=address, is_enabled=True, changed_at=self._now(),
                    verified_at=self._now() if is_known else None, tenant=viewer.tenant,
                )  # fmt: skip
                session.add(row)
            row.is_enabled, row.changed_at = True, self._now()
            await session.flush()
            record(session, viewer.login, "notify.reach-changed", kind, address=origin, detail={"address": address})
            return row.id

    async def turn(self, viewer: User, reach_id: int, *, is_enabled: bool, origin: str = "") -> None:
        """Let an address be used, or not. Raises NotFoundError."""
        async with self._database.session() as session:
            row = await _own(session, viewer, reach_id)
            row.is_enabled, row.changed_at = is_enabled, self._now()
            detail = {"address": row.address, "is_enabled": is_enabled}
            record(session, viewer.login, "notify.reach-changed", row.kind, address=origin, detail=detail)

    async def remove(self, viewer: User, reach_id: int, *, origin: str = "") -> None:
        """Forget an address. Raises NotFoundError."""
        async with self._database.session() as session:
            row = await _own(session, viewer, reach_id)
            await session.delete(row)
            detail = {"address": row.address, "is_removed": True}
            record(session, viewer.login, "notify.reach-changed", row.kind, address=origin, detail=detail)

    async def send_code(self, viewer: User, reach_id: int) -> None:
        """Send a new code to an address. Raises NotFoundError, VerificationError."""
        code = f"{secrets.randbelow(10**6):06}"
        now = self._now()
        async with self._database.session() as session:
            row = await _own(session, viewer, reach_id)
            if row.code_until is not None and now < row.code_until - CODE_LASTS + _AGAIN_AFTER:
                raise VerificationError("a code was sent a moment ago; wait a minute before you ask for another")
            channel = next((one for one in await _channels(session, viewer) if one.kind == row.kind), None)
            if channel is None:
                raise VerificationError("no channel of this kind is set up; ask an administrator")
            row.code_hash, row.code_until, row.code_tries = _hashed(row.id, code), now + CODE_LASTS, 0
            session.expunge(channel)
        said = Notice(
            key=f"{TOPIC}:{uuid4().hex}",
            topic=TOPIC,
            subject=f"notify.reach:{reach_id}",
            title=_ABOUT,
            tenant=viewer.tenant,
            at=now,
        )
        body = in_language(_CODE, viewer.language or "").format(code=code)
        more = in_language(_BODY, viewer.language or "")
        done = await self._send(
            channel,
            row.address,
            said,
            in_language(_ABOUT, viewer.language or ""),
            f"{body}\n{more}",
            login=viewer.login,
            is_body_kept=False,
        )
        if not done.is_sent:
            raise VerificationError(f"the code could not be sent ({done.error})")

    async def verify(self, viewer: User, reach_id: int, code: str, *, origin: str = "") -> None:
        """Take the code that was sent to an address. Raises NotFoundError, VerificationError."""
        trouble = None
        async with self._database.session() as session:
            row = await _own(session, viewer, reach_id)
            if row.code_until is None or self._now() > row.code_until or row.code_tries >= _TRIES:
                trouble = "the code holds no more; ask for a new one"
            elif not secrets.compare_digest(_hashed(row.id, code.strip()), row.code_hash):
                row.code_tries += 1
                trouble = "this is another code than the one that was sent"
            else:
                row.verified_at, row.code_hash, row.code_until = self._now(), "", None
                detail = {"address": row.address, "is_verified": True}
                record(session, viewer.login, "notify.reach-changed", row.kind, address=origin, detail=detail)
        if trouble is not None:  # after the commit, which counts the try
            raise VerificationError(trouble)

    async def wishes(self, viewer: User) -> Wishes:
        """Their quiet hours."""
        async with self._database.reading() as session:
            row = await session.scalar(select(WishRow).where(WishRow.login == viewer.login))
        return NO_WISHES if row is None else Wishes.model_validate(row.content)

    async def wish(self, viewer: User, wishes: Wishes, *, origin: str = "") -> None:
        """Change them."""
        content = wishes.model_dump(mode="json")
        async with self._database.session() as session:
            row = await session.scalar(select(WishRow).where(WishRow.login == viewer.login))
            if row is None:
                row = WishRow(login=viewer.login, content=content, changed_at=self._now(), tenant=viewer.tenant)
                session.add(row)
            row.content, row.changed_at, row.tenant = content, self._now(), viewer.tenant
            record(session, viewer.login, "notify.wishes-changed", viewer.login, address=origin, detail=content)


async def _own(session: AsyncSession, viewer: User, reach_id: int) -> ReachRow:
    row = await session.get(ReachRow, reach_id, with_for_update=True)
    if row is None or row.login != viewer.login:
        raise NotFoundError("address", reach_id)
    return row


async def _channels(session: AsyncSession, viewer: User) -> list[ChannelRow]:
    """Those that may carry messages to a person's address, their own enterprise's first."""
    query = select(ChannelRow).where(ChannelRow.is_enabled, ChannelRow.retired_at.is_(None)).order_by(ChannelRow.id)
    rows = [
        row
        for row in await session.scalars(query)
        if row.tenant in (viewer.tenant, None) and row.kind in KINDS and KINDS[row.kind].is_address_needed
        and row.kind != INBOX
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.tenant is None, row.id))


async def _of_account(session: AsyncSession, login: str) -> dict[str, str]:
    row = await session.scalar(select(UserRow).where(UserRow.login == login))
    found = {} if row is None else {EMAIL: row.email, SMS: row.phone}
    return {kind: address for kind, address in found.items() if address}


def _hashed(reach_id: int, code: str) -> str:
    return hashlib.sha256(f"{reach_id}:{code}".encode()).hexdigest()
