"""Invitations: a link by which somebody makes their account, or sets a new password, once."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.accounts import Accounts, LoginTakenError, Profile, check_kept_here, folded, row_of
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.hashing import fresh_secret, hashed
from athanor.kernel.identity.roles import Roles
from athanor.kernel.identity.tables import InvitationRow, UserRow

LASTS = timedelta(days=7)


class InvitationOverError(AthanorError):
    """A link that was used, withdrawn, has come of age or never was."""

    code = "identity.invitation-over"

    def __init__(self) -> None:
        super().__init__("This link opens nothing: it was used, withdrawn or has come of age. Ask for a new one.")


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as administrators see it, and who has its link."""

    id: int
    login: str
    profile: Profile
    is_for_password: bool  # the account is there; the link sets its password
    made_by: str
    made_at: datetime
    expires_at: datetime


class Invitations:
    """Makes, takes and withdraws invitations."""

    def __init__(self, database: Database, accounts: Accounts, roles: Roles, now: Callable[[], datetime]) -> None:
        self._database = database
        self._accounts = accounts
        self._roles = roles
        self._now = now

    async def invite(
        self, login: str, profile: Profile, *, lasts: timedelta = LASTS, actor: str, address: str = ""
    ) -> str:
        """The token of a link by which they make their account, told only now. Raises NotFoundError, LoginTakenError.

        Links made before for this login end.
        """
        login = folded(login)
        await self._roles.check(profile.roles)
        async with self._database.session() as session:
            if await session.scalar(select(UserRow.id).where(UserRow.login == login)) is not None:
                raise LoginTakenError(login)
            return await self._add(session, login, profile, None, lasts, actor, address)

    async def invite_to_new_password(
        self, login: str, *, lasts: timedelta = LASTS, actor: str, address: str = ""
    ) -> str:
        """The token of a link by which somebody sets a new password, told only now.

        Raises NotFoundError, OutsidePasswordError.
        """
        async with self._database.session() as session:
            user = await row_of(session, folded(login))
            check_kept_here(user)
            profile = Profile(user.name, tuple(user.roles), user.tenant)
            return await self._add(session, user.login, profile, user.id, lasts, actor, address)

    async def look_at(self, token: str) -> Invitation:
        """What a link is for. Raises InvitationOverError."""
        async with self._database.reading() as session:
            return _invitation(await self._row_of(session, token))

    async def take(self, token: str, password: str, *, address: str = "") -> str:
        """Make the account, or set the password, that the link is for: its login; the link then opens nothing.

        Raises InvitationOverError, WeakPasswordError, LoginTakenError, and NotFoundError for a role that is gone.
        """
        async with self._database.reading() as session:
            row = await self._row_of(session, token)
        invitation = _invitation(row)
        # Before the link is used up:
        await asyncio.to_thread(self._accounts.check_password, password, row.login, invitation.profile.name)
        if not invitation.is_for_password:
            await self._roles.check(invitation.profile.roles)
        async with self._database.session() as session:
            held = await session.get_one(InvitationRow, row.id, with_for_update=True)
            if held.used_at is not None or held.withdrawn_at is not None or held.expires_at <= self._now():
                raise InvitationOverError
            held.used_at = self._now()
            record(session, row.login, "identity.invitation-taken", row.login, address=address, at=self._now())
        if invitation.is_for_password:
            await self._accounts.set_password(row.login, password, actor=row.login, address=address)
        else:
            await self._accounts.create(row.login, invitation.profile, password, actor=row.made_by, address=address)
        return row.login

    async def withdraw(self, number: int, *, actor: str, address: str = "") -> None:
        """Let a link open nothing. Raises NotFoundError."""
        async with self._database.session() as session:
            row = await session.get(InvitationRow, number)
            if row is None or row.used_at is not None:
                raise NotFoundError("invitation", str(number))
            row.withdrawn_at = row.withdrawn_at or self._now()
            record(session, actor, "identity.invitation-withdrawn", row.login, address=address, at=self._now())

    async def open(self, tenants: frozenset[str] | None = None) -> Sequence[Invitation]:
        """Those that still open something, of some tenants or all; the newest first."""
        query = (
            select(InvitationRow)
            .where(
                InvitationRow.used_at.is_(None),
                InvitationRow.withdrawn_at.is_(None),
                InvitationRow.expires_at > self._now(),
            )
            .order_by(InvitationRow.id.desc())
        )
        async with self._database.reading() as session:
            rows = await session.scalars(query)
            return [_invitation(row) for row in rows if tenants is None or row.tenant in tenants]

    async def _add(
        self,
        session: AsyncSession,
        login: str,
        profile: Profile,
        user_id: int | None,
        lasts: timedelta,
        actor: str,
        address: str,
    ) -> str:
        now = self._now()
        former = select(InvitationRow).where(
            InvitationRow.login == login, InvitationRow.used_at.is_(None), InvitationRow.withdrawn_at.is_(None)
        )
        for row in await session.scalars(former):
            row.withdrawn_at = now
        token = fresh_secret()
        session.add(
            InvitationRow(
                token_hash=hashed(token),
                login=login,
                name=profile.name,
                roles=list(profile.roles),
                tenant=profile.tenant,
                department_id=profile.department_id,
                post=profile.post,
                for_user_id=user_id,
                made_by=actor,
                made_at=now,
                expires_at=now + lasts,
            )
        )
        detail = {"roles": list(profile.roles), "tenant": profile.tenant, "to": "password" if user_id else "account"}
        record(session, actor, "identity.invited", login, address=address, detail=detail, at=now)
        return token

    async def _row_of(self, session: AsyncSession, token: str) -> InvitationRow:
        row = await session.scalar(
            select(InvitationRow).where(
                InvitationRow.token_hash == hashed(token),
                InvitationRow.used_at.is_(None),
                InvitationRow.withdrawn_at.is_(None),
                InvitationRow.expires_at > self._now(),
            )
        )
        if row is None:
            raise InvitationOverError
        return row


def _invitation(row: InvitationRow) -> Invitation:
    profile = Profile(row.name, tuple(row.roles), row.tenant, row.department_id, row.post)
    return Invitation(row.id, row.login, profile, row.for_user_id is not None, row.made_by, row.made_at, row.expires_at)
