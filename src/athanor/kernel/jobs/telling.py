"""What people hear of jobs: that one failed for good."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.jobs.tables import RunRow
from athanor.kernel.notify import notice
from athanor.kernel.notify.notice import Notice

_HIGH, _LOW = 2, 4


async def tell_failed(session: AsyncSession, row: RunRow, now: datetime) -> None:
    """Let hear who started it; of what a schedule started, such as a backup, whoever sees to the system."""
    error = (row.error or row.state).replace("\0", " ")
    title = row.title.replace("\0", " ")
    told = Notice(
        key=f"jobs.run:{row.id}:failed",
        topic="jobs.failed",
        subject=f"jobs.run:{row.id}",
        title={"en": f"Job {title} failed", "zh_CN": f"任务“{title}”失败"},
        detail={"en": error, "zh_CN": error},
        tenant=row.tenant,
        priority=_LOW if row.owner else _HIGH,
        category="process" if row.owner else "system",
        link=f"/operations/jobs/{row.id}",
        logins=(row.owner,) if row.owner else (),
        at=now,
    )
    await notice.put(session, [told], now)
