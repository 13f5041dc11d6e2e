"""Telling many notices in one message: what quiet hours, a limit or a policy holds back is piled up for an address.

A pile is a message in state `withheld`, of a notice of its own that names what is in it. It is bounded, whatever comes
in: how many of each priority, the most urgent by their ids, all of them as ranges of ids.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.notify.channels.inbox import INBOX
from athanor.kernel.notify.recipients import Target
from athanor.kernel.notify.tables import ChannelRow, MessageRow, NoticeRow, State
from athanor.kernel.notify.templates import in_language, place_of, priority_word
from athanor.kernel.plant.model import Plant

TOPIC = "notify.digest"

_LINES = 30  # of a digest, the most urgent
_PILE = "pile"
_LINK = "/notifications"
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {"title": "{n} notices: {counts}", "more": "and {n} more", "join": ", ", "count": "{n} {priority}"},
    "zh_CN": {"title": "{n} 条通知：{counts}", "more": "另有 {n} 条", "join": "，", "count": "{priority} {n}"},
}


@dataclass(frozen=True, slots=True)
class Held:
    """A notice that is kept for a digest."""

    notice: int
    priority: int
    due_at: datetime


async def hold(session: AsyncSession, target: Target, held: Sequence[Held], now: datetime) -> None:
    """Put notices onto the pile of an address, which goes out as soon as the first of them is due."""
    row = await session.scalar(_OPEN.where(MessageRow.channel_id == target.way.id,
                                           MessageRow.recipient == target.address))  # fmt: skip
    due_at = min(one.due_at for one in held)
    if row is None:
        row = await _new(session, target, due_at, now)
    notice = await session.get_one(NoticeRow, row.notice_id)
    pile = _added(notice.text[_PILE], held)
    notice.text = notice.text | {_PILE: pile}
    notice.priority = min(notice.priority, *(one.priority for one in held))
    row.due_at = min(row.due_at, due_at)
    row.title = _title(pile)


async def release(session: AsyncSession, now: datetime, plant: Plant) -> int:
    """Let the piles whose time has come go out, each as one message; how many."""
    rows = (await session.scalars(_OPEN.where(MessageRow.due_at <= now))).all()
    if not rows:
        return 0
    inboxes = set(await session.scalars(select(ChannelRow.id).where(ChannelRow.kind == INBOX)))
    zone = ZoneInfo(plant.timezone)
    for row in rows:
        notice = await session.get_one(NoticeRow, row.notice_id)
        pile = notice.text[_PILE]
        row.title, row.body = _title(pile), await _body(session, pile, plant, zone)
        is_there = row.channel_id in inboxes
        row.state, row.sent_at = (State.SENT, now) if is_there else (State.WAITING, None)
    return len(rows)


def is_in(text: Mapping[str, Any], notice: int) -> bool:
    """Whether a digest, by its notice's text, holds a notice."""
    return any(first <= notice <= last for first, last in text.get(_PILE, {}).get("ranges", ()))


_OPEN = (
    select(MessageRow)
    .join(NoticeRow, NoticeRow.id == MessageRow.notice_id)
    .where(MessageRow.state == State.WITHHELD, NoticeRow.topic == TOPIC)
)


async def _new(session: AsyncSession, target: Target, due_at: datetime, now: datetime) -> MessageRow:
    key = f"{TOPIC}:{uuid4().hex}"
    notice = NoticeRow(
        key=key,
        topic=TOPIC,
        subject=key,
        path="",
        priority=4,
        category="system",
        text={_PILE: {"language": target.language, "count": 0, "priorities": {}, "lines": [], "ranges": []}},
        link=_LINK,
        logins=[],
        is_late=False,
        is_over=False,
        at=now,
        made_at=now,
        routed_at=now,
        fate="told",
        next_step_at=None,
        tenant=target.tenant,
    )
    session.add(notice)
    await session.flush()
    row = MessageRow(**message(notice.id, 0, 0, target, "", "", State.WITHHELD, due_at, now))
    session.add(row)
    return row


def message(
    notice: int, policy: int, step: int, target: Target, title: str, body: str, state: State, due_at: datetime,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """The values of a new `MessageRow`. Its token follows from what makes it unique."""
    what = f"{notice}:{policy}:{step}:{target.way.id}:{target.address}"
    return {
        "notice_id": notice,
        "policy_id": policy,
        "step": step,
        "channel_id": target.way.id,
        "recipient": target.address,
        "login": target.login,
        "token": hashlib.sha256(what.encode()).hexdigest()[:40],
        "state": state,
        "due_at": due_at,
        "claimed_by": None,
        "claimed_until": None,
        "attempts": 0,
        "made_at": now,
        "sent_at": now if state is State.SENT else None,
        "is_repeat": False,
        "error": "",
        "title": title,
        "body": body,
        "digest_id": None,
        "read_at": None,
        "tenant": target.tenant,
    }


def _added(pile: Mapping[str, Any], held: Sequence[Held]) -> dict[str, Any]:
    priorities = dict(pile["priorities"])
    for one in held:
        priorities[str(one.priority)] = priorities.get(str(one.priority), 0) + 1
    lines = sorted([*map(tuple, pile["lines"]), *((one.priority, one.notice) for one in held)])[:_LINES]
    ranges = joined([*map(tuple, pile["ranges"]), *((one.notice, one.notice) for one in held)])
    return {
        "language": pile["language"],
        "count": pile["count"] + len(held),
        "priorities": priorities,
        "lines": [list(line) for line in lines],
        "ranges": [list(one) for one in ranges],
    }


def joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same numbers in as few ranges as can be, both ends included."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _words(pile: Mapping[str, Any]) -> Mapping[str, str]:
    return _WORDS.get(pile["language"], _WORDS["en"])


def _title(pile: Mapping[str, Any]) -> str:
    words, language = _words(pile), pile["language"]
    counts = words["join"].join(
        words["count"].format(n=n, priority=priority_word(int(key), language))
        for key, n in sorted(pile["priorities"].items())
    )
    return words["title"].format(n=pile["count"], counts=counts)


async def _body(session: AsyncSession, pile: Mapping[str, Any], plant: Plant, zone: ZoneInfo) -> str:
    language = pile["language"]
    query = select(NoticeRow).where(NoticeRow.id.in_([number for _, number in pile["lines"]]))
    notices = {row.id: row for row in await session.scalars(query)}
    lines = []
    for priority, number in pile["lines"]:
        row = notices[number]
        at = row.at.astimezone(zone).strftime("%m-%d %H:%M")
        place = place_of(plant, row.path, language)
        title = in_language(row.text["title"], language)
        lines.append("  ".join(part for part in (at, priority_word(priority, language), title, place) if part))
    if (more := pile["count"] - len(lines)) > 0:
        lines.append(_words(pile)["more"].format(n=more))
    return "\n".join(lines)
