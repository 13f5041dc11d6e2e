"""Pages and routes of Notifications: an enterprise has policies, rosters and robots of its own."""

from datetime import UTC, datetime

import httpx
from sqlalchemy import select

from athanor.kernel.notify import notice
from athanor.kernel.notify.notice import Notice
from athanor.kernel.notify.routing import route
from athanor.kernel.notify.tables import MessageRow, NoticeRow

from ..site import Site
from . import FURNACE, Example

_VIEW, _CONFIGURE, _ADMINISTER = "notifications.view", "notifications.configure", "notifications.administer"
_BASE = "/api/v1/notifications"
_OURS = "of-the-copper-works"
_POLICY, _ROSTER = {"policy_id": "{policy}"}, {"roster_id": "{roster}"}
_CHANNEL, _MESSAGE, _REACH = {"channel_id": "{robot}"}, {"message_id": "{message}"}, {"reach_id": "{reach}"}
_ROBOT = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0a1b2c3d-0000-4000-8000-00000000{n}"


def policy(name: str) -> dict[str, object]:
    steps = [{"to": [{"kind": "role", "role": "engineer"}]}]
    return {"policy": {"name": {"en": name}, "match": {"topics": ["walk.never"]}, "steps": steps}}


def roster(name: str) -> dict[str, object]:
    return {
        "roster": {
            "name": {"en": name},
            "shifts": [{"id": "day", "name": {"en": "Day"}, "from_minute": 480, "minutes": 480}],
            "cycle": ["day"],
            "teams": [{"name": "A", "members": []}],
            "begins_on": "2026-01-01",
        }
    }


def robot(name: str, number: int) -> dict[str, object]:
    return {"kind": "wecom", "name": name, "settings": {"url": _ROBOT.format(n=number)}, "is_enabled": False}


def prepare(owner: httpx.Client, site: Site) -> dict[str, str]:
    """A policy, a roster, a robot and an address of the copper works, and a message to its administrator."""

    def made(path: str, wish: dict[str, object]) -> str:
        return str(owner.post(f"{_BASE}{path}", json=wish).raise_for_status().json()["id"])

    return {
        "policy": made("/policies", policy(_OURS)),
        "roster": made("/rosters", roster(_OURS)),
        "robot": made("/channels", robot(_OURS, 1000)),
        "reach": made("/reach", {"kind": "email", "address": f"{_OURS}@example.com"}),
        "message": str(site.wait_for(_message(site))),
    }


async def _message(site: Site) -> int:
    now, platform = datetime.now(UTC), site.platform
    said = Notice("walk.told", "walk.told", "walk", {"en": _OURS}, tenant="copper", logins=("walk-copper",), at=now)
    async with platform.database.session() as session:
        await notice.put(session, [said], now)
    async with platform.database.session() as session:
        await route(session, now, platform.plant.model)
    query = select(MessageRow.id).join(NoticeRow, NoticeRow.id == MessageRow.notice_id)
    async with platform.database.reading() as session:
        return int((await session.scalars(query.where(NoticeRow.key == "walk.told").limit(1))).one())


EXAMPLES = [
    Example("/notifications", _VIEW),
    Example("/notifications/reach", _VIEW),
    Example("/notifications/rosters", _VIEW),
    Example("/notifications/rosters/new", _CONFIGURE),
    Example("/notifications/rosters/{roster_id}", _VIEW, path=_ROSTER, names=True),
    Example("/notifications/rosters/{roster_id}/change", _CONFIGURE, path=_ROSTER, names=True),
    Example("/notifications/policies", _CONFIGURE),
    Example("/notifications/policies/new", _CONFIGURE),
    Example("/notifications/policies/{policy_id}", _CONFIGURE, path=_POLICY, names=True),
    Example("/notifications/channels", _ADMINISTER),
    Example("/notifications/channels/new/{kind}", _ADMINISTER, path={"kind": "wecom"}),
    Example("/notifications/channels/{channel_id}", _ADMINISTER, path=_CHANNEL, names=True),
    Example("/notifications/messages", _ADMINISTER, query={"message": "{message}"}, names=True),
    Example(f"{_BASE}/inbox", _VIEW),
    Example(f"{_BASE}/inbox/read", _VIEW, "POST", json={}),
    Example(f"{_BASE}/reach", _VIEW),
    Example(f"{_BASE}/reach", _VIEW, "POST", json={"kind": "email", "address": "walk@example.com"}),
    Example(f"{_BASE}/reach/{{reach_id}}", _VIEW, "PUT", path=_REACH, json={"is_enabled": False}, names=True),
    Example(f"{_BASE}/reach/{{reach_id}}", _VIEW, "DELETE", path=_REACH, names=True),
    Example(f"{_BASE}/reach/{{reach_id}}/code", _VIEW, "POST", path=_REACH, names=True),
    Example(f"{_BASE}/reach/{{reach_id}}/verify", _VIEW, "POST", path=_REACH, json={"code": "000000"}, names=True),
    Example(f"{_BASE}/wishes", _VIEW, "PUT", json={"quiet": []}),
    Example(f"{_BASE}/policies", _CONFIGURE),
    Example(f"{_BASE}/policies", _CONFIGURE, "POST", json=policy("Walk")),
    Example(f"{_BASE}/policies/{{policy_id}}", _CONFIGURE, path=_POLICY, names=True),
    Example(f"{_BASE}/policies/{{policy_id}}", _CONFIGURE, "PUT", path=_POLICY, json=policy("Walk"), names=True),
    Example(f"{_BASE}/policies/{{policy_id}}", _CONFIGURE, "DELETE", path=_POLICY, names=True),
    Example(f"{_BASE}/preview", _CONFIGURE, "POST", json={"path": FURNACE}, names=True),
    Example(f"{_BASE}/unheard", _CONFIGURE),
    Example(f"{_BASE}/rosters", _VIEW),
    Example(f"{_BASE}/rosters", _CONFIGURE, "POST", json=roster("Walk")),
    Example(f"{_BASE}/rosters/{{roster_id}}", _VIEW, path=_ROSTER, names=True),
    Example(f"{_BASE}/rosters/{{roster_id}}", _CONFIGURE, "PUT", path=_ROSTER, json=roster("Walk"), names=True),
    Example(f"{_BASE}/rosters/{{roster_id}}", _CONFIGURE, "DELETE", path=_ROSTER, names=True),
    Example(f"{_BASE}/rosters/{{roster_id}}/duties", _VIEW, path=_ROSTER,
            query={"first": "2026-06-01", "last": "2026-06-07"}, names=True),
    Example(f"{_BASE}/channels", _ADMINISTER),
    Example(f"{_BASE}/channels", _ADMINISTER, "POST", json=robot("Walk", 2000)),
    Example(f"{_BASE}/channels/{{channel_id}}", _ADMINISTER, path=_CHANNEL, names=True),
    Example(f"{_BASE}/channels/{{channel_id}}", _ADMINISTER, "PUT", path=_CHANNEL, json=robot("Walk", 3000),
            names=True),
    Example(f"{_BASE}/channels/{{channel_id}}", _ADMINISTER, "DELETE", path=_CHANNEL, names=True),
    Example(f"{_BASE}/channels/{{channel_id}}/test", _ADMINISTER, "POST", path=_CHANNEL, json={}, names=True),
    Example(f"{_BASE}/messages", _ADMINISTER),
    Example(f"{_BASE}/messages/{{message_id}}", _ADMINISTER, path=_MESSAGE, names=True),
    Example(f"{_BASE}/messages/{{message_id}}/again", _ADMINISTER, "POST", path=_MESSAGE, names=True),
    Example(f"{_BASE}/messages/{{message_id}}/cancel", _ADMINISTER, "POST", path=_MESSAGE, names=True),
]  # fmt: skip
