"""What Operations does by its schedules."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from athanor.apps.operations.services.errors import AuditTrailBrokenError, BackupFailsError
from athanor.kernel.backup.service import Backups
from athanor.kernel.database.database import Database
from athanor.kernel.identity.audit import verify
from athanor.kernel.jobs.port import JobResult, Progress
from athanor.kernel.jobs.service import JobRuns


async def verify_audit(progress: Progress, db: Database) -> JobResult:
    """Follow the audit trail from its first entry to its last. Raises AuditTrailBrokenError."""
    progress.tell(stage="verifying")
    verified = await verify(db)
    result = JobResult({"entries": verified.rows})
    progress.tell(rows=verified.rows)
    if verified.fault is not None:
        progress.keep(result)
        raise AuditTrailBrokenError(verified.fault)
    return result


async def create_backup(progress: Progress, backups: Backups) -> JobResult:
    """Make a backup where the settings say; the oldest beyond `backup.keep` go. Raises what `make_scheduled` does."""
    progress.tell(stage="copying")
    manifest = await backups.make_scheduled()
    return JobResult({"name": manifest.name, "samples": manifest.contents.samples, "bytes": manifest.size})


async def try_backup(progress: Progress, backups: Backups) -> JobResult:
    """Restore the newest backup beside the data, open it, count, and let it go. Raises BackupFailsError."""

    def tell(stage: str, share: float | None) -> None:
        progress.check_cancelled()
        progress.tell(stage=stage, fraction=share)

    trial = await backups.try_newest(tell)
    result = JobResult(trial.summary())
    if trial.faults:
        progress.keep(result)
        raise BackupFailsError(trial.name, trial.faults)
    return result


async def expire_history(runs: JobRuns, days: Annotated[int, Field(ge=1, le=3650)] = 90) -> JobResult:
    """Forget jobs that ended so many days ago, and files of jobs that are older than a day."""
    return JobResult({"forgotten": await runs.expire(timedelta(days=days))})
