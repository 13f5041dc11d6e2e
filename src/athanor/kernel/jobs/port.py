"""The contract of jobs: work that takes longer than a request, and what people see of it."""

import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.user import User

ADMINISTER = "jobs.administer"  # who may see and cancel other people's jobs


class JobState(StrEnum):
    """Where a job stands. The last four are for good."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # its server died

    @property
    def is_over(self) -> bool:
        return self not in (JobState.QUEUED, JobState.RUNNING)


class JobCancelledError(AthanorError):
    """A job was cancelled by its owner or an administrator, or because the server stops."""

    code = "jobs.cancelled"

    def __init__(self) -> None:
        super().__init__("The job was cancelled. What it had finished until then stays; start it again if needed.")


class JobFailedError(AthanorError):
    """A job met something that Athanor did not expect."""

    code = "jobs.failed"

    def __init__(self, reference: str) -> None:
        super().__init__(
            f"The job failed in a way that Athanor did not expect. The server's log tells more under {reference}."
        )


class JobTimeoutError(AthanorError):
    """A job took longer than its kind may."""

    code = "jobs.timeout"

    def __init__(self, kind: str, timeout_s: float) -> None:
        super().__init__(
            f"The job was ended since it took longer than {timeout_s:g} s, the most that {kind} may. Look at what it "
            "waited for; start it again, or with less to do at once."
        )


class JobInterruptedError(AthanorError):
    """The server that ran a job ended, or lost the database for too long, before the job was over."""

    code = "jobs.interrupted"

    def __init__(self, server: str) -> None:
        super().__init__(
            f"The server {server} ended, or lost the database, before the job was over. What it had finished until "
            "then stays; start it again if needed."
        )


class NoJobFileError(AthanorError):
    """A job has no file for download: it made none, is not done, or its file was removed after a day."""

    code = "jobs.no-file"

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"Job {job_id} has no file. Files come when a job is done and are removed after a day; start it again."
        )


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job made.

    Parameters
    ----------
    summary
        A few figures and texts, JSON as they stand, such as {"rows": 1000000}.
    file
        A file for download, in the job's folder.
    file_name
        What the browser shall call it; the file's own name where left out.
    """

    summary: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None
    file_name: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands at one moment. `error` and `error_code` are those of the AthanorError that ended it."""

    id: str
    kind: str  # what sort of work, `<app>.<noun>`: data.import
    title: str  # what a person calls it, such as a file's name
    owner: str  # login
    tenant: str | None  # the owner's; None for the park's own people
    state: JobState
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stage: str = ""  # what it does now, a word that the pages of its kind have a text for
    fraction: float | None = None  # done so far, 0 to 1; None while nobody knows
    rows: int | None = None  # done so far
    error: str | None = None
    error_code: str | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    file_name: str | None = None
    file_bytes: int | None = None
    attempt: int = 1  # which this is
    attempts: int = 1  # how many there may be
    server: str = ""  # which runs it, or ran it
    due_at: datetime | None = None  # when its schedule wanted it; None where somebody started it
    start_after: datetime | None = None  # when it may begin, or be tried again
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def is_visible_to(self, viewer: User) -> bool:
        """To its owner; to administrators of the park, and of the owner's enterprise."""
        is_above = viewer.may(ADMINISTER) and (viewer.tenants is None or self.tenant in viewer.tenants)
        return viewer.login == self.owner or is_above


class Progress:
    """How work says where it is and hears whether it shall go on. Safe from any thread.

    `folder` is the job's own, for what it makes on the way; it goes when the job is forgotten.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stage = ""
        self.fraction: float | None = None
        self.rows: int | None = None
        self.so_far = JobResult()
        self._cancelled = threading.Event()

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody wants the work to stop."""
        return self._cancelled.is_set()

    def tell(self, *, stage: str | None = None, fraction: float | None = None, rows: int | None = None) -> None:
        """Say what is new; what is left out stays as it was. `stage` is a word for which pages have a text."""
        self.stage = self.stage if stage is None else stage
        self.fraction = self.fraction if fraction is None else min(max(fraction, 0.0), 1.0)
        self.rows = self.rows if rows is None else rows

    def keep(self, result: JobResult) -> None:
        """What there is to show by now. It stays when the work fails or is cancelled, and is shown while it runs."""
        self.so_far = result

    def check_cancelled(self) -> None:
        """To be called between pieces of work, some times a second. Raises JobCancelledError."""
        if self._cancelled.is_set():
            raise JobCancelledError

    def cancel(self) -> None:
        """Let the next `check_cancelled` raise."""
        self._cancelled.set()


Work = Callable[[Progress], Awaitable[JobResult | None]]


class Jobs(Protocol):
    """Runs long work: a few jobs at once, the others in the order they came.

    A viewer sees their own jobs; an administrator those of everybody in the same enterprise, the park's of all.
    Other people's jobs are as if they were not there.
    """

    def start(self, kind: str, title: str, owner: User, work: Work) -> str:
        """Queue work and return the job's id at once.

        What `work` raises ends the job as failed: an AthanorError with its text, any other with a reference to the
        log. What it returns, or else kept last, is the job's result.
        """

    def get(self, job_id: str, viewer: User) -> Job:
        """A job as it stands now. Raises NotFoundError."""

    def jobs(self, viewer: User, kind: str | None = None) -> Sequence[Job]:
        """The jobs that are there, newest first; of one kind, where given."""

    def cancel(self, job_id: str, viewer: User) -> None:
        """Let a job end: a queued one at once, a running one at its next check. One that is over stays so.

        Raises NotFoundError.
        """

    def file(self, job_id: str, viewer: User) -> Path:
        """The file that a job made. Raises NotFoundError, NoJobFileError."""

    async def wait(self, job_id: str, viewer: User) -> Job:
        """The job once it is over. Raises NotFoundError."""

    async def close(self) -> None:
        """Cancel what runs or waits, and return when all have ended."""
