"""Letting go of what has come of age as a job, for whoever asks for it."""

from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import JobResult, Jobs, Progress
from athanor.kernel.storage.service import Storage

KIND = "historian.retention"  # of the jobs


def start_retention(storage: Storage, jobs: Jobs, owner: User, address: str = "") -> str:
    """Start it; returns the job's id. Its summary says what went; cancelled, the days that went stay gone."""

    async def work(progress: Progress) -> JobResult:
        def tell(done: int, of: int) -> None:
            progress.check_cancelled()
            progress.tell(stage="days", fraction=done / of if of else 1.0, rows=done)

        went = await storage.apply(owner.login, address=address, progress=tell)
        return JobResult({"days": went.days, "samples": went.samples, "bytes": went.size, "waveforms": went.waveforms})

    return jobs.start(KIND, "retention", owner, work)
