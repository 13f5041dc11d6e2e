"""The channels as people see and set them up. Secrets go in and never come out.

Who may: the park's administrators all kinds; an enterprise's those that reach only hosts which the settings name
(`notify.robot_hosts`), for its own people. A kind whose address is free could be pointed at anything in the plant's
network, so that stays with the park.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotAllowedError, NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User
from athanor.kernel.notify.channels.inbox import INBOX
from athanor.kernel.notify.channels.port import Channel
from athanor.kernel.notify.channels.sealing import merged, sealed, settings_of
from athanor.kernel.notify.errors import BadChannelError, ChannelChangedError
from athanor.kernel.notify.outbox import TO_GO
from athanor.kernel.notify.sending import Sender
from athanor.kernel.notify.tables import ChannelRow, MessageRow, State
from athanor.kernel.vault import Vault

ADMINISTER = "notifications.administer"
_LONGEST_NAME = 100
_PLACES = ("host", "url")  # settings that say where secrets go


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel as it stands, without its secrets."""

    id: int
    kind: str
    name: str
    tenant: str | None
    settings: Mapping[str, Any]
    secrets: Mapping[str, tuple[str, ...]]  # which are set: by setting, the names of those that have some
    is_enabled: bool
    revision: int
    changed_by: str
    changed_at: datetime
    last_sent_at: datetime | None
    last_error: str
    last_error_at: datetime | None
    failing_since: datetime | None
    open_until: datetime | None
    is_on: bool
    waiting: int = 0
    given_up: int = 0

    @property
    def is_failing(self) -> bool:
        """Whether its last try failed, for a fault of its own."""
        return self.failing_since is not None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a channel is to be. `settings` with secrets in clear; one that is left empty stays as it was."""

    kind: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_enabled: bool = True
    tenant: str | None = None  # of the park's people: whose it is to be


class Channels:
    """Lists, keeps and retires channels."""

    def __init__(self, database: Database, vault: Vault, sender: Sender, now: Callable[[], datetime]) -> None:
        self._database, self._vault, self._sender, self._now = database, vault, sender, now

    def kinds(self, viewer: User) -> list[type[Channel]]:
        """What somebody may set up."""
        return [
            kind
            for kind in self._sender.kinds.values()
            if kind.kind != INBOX and (viewer.tenant is None or not kind.reaches_anywhere)
        ]

    async def all(self, viewer: User) -> list[ChannelView]:
        """Those that serve a viewer, by name: their enterprise's and the park's; the park sees all.

        Settings and errors of the park's channels are not told to an enterprise's people.
        """
        query = select(ChannelRow).where(ChannelRow.retired_at.is_(None)).order_by(ChannelRow.name, ChannelRow.id)
        if viewer.tenant is not None:
            query = query.where(or_(ChannelRow.tenant == viewer.tenant, ChannelRow.tenant.is_(None)))
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
            counts = await _counts(session)
        return [self._view(row, viewer, counts.get(row.id, {})) for row in rows]

    async def get(self, viewer: User, channel_id: int) -> ChannelView:
        """Raises NotFoundError."""
        found = next((one for one in await self.all(viewer) if one.id == channel_id), None)
        if found is None:
            raise NotFoundError("channel", channel_id)
        return found

    async def add(self, viewer: User, draft: Draft, *, address: str = "") -> int:
        """Keep a new channel; its id. Raises NotAllowedError, BadChannelError."""
        tenant = draft.tenant if viewer.tenant is None else viewer.tenant
        kind = self._kind(viewer, draft.kind)
        settings = settings_of(kind.Settings, _without_empty(kind, draft.settings))
        self._check_hosts(kind, settings)
        row = ChannelRow(
            kind=draft.kind,
            name=_checked_name(draft.name),
            content=sealed(settings, self._vault),
            is_enabled=draft.is_enabled,
            revision=1,
            changed_by=viewer.login,
            changed_at=self._now(),
            tenant=tenant,
        )
        async with self._database.session() as session:
            session.add(row)
            await session.flush()
            self._note(session, viewer, "notify.channel-made", row, address)
        return row.id

    async def save(self, viewer: User, channel_id: int, draft: Draft, revision: int, *, address: str = "") -> int:
        """Change a channel that was opened at a revision; the new one.

        Raises NotFoundError, NotAllowedError, BadChannelError, ChannelChangedError.
        """
        kind = self._kind(viewer, draft.kind)
        async with self._database.session() as session:
            row = await self._own(session, viewer, channel_id)
            if row.revision != revision:
                raise ChannelChangedError(row.name)
            if row.kind != draft.kind:
                raise BadChannelError("its kind stays. Make another channel instead.")
            _check_place(row, draft.settings)
            wanted = merged(kind.Settings, draft.settings, row.content, self._vault, row.name)
            settings = settings_of(kind.Settings, _without_empty(kind, wanted))
            self._check_hosts(kind, settings)
            row.content, row.name = sealed(settings, self._vault), _checked_name(draft.name)
            row.is_enabled, row.revision = draft.is_enabled, row.revision + 1
            row.changed_by, row.changed_at = viewer.login, self._now()
            row.open_until = None  # somebody put it right: it is tried at once
            self._note(session, viewer, "notify.channel-changed", row, address)
            return row.revision

    async def retire(self, viewer: User, channel_id: int, *, address: str = "") -> None:
        """Take a channel out of use; what waits for it is cancelled. Raises NotFoundError, NotAllowedError."""
        async with self._database.session() as session:
            row = await self._own(session, viewer, channel_id)
            row.retired_at, row.is_enabled, row.revision = self._now(), False, row.revision + 1
            waiting = select(MessageRow).where(
                MessageRow.channel_id == row.id, MessageRow.state.in_((*TO_GO, State.WITHHELD))
            )
            for message in await session.scalars(waiting):
                message.state, message.error = State.CANCELLED, "its channel was retired"
            self._note(session, viewer, "notify.channel-retired", row, address)

    async def row(self, viewer: User, channel_id: int) -> ChannelRow:
        """A channel that a viewer may change. Raises NotFoundError, NotAllowedError."""
        async with self._database.reading() as session:
            return await self._own(session, viewer, channel_id, is_read=True)

    async def _own(self, session: AsyncSession, viewer: User, channel_id: int, *, is_read: bool = False) -> ChannelRow:
        row = await session.get(ChannelRow, channel_id, with_for_update=None if is_read else True)
        is_seen = (
            row is not None
            and row.retired_at is None
            and (viewer.tenant is None or row.tenant in (viewer.tenant, None))
        )
        if row is None or not is_seen or row.kind == INBOX:
            raise NotFoundError("channel", channel_id)
        if not viewer.may(ADMINISTER) or (viewer.tenant is not None and row.tenant != viewer.tenant):
            raise NotAllowedError("This channel belongs to the park: its administrators change and test it.")
        return row

    def _kind(self, viewer: User, name: str) -> type[Channel]:
        kind = next((one for one in self.kinds(viewer) if one.kind == name), None)
        if kind is None and name in self._sender.kinds:
            raise NotAllowedError("Channels of this kind reach any address: only the park's administrators make them.")
        if kind is None:
            raise NotFoundError("kind of channel", name)
        if not viewer.may(ADMINISTER):
            raise NotAllowedError("Only administrators set up channels.")
        return kind

    def _check_hosts(self, kind: type[Channel], settings: Any) -> None:
        if (reason := kind.refusal(settings, self._sender.outside.limits)) is not None:
            raise BadChannelError(reason)

    def _view(self, row: ChannelRow, viewer: User, counts: Mapping[str, int]) -> ChannelView:
        is_own = viewer.may(ADMINISTER) and (viewer.tenant is None or row.tenant == viewer.tenant)
        content = row.content if is_own else {"settings": {}, "sealed": {}}
        secrets = {name: tuple(kept) if isinstance(kept, dict) else (name,) for name, kept in content["sealed"].items()}
        return ChannelView(
            id=row.id,
            kind=row.kind,
            name=row.name,
            tenant=row.tenant,
            settings=content["settings"],
            secrets=secrets,
            is_enabled=row.is_enabled,
            revision=row.revision,
            changed_by=row.changed_by if is_own else "",
            changed_at=row.changed_at,
            last_sent_at=row.last_sent_at,
            last_error=row.last_error if is_own else "",
            last_error_at=row.last_error_at,
            failing_since=row.failing_since,
            open_until=row.open_until,
            is_on=row.is_on,
            waiting=counts.get("waiting", 0) if is_own else 0,
            given_up=counts.get("given-up", 0) if is_own else 0,
        )

    def _note(self, session: AsyncSession, viewer: User, action: str, row: ChannelRow, address: str) -> None:
        settings = row.content["settings"]
        host = (
            settings.get("host") or urlsplit(settings.get("url", "")).hostname or ""
        )  # no more: tokens are in addresses
        detail = {"kind": row.kind, "name": row.name, "tenant": row.tenant, "host": host, "is_enabled": row.is_enabled}
        record(session, viewer.login, action, str(row.id), address=address, detail=detail)


async def _counts(session: AsyncSession) -> dict[int, dict[str, int]]:
    """By channel, how many messages have not gone out, and how many were given up."""
    states = (*TO_GO, State.SENDING, State.GIVEN_UP)
    query = select(MessageRow.channel_id, MessageRow.state, func.count()).where(MessageRow.state.in_(states))
    counts: dict[int, dict[str, int]] = {}
    for channel, state, count in await session.execute(query.group_by(MessageRow.channel_id, MessageRow.state)):
        name = "given-up" if state == State.GIVEN_UP else "waiting"
        counts.setdefault(channel, {})
        counts[channel][name] = counts[channel].get(name, 0) + count
    return counts


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME:
        raise BadChannelError(f"its name has {len(name)} characters. Give one of 1 to {_LONGEST_NAME}.")
    return name


def _without_empty(kind: type[Channel], given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that are given; one that is None has its default."""
    return {name: value for name, value in given.items() if value is not None or name not in kind.Settings.model_fields}


def _check_place(row: ChannelRow, given: Mapping[str, Any]) -> None:
    """A secret goes only where it was given for: whoever names another place gives it anew."""
    before, kept = row.content["settings"], row.content["sealed"]
    is_elsewhere = any(name in before and given.get(name) != before[name] for name in _PLACES)
    needed = [
        name
        for name in kept
        if not given.get(name) or (isinstance(given[name], dict) and not all(given[name].values()))
    ]
    if is_elsewhere and needed:
        raise BadChannelError(f"it goes to another place now, so give {', '.join(needed)} anew.")
