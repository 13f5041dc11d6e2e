"""How the installation stands: what an administrator should look at, counted and named."""

import asyncio
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

import athanor
from athanor.apps.security.services.acts import PATTERN_SEEN, SIGN_IN_REFUSED
from athanor.apps.security.services.chain import Checked, last_checked
from athanor.kernel.database.database import Database
from athanor.kernel.identity import trail
from athanor.kernel.identity.hashing import hashed
from athanor.kernel.identity.tables import SignInFailureRow, TokenRow, UserRow
from athanor.kernel.identity.trail import Wanted
from athanor.kernel.identity.user import User
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.transport import BadCertificateError, Transport

DAY = timedelta(days=1)
UNUSED_AFTER = timedelta(days=90)
ENDS_SOON = timedelta(days=14)
CERTIFICATE_ENDS_SOON = timedelta(days=30)
ADMINISTRATOR = "administrator"
_FAILURES_COUNTED = 1000


class Concern(StrEnum):
    """Why somebody or something is on the list."""

    NO_SECOND_FACTOR = "no-second-factor"  # an administrator without one
    UNUSED_ACCOUNT = "unused-account"
    TOKEN_ENDS = "token-ends"  # noqa: S105 no secret
    UNUSED_TOKEN = "unused-token"  # noqa: S105
    EDGE_SILENT = "edge-silent"
    IN_THE_CLEAR = "in-the-clear"  # the server speaks plain HTTP on a network
    CERTIFICATE_ENDS = "certificate-ends"
    BAD_CERTIFICATE = "bad-certificate"  # its file cannot be read
    EDGE_VERSION = "edge-version"  # an edge of another version than the server's


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: who or what it is, and since or until when."""

    concern: Concern
    who: str
    what: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Posture:
    """How things stand for what a person may see. What is not people's is the park's alone."""

    at: datetime
    refused_sign_ins: int  # in the last day, as far as 1000
    locked: int
    patterns: int  # seen in the last week
    findings: Sequence[Finding]
    edges: int
    checked: Checked | None
    transport: Transport
    certificate_ends_at: datetime | None
    versions: Sequence[tuple[str, str]]

    def of(self, *concerns: Concern) -> Sequence[Finding]:
        """The findings of these kinds."""
        return [finding for finding in self.findings if finding.concern in concerns]


async def posture(
    database: Database, sources: SourceStates, transport: Transport, viewer: User, now: datetime
) -> Posture:
    """How things stand now for this administrator."""
    is_park = viewer.tenants is None
    ends_at, of_transport = await asyncio.to_thread(_of_transport, transport, now)
    async with database.reading() as session:
        people = await _people(session, viewer.tenants)
        refused = Wanted(actions=frozenset({SIGN_IN_REFUSED}), start=now - DAY)
        seen = Wanted(actions=frozenset({PATTERN_SEEN}), start=now - 7 * DAY)
        findings = [
            *_of_accounts(people, now),
            *await _of_tokens(session, people, now),
            *([*_of_edges(sources, now), *of_transport] if is_park else ()),
        ]
        return Posture(
            at=now,
            refused_sign_ins=await trail.count(session, refused, viewer.tenants, most=_FAILURES_COUNTED),
            locked=await _locked(session, None if is_park else people, now),
            patterns=await trail.count(session, seen, viewer.tenants),
            findings=findings,
            edges=len(sources.edges()) if is_park else 0,
            checked=await last_checked(database),
            transport=transport,
            certificate_ends_at=ends_at if is_park else None,
            versions=[*await _versions(session)] if is_park else [],
        )


async def _people(session: AsyncSession, tenants: frozenset[str] | None) -> Sequence[UserRow]:
    own: ColumnElement[bool] = true() if tenants is None else UserRow.tenant.in_(sorted(tenants))
    query = select(UserRow).where(own, UserRow.disabled_at.is_(None)).order_by(UserRow.login)
    return (await session.scalars(query)).all()


def _of_accounts(people: Sequence[UserRow], now: datetime) -> list[Finding]:
    # Who signs in by another directory has that one's second factor, of which nothing is known here.
    bare = [
        Finding(Concern.NO_SECOND_FACTOR, row.login, row.name)
        for row in people
        if ADMINISTRATOR in row.roles and row.second_factor is None and row.directory == "local"
    ]
    unused = [
        Finding(Concern.UNUSED_ACCOUNT, row.login, row.name, row.signed_in_at)
        for row in people
        if (row.signed_in_at or row.created_at) < now - UNUSED_AFTER
    ]
    return [*bare, *unused]


async def _of_tokens(session: AsyncSession, people: Sequence[UserRow], now: datetime) -> list[Finding]:
    logins = {row.id: row.login for row in people}
    query = select(TokenRow).where(TokenRow.revoked_at.is_(None), TokenRow.expires_at > now).order_by(TokenRow.id)
    tokens = [row for row in await session.scalars(query) if row.user_id in logins]
    ending = [
        Finding(Concern.TOKEN_ENDS, logins[row.user_id], row.name, row.expires_at)
        for row in tokens
        if row.expires_at < now + ENDS_SOON
    ]
    unused = [
        Finding(Concern.UNUSED_TOKEN, logins[row.user_id], row.name, row.used_at)
        for row in tokens
        if (row.used_at or row.made_at) < now - UNUSED_AFTER
    ]
    return [*ending, *unused]


def _of_edges(sources: SourceStates, now: datetime) -> list[Finding]:
    edges = sources.edges()
    silent = [
        Finding(Concern.EDGE_SILENT, one.edge, one.version, one.received_at) for one in edges if one.is_silent(now)
    ]
    other = [
        Finding(Concern.EDGE_VERSION, one.edge, one.version)
        for one in edges
        if one.version and one.version != athanor.__version__
    ]
    return [*silent, *other]


def _of_transport(transport: Transport, now: datetime) -> tuple[datetime | None, list[Finding]]:
    """When the certificate ends, and what is wrong with how the server is reached."""
    if transport.is_in_the_clear:
        return None, [Finding(Concern.IN_THE_CLEAR, transport.host)]
    try:
        ends_at = transport.certificate_ends_at()
    except BadCertificateError as error:
        return None, [Finding(Concern.BAD_CERTIFICATE, str(transport.certificate), str(error))]
    if ends_at is None or ends_at >= now + CERTIFICATE_ENDS_SOON:
        return ends_at, []
    return ends_at, [Finding(Concern.CERTIFICATE_ENDS, str(transport.certificate), at=ends_at)]


async def _locked(session: AsyncSession, people: Sequence[UserRow] | None, now: datetime) -> int:
    """Logins that are locked now; only hashes of them are kept, so an enterprise's are looked up by its people."""
    query = select(func.count()).select_from(SignInFailureRow).where(SignInFailureRow.locked_until > now)
    if people is not None:
        query = query.where(SignInFailureRow.login_hash.in_([hashed(row.login) for row in people]))
    return await session.scalar(query) or 0


async def _versions(session: AsyncSession) -> list[tuple[str, str]]:
    dialect = session.get_bind().dialect
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[dialect.name]
    version = ".".join(map(str, dialect.server_version_info or ()))
    return [("Athanor", athanor.__version__), ("Python", platform.python_version()), (name, version)]
