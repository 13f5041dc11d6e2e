"""What Operations does by its schedules, on the real trail."""

from pathlib import Path

import pytest
from sqlalchemy import text

from athanor.apps.operations.handlers import verify_audit
from athanor.apps.operations.services.errors import AuditTrailBrokenError
from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.identity.audit import record
from athanor.kernel.jobs.port import Progress


async def test_a_trail_that_was_changed_from_outside_is_found(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    await upgrade(url)
    database = Database(url)
    for n in range(3):
        async with database.session() as session:
            record(session, "anna", "test.done", str(n))
    progress = Progress(tmp_path)
    assert (await verify_audit(progress, database)).summary == {"entries": 3}
    async with database.session() as session:
        triggers = await session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        for name in triggers.all():
            await session.execute(text(f"DROP TRIGGER {name}"))
        await session.execute(text("UPDATE identity_audit SET subject = 'nothing' WHERE id = 2"))
    with pytest.raises(AuditTrailBrokenError, match=r"entry 2 .* was changed"):
        await verify_audit(progress, database)
    assert dict(progress.so_far.summary) == {"entries": 1}
    await database.close()
