"""Saying that something happened that people may have to hear of. Who hears of it is the policies' business."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.bulk import run
from athanor.kernel.notify.tables import NoticeRow


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened.

    Parameters
    ----------
    key
        What makes it this one and no other, such as `alarms.occurrence:12:raised`; a second of the same key is none.
    topic
        `<kernel room or app>.<what happened>`: `alarms.raised`, `forms.step.overdue`, `backup.failed`.
    subject
        What it is about, such as `alarms.occurrence:12`.
    title, detail
        By language.
    tenant
        Whose it is; None for the park's.
    path
        Tag or node concerned, "" for none.
    priority, category
        As of alarm rules: `rule.Priority`, `rule.Category`.
    link
        The page to open, from the site's root.
    logins
        Who hear of it whatever the policies say, as of a task that was given to them.
    is_late
        Of long ago: it goes into a digest.
    is_over
        It ends what an earlier notice of the same subject began (acknowledged, closed): nothing of that escalates.
    """

    key: str
    topic: str
    subject: str
    title: dict[str, str]
    detail: dict[str, str] = field(default_factory=dict)
    tenant: str | None = None
    path: str = ""
    priority: int = 4
    category: str = "system"
    link: str = ""
    logins: tuple[str, ...] = ()
    is_late: bool = False
    is_over: bool = False
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


async def put(session: AsyncSession, notices: Sequence[Notice], now: datetime) -> None:
    """Keep notices with the caller's commit; those whose key is there already are left as they are.

    Pass a session of the whole database: whoever causes a notice need not be of its tenant.
    """
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    rows = [
        {
            "key": one.key,
            "topic": one.topic,
            "subject": one.subject,
            "path": one.path,
            "priority": one.priority,
            "category": one.category,
            "text": {"title": one.title, "detail": one.detail},
            "link": one.link,
            "logins": list(one.logins),
            "is_late": one.is_late,
            "is_over": one.is_over,
            "tenant": one.tenant,
            "at": one.at,
            "made_at": now,
            "routed_at": None,
        }
        for one in notices
    ]
    await run(session, insert(NoticeRow).on_conflict_do_nothing(), rows)  # 100,000 alarms may be raised at once


async def is_there(session: AsyncSession, key: str) -> bool:
    """Whether a notice of this key was given."""
    return await session.scalar(select(NoticeRow.id).where(NoticeRow.key == key)) is not None


async def by_key(session: AsyncSession, key: str) -> NoticeRow:
    """The notice that was given under this key."""
    return (await session.scalars(select(NoticeRow).where(NoticeRow.key == key))).one()
