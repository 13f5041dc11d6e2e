"""Notifications for programs: the inbox, how one is reached, policies, rosters, channels, the log of delivery."""

from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from athanor.apps.notifications.services.telling import about_place
from athanor.kernel.alarms.rule import Category, Priority
from athanor.kernel.notify.books import PolicyView, RosterView, checked_policy, checked_roster
from athanor.kernel.notify.channelbook import ChannelView, Draft
from athanor.kernel.notify.inbox import InboxMessage
from athanor.kernel.notify.messages import MessageView, Wish
from athanor.kernel.notify.quiet import Wishes
from athanor.kernel.notify.roster import duties, gaps
from athanor.kernel.notify.service import Notify
from athanor.kernel.notify.tables import State
from athanor.web.routes import Handed, ParkPort, PlantPort, RowNumber, Viewer, permits, viewer_of

router = APIRouter(tags=["notifications"], dependencies=[Depends(viewer_of)])

NotifyPort = Annotated[Notify, Depends(Handed("notify"))]
_CONFIGURES = [Depends(permits("notifications.configure"))]
_ADMINISTERS = [Depends(permits("notifications.administer"))]
_MOST_DAYS = 92


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReadWish(_Wish):
    """Which messages were read; all where left out."""

    ids: list[Annotated[int, Field(ge=1, le=2**31 - 1)]] | None = Field(None, max_length=10_000)


class ReachWish(_Wish):
    """An address of one's own."""

    kind: str = Field(max_length=40, description="Of channel: email, sms.")
    address: str = Field(max_length=400)


class TurnWish(_Wish):
    """Whether an address is used."""

    is_enabled: bool


class CodeWish(_Wish):
    """The code that was sent to an address."""

    code: str = Field(max_length=20)


class PolicyWish(_Wish):
    """A policy as it is to be; docs/notification.md says what `policy` may hold."""

    policy: dict[str, Any]
    is_enabled: bool = True
    revision: int | None = Field(None, description="The one that was read, when one is changed.")
    tenant: str | None = Field(None, max_length=100, description="Whose, when the park's people make one.")


class RosterWish(_Wish):
    """A roster as it is to be."""

    roster: dict[str, Any]
    revision: int | None = None
    tenant: str | None = Field(None, max_length=100)


class ChannelWish(_Wish):
    """A channel as it is to be. A secret that is left empty stays as it was."""

    kind: str = Field(max_length=40)
    name: str = Field(max_length=200)
    settings: dict[str, Any] = Field(default_factory=dict)
    is_enabled: bool = True
    revision: int | None = None
    tenant: str | None = Field(None, max_length=100)


class TestWish(_Wish):
    """Where to send a test; nothing for channels that have but one receiver."""

    address: str = Field("", max_length=400)


class PreviewWish(_Wish):
    """What might happen."""

    topic: str = Field("alarms.raised", max_length=100)
    priority: Priority = Priority.HIGH
    category: Category = Category.PROCESS
    path: str = Field("", max_length=400, description="A tag or node; nothing for no place.")


# ---- one's own


@router.get("/inbox")
async def inbox(
    notify: NotifyPort,
    viewer: Viewer,
    *,
    text: Annotated[str, Query(max_length=200)] = "",
    unread: bool = False,
    offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """One's own messages, newest first."""
    found, total = await notify.inbox.find(viewer, text=text, only_unread=unread, offset=offset, limit=limit)
    return {"total": total, "unread": await notify.inbox.unread(viewer), "messages": [_inbox(one) for one in found]}


@router.post("/inbox/read")
async def read(wish: ReadWish, notify: NotifyPort, viewer: Viewer) -> dict[str, int]:
    """Note that these were read, or all; how many were unread."""
    return {"read": await notify.inbox.read(viewer, wish.ids)}


@router.get("/reach")
async def reach(notify: NotifyPort, viewer: Viewer) -> dict[str, Any]:
    """One's own addresses and quiet hours."""
    return {
        "addresses": [
            {"id": one.id, "kind": one.kind, "address": one.address, "is_enabled": one.is_enabled,
             "is_verified": one.is_verified}
            for one in await notify.reaching.mine(viewer)
        ],
        "of_account": await notify.reaching.of_account(viewer),
        "wishes": (await notify.reaching.wishes(viewer)).model_dump(mode="json"),
    }  # fmt: skip


@router.post("/reach", status_code=HTTPStatus.CREATED)
async def add_reach(wish: ReachWish, notify: NotifyPort, viewer: Viewer, request: Request) -> dict[str, int]:
    """Add an address; its id. Nothing is sent there before it is verified."""
    return {"id": await notify.reaching.add(viewer, wish.kind, wish.address, origin=_address(request))}


@router.post("/reach/{reach_id}/code", status_code=HTTPStatus.NO_CONTENT)
async def send_code(reach_id: RowNumber, notify: NotifyPort, viewer: Viewer) -> None:
    """Send a code there."""
    await notify.reaching.send_code(viewer, reach_id)


@router.post("/reach/{reach_id}/verify", status_code=HTTPStatus.NO_CONTENT)
async def verify(reach_id: RowNumber, wish: CodeWish, notify: NotifyPort, viewer: Viewer, request: Request) -> None:
    """Enter the code."""
    await notify.reaching.verify(viewer, reach_id, wish.code, origin=_address(request))


@router.put("/reach/{reach_id}", status_code=HTTPStatus.NO_CONTENT)
async def turn(reach_id: RowNumber, wish: TurnWish, notify: NotifyPort, viewer: Viewer, request: Request) -> None:
    """Let an address be used, or not."""
    await notify.reaching.turn(viewer, reach_id, is_enabled=wish.is_enabled, origin=_address(request))


@router.delete("/reach/{reach_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_reach(reach_id: RowNumber, notify: NotifyPort, viewer: Viewer, request: Request) -> None:
    """Forget an address."""
    await notify.reaching.remove(viewer, reach_id, origin=_address(request))


@router.put("/wishes")
async def wish(wishes: Wishes, notify: NotifyPort, viewer: Viewer, request: Request) -> Wishes:
    """Say when one is not to be disturbed."""
    await notify.reaching.wish(viewer, wishes, origin=_address(request))
    return wishes


# ---- policies


@router.get("/policies", dependencies=_CONFIGURES)
async def policies(notify: NotifyPort, viewer: Viewer) -> list[dict[str, Any]]:
    """All that one may see."""
    return [_policy(one) for one in await notify.policies.all(viewer)]


@router.get("/policies/{policy_id}", dependencies=_CONFIGURES)
async def policy(policy_id: RowNumber, notify: NotifyPort, viewer: Viewer) -> dict[str, Any]:
    """One of them."""
    return _policy(await notify.policies.get(viewer, policy_id))


@router.post("/policies", status_code=HTTPStatus.CREATED, dependencies=_CONFIGURES)
async def add_policy(wish: PolicyWish, notify: NotifyPort, viewer: Viewer, request: Request) -> dict[str, int]:
    """Make one; its id."""
    made = checked_policy(wish.policy)
    number = await notify.policies.add(
        viewer, made, tenant=wish.tenant, is_enabled=wish.is_enabled, address=_address(request)
    )
    return {"id": number}


@router.put("/policies/{policy_id}", dependencies=_CONFIGURES)
async def change_policy(
    policy_id: RowNumber, wish: PolicyWish, notify: NotifyPort, viewer: Viewer, request: Request
) -> dict[str, int]:
    """Change one; its new revision."""
    changed = checked_policy(wish.policy)
    revision = await notify.policies.save(
        viewer, policy_id, changed, wish.revision or 0, is_enabled=wish.is_enabled, address=_address(request)
    )
    return {"revision": revision}


@router.delete("/policies/{policy_id}", status_code=HTTPStatus.NO_CONTENT, dependencies=_CONFIGURES)
async def remove_policy(policy_id: RowNumber, notify: NotifyPort, viewer: Viewer, request: Request) -> None:
    """Remove one."""
    await notify.policies.retire(viewer, policy_id, address=_address(request))


@router.post("/preview", dependencies=_CONFIGURES)
async def preview(
    wish: PreviewWish, notify: NotifyPort, plant: PlantPort, park: ParkPort, viewer: Viewer
) -> dict[str, Any]:
    """Who would be told now of something; nobody is."""
    about = about_place(plant, viewer, wish.topic, wish.priority, wish.category, wish.path)
    found = await notify.previews.of(viewer, about, park.model.timezone, viewer.language or "en")
    return {
        "told": [
            {"policy": one.policy.id, "step": one.step, "after_min": one.after_min, "channel": one.target.way.name,
             "login": one.target.login, "address": one.target.address, "held_until": one.held_until}
            for one in found.lines
        ],
        "faults": [
            {"policy": one.policy.id, "step": one.step, "fault": one.fault.lack, "login": one.fault.login,
             "channel": one.fault.channel}
            for one in found.faults
        ],
    }  # fmt: skip


@router.get("/unheard", dependencies=_CONFIGURES)
async def unheard(notify: NotifyPort, viewer: Viewer) -> list[dict[str, Any]]:
    """Notices of the last seven days that nobody was told of."""
    return [
        {"topic": one.topic, "priority": one.priority, "tenant": one.tenant, "fate": one.fate, "count": one.count,
         "last_at": one.last_at}
        for one in await notify.previews.unheard(viewer)
    ]  # fmt: skip


# ---- rosters


@router.get("/rosters")
async def rosters(notify: NotifyPort, viewer: Viewer) -> list[dict[str, Any]]:
    """All that one may see."""
    return [_roster(one) for one in await notify.rosters.all(viewer)]


@router.get("/rosters/{roster_id}")
async def roster(roster_id: RowNumber, notify: NotifyPort, viewer: Viewer) -> dict[str, Any]:
    """One of them."""
    return _roster(await notify.rosters.get(viewer, roster_id))


@router.get("/rosters/{roster_id}/duties")
async def roster_duties(
    roster_id: RowNumber, notify: NotifyPort, park: ParkPort, viewer: Viewer, first: date, last: date
) -> dict[str, Any]:
    """Who is on duty when, and when nobody is, on these days of the site's calendar; 92 at most."""
    found = (await notify.rosters.get(viewer, roster_id)).roster
    zone = ZoneInfo(park.model.timezone)
    last = min(last, first + timedelta(days=_MOST_DAYS - 1))
    shown = duties(found, first, last, zone)
    start = datetime.combine(first, datetime.min.time(), zone)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
    return {
        "duties": [
            {"day": one.day, "shift": one.shift.id, "team": one.team, "people": one.people, "start": one.start,
             "end": one.end}
            for one in shown
        ],
        "gaps": [{"start": one.start, "end": one.end} for one in gaps(found, start, end, zone)],
    }  # fmt: skip


@router.post("/rosters", status_code=HTTPStatus.CREATED, dependencies=_CONFIGURES)
async def add_roster(wish: RosterWish, notify: NotifyPort, viewer: Viewer, request: Request) -> dict[str, int]:
    """Make one; its id."""
    made = checked_roster(wish.roster)
    return {"id": await notify.rosters.add(viewer, made, tenant=wish.tenant, address=_address(request))}


@router.put("/rosters/{roster_id}", dependencies=_CONFIGURES)
async def change_roster(
    roster_id: RowNumber, wish: RosterWish, notify: NotifyPort, viewer: Viewer, request: Request
) -> dict[str, int]:
    """Change one; its new revision."""
    changed = checked_roster(wish.roster)
    address = _address(request)
    return {"revision": await notify.rosters.save(viewer, roster_id, changed, wish.revision or 0, address=address)}


@router.delete("/rosters/{roster_id}", status_code=HTTPStatus.NO_CONTENT, dependencies=_CONFIGURES)
async def remove_roster(roster_id: RowNumber, notify: NotifyPort, viewer: Viewer, request: Request) -> None:
    """Remove one that no policy asks."""
    await notify.rosters.retire(viewer, roster_id, address=_address(request))


# ---- channels


@router.get("/channels", dependencies=_ADMINISTERS)
async def channels(notify: NotifyPort, viewer: Viewer) -> list[dict[str, Any]]:
    """All that serve one's people; secrets are never told."""
    return [_channel(one) for one in await notify.channels.all(viewer)]


@router.get("/channels/{channel_id}", dependencies=_ADMINISTERS)
async def channel(channel_id: RowNumber, notify: NotifyPort, viewer: Viewer) -> dict[str, Any]:
    """One of them."""
    return _channel(await notify.channels.get(viewer, channel_id))


@router.post("/channels", status_code=HTTPStatus.CREATED, dependencies=_ADMINISTERS)
async def add_channel(wish: ChannelWish, notify: NotifyPort, viewer: Viewer, request: Request) -> dict[str, int]:
    """Make one; its id."""
    return {"id": await notify.channels.add(viewer, _draft(wish), address=_address(request))}


@router.put("/channels/{channel_id}", dependencies=_ADMINISTERS)
async def change_channel(
    channel_id: RowNumber, wish: ChannelWish, notify: NotifyPort, viewer: Viewer, request: Request
) -> dict[str, int]:
    """Change one; its new revision."""
    address = _address(request)
    return {
        "revision": await notify.channels.save(viewer, channel_id, _draft(wish), wish.revision or 0, address=address)
    }


@router.delete("/channels/{channel_id}", status_code=HTTPStatus.NO_CONTENT, dependencies=_ADMINISTERS)
async def remove_channel(channel_id: RowNumber, notify: NotifyPort, viewer: Viewer, request: Request) -> None:
    """Take one out of use."""
    await notify.channels.retire(viewer, channel_id, address=_address(request))


@router.post("/channels/{channel_id}/test", dependencies=_ADMINISTERS)
async def test_channel(
    channel_id: RowNumber, wish: TestWish, notify: NotifyPort, viewer: Viewer, request: Request
) -> dict[str, Any]:
    """Send a test message now, and say how it went."""
    done = await notify.test(viewer, channel_id, wish.address, origin=_address(request))
    return {"is_sent": done.is_sent, "error": done.error, "took_s": done.took_s}


# ---- the log of delivery


@router.get("/messages", dependencies=_ADMINISTERS)
async def messages(
    notify: NotifyPort,
    viewer: Viewer,
    channel: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    state: Annotated[list[State] | None, Query()] = None,
    text: Annotated[str, Query(max_length=200)] = "",
    since: datetime | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Continue after this id.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """What became of messages, newest first."""
    wish = Wish(
        channel_id=channel, states=tuple(state or ()), text=text, since=since, before=before, limit=limit
    )  # fmt: skip
    return [_message(one) for one in await notify.messages.find(viewer, wish)]


@router.get("/messages/{message_id}", dependencies=_ADMINISTERS)
async def message(message_id: RowNumber, notify: NotifyPort, viewer: Viewer) -> dict[str, Any]:
    """One of them."""
    return _message(await notify.messages.get(viewer, message_id))


@router.post("/messages/{message_id}/again", status_code=HTTPStatus.NO_CONTENT, dependencies=_ADMINISTERS)
async def again(message_id: RowNumber, notify: NotifyPort, viewer: Viewer, request: Request) -> None:
    """Try one again that was given up."""
    await notify.messages.again(viewer, message_id, address=_address(request))


@router.post("/messages/{message_id}/cancel", status_code=HTTPStatus.NO_CONTENT, dependencies=_ADMINISTERS)
async def cancel(message_id: RowNumber, notify: NotifyPort, viewer: Viewer, request: Request) -> None:
    """Call one back that has not gone out."""
    await notify.messages.cancel(viewer, message_id, address=_address(request))


def _inbox(one: InboxMessage) -> dict[str, Any]:
    names = ("id", "title", "body", "topic", "priority", "link", "at", "read_at")
    return {name: getattr(one, name) for name in names}


def _policy(one: PolicyView) -> dict[str, Any]:
    said = {name: getattr(one, name) for name in _KEPT}
    return said | {"is_enabled": one.is_enabled, "policy": one.policy.model_dump(mode="json")}


def _roster(one: RosterView) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _KEPT} | {"roster": one.roster.model_dump(mode="json")}


_KEPT = ("id", "tenant", "revision", "changed_by", "changed_at")


def _channel(one: ChannelView) -> dict[str, Any]:
    names = (*_KEPT, "kind", "name", "settings", "secrets", "is_enabled", "last_sent_at", "last_error", "is_failing",
             "waiting", "given_up")  # fmt: skip
    return {name: getattr(one, name) for name in names}


def _message(one: MessageView) -> dict[str, Any]:
    names = ("id", "notice_id", "policy_id", "step", "channel_id", "channel", "recipient", "login", "tenant", "state",
             "title", "body", "topic", "subject", "priority", "at", "made_at", "due_at", "sent_at", "attempts",
             "is_repeat", "error")  # fmt: skip
    return {name: getattr(one, name) for name in names}


def _draft(wish: ChannelWish) -> Draft:
    return Draft(wish.kind, wish.name, wish.settings, wish.is_enabled, wish.tenant)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
