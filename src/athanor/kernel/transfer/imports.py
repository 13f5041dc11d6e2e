"""Bringing history in, as people and programs do it: send a file, look at it, try it, import it.

The port `imports`. Each step asks for the person, and sees the plant as that person does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from athanor.kernel.bus.port import Bus
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import Historian, microseconds
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import JobCancelledError, JobResult, Jobs, Progress
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.assembling import Assembler
from athanor.kernel.transfer.errors import BadPlanError
from athanor.kernel.transfer.examining import Examined, Question, examine
from athanor.kernel.transfer.importing import PIECE_ROWS, HistoryImport, Source, Target
from athanor.kernel.transfer.matching import Matcher
from athanor.kernel.transfer.plan import ImportPlan, plan_of
from athanor.kernel.transfer.previewing import Preview, preview
from athanor.kernel.transfer.uploads import Upload, Uploads

KIND, TRIAL_KIND = "data.import", "data.import-trial"  # of jobs
_MATCHERS = 16  # kept, one for each set of tenants

_ASKED = {
    Question.NO_TIME: "no column holds times. Say which does in time.columns, and how they are written in time.layout.",
    Question.DAY_OR_MONTH: "its dates can be read as day and month or as month and day. Say dmy or mdy in time.layout.",
    Question.DECIMAL: "its numbers such as 1,234 can be read in two ways. Say . or , in file.dialect.decimal.",
    Question.NO_TAGS: "no column's name is a tag's. Map columns to tags.",
    Question.NO_ROLES: "which column is the tag and which the value is not clear. Say so in long.tag and long.value.",
}


class Imports:
    """What a person can do to bring history in.

    Parameters
    ----------
    plant
        The plant that runs, asked anew each time.
    max_ahead, oldest
        What times are impossible, as for live samples.
    piece_rows
        So many samples are stored at once.
    """

    def __init__(
        self,
        *,
        plant: Callable[[], RunningPlant],
        historian: Historian,
        current: CurrentValues,
        bus: Bus,
        database: Database,
        jobs: Jobs,
        uploads: Uploads,
        max_ahead: timedelta,
        oldest: datetime,
        piece_rows: int = PIECE_ROWS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._plant = plant
        self._target = Target(historian, current, bus)
        self._database = database
        self._jobs = jobs
        self._uploads = uploads
        self._max_ahead = max_ahead
        self._oldest_us = microseconds(oldest)
        self._piece_rows = piece_rows
        self._now = now
        self._matchers: dict[tuple[int, frozenset[str] | None], Matcher] = {}

    @property
    def most_bytes(self) -> int:
        """The largest file that is taken."""
        return self._uploads.most_bytes

    async def receive(
        self, name: str, viewer: User, parts: AsyncIterator[bytes], *, expected_bytes: int | None = None
    ) -> Upload:
        """Take a file in, as it comes. Raises FileTooLargeError, NoRoomForFileError."""
        return await self._uploads.receive(name, viewer, parts, expected_bytes=expected_bytes)

    def upload(self, upload_id: str, viewer: User) -> Upload:
        """A file that the viewer sent. Raises NotFoundError."""
        return self._uploads.get(upload_id, viewer)

    def forget(self, upload_id: str, viewer: User) -> None:
        """Remove a file. Raises NotFoundError."""
        self._uploads.forget(self._uploads.get(upload_id, viewer))

    async def examine(self, upload_id: str, viewer: User, over: Mapping[str, Any] | None = None) -> Examined:
        """What a file seems to be; `over` is what of a plan the person has decided. Raises BadFileError."""
        upload = self._uploads.get(upload_id, viewer)
        return await self.examine_file(upload.path, upload.name, viewer, over)

    async def examine_file(
        self, path: Path, name: str, viewer: User, over: Mapping[str, Any] | None = None
    ) -> Examined:
        """The same for a file on this machine."""
        matcher = self.matcher(viewer)
        return await asyncio.to_thread(examine, path, name, matcher.plant, matcher, over)

    async def preview(self, upload_id: str, viewer: User, examined: Examined, plan: ImportPlan) -> Preview:
        """The first rows as the plan reads them. Raises BadFileError, BadPlanError and the errors of units."""
        upload = self._uploads.get(upload_id, viewer)
        source = self._source(upload.path, upload.name, viewer, examined, plan)
        return await asyncio.to_thread(preview, source)

    def start(
        self,
        upload_id: str,
        viewer: User,
        examined: Examined,
        plan: ImportPlan,
        *,
        is_trial: bool,
        address: str = "",
        reasons: Mapping[str, str] | None = None,
    ) -> str:
        """Begin an import, or its trial, as a job; returns its id.

        Raises NotFoundError, BadPlanError and the errors of units: then nothing has begun.
        """
        upload = self._uploads.get(upload_id, viewer)
        source = self._source(upload.path, upload.name, viewer, examined, plan)

        async def work(progress: Progress) -> JobResult:
            with self._uploads.held(upload):
                result = await self.carry_out(
                    source, viewer, progress, is_trial=is_trial, address=address, reasons=reasons or {}
                )
            if not is_trial:
                self._uploads.forget(upload)
            return result

        return self._jobs.start(TRIAL_KIND if is_trial else KIND, upload.name, viewer, work)

    async def import_file(
        self, path: Path, name: str, viewer: User, examined: Examined, plan: ImportPlan, progress: Progress, **how: Any
    ) -> JobResult:
        """The same at once, for a file on this machine: see `carry_out` for `how`, and its errors."""
        return await self.carry_out(self._source(path, name, viewer, examined, plan), viewer, progress, **how)

    async def carry_out(
        self,
        source: Source,
        viewer: User,
        progress: Progress,
        *,
        is_trial: bool,
        address: str = "",
        reasons: Mapping[str, str],
    ) -> JobResult:
        """Import a file, with a note of its beginning and its end in the audit trail."""
        target = None if is_trial else self._target
        work = HistoryImport(source, target, progress, reasons=reasons, piece_rows=self._piece_rows)
        if is_trial:
            return await work.run()
        await self._note(viewer, "data.import-begun", source, address, {})
        outcome = "failed"
        try:
            result = await work.run()
            outcome = "succeeded"
        except JobCancelledError:
            outcome = "cancelled"
            raise
        finally:
            tally = work.tally
            detail = {
                "outcome": outcome,
                "rows": tally.rows,
                "stored": tally.stored,
                "refused": tally.refused.total(),
                "tags": len(tally.by_tag),
                "first_us": tally.first_us,
                "last_us": tally.last_us,
            }
            await asyncio.shield(self._note(viewer, "data.history-imported", source, address, detail))
        return result

    def matcher(self, viewer: User) -> Matcher:
        """What names mean to a viewer; it has the plant as the viewer sees it."""
        plant = self._plant()
        key = (plant.version, viewer.tenants)
        if key not in self._matchers:
            if len(self._matchers) >= _MATCHERS or any(version != plant.version for version, _ in self._matchers):
                self._matchers.clear()
            self._matchers[key] = Matcher(plant.visible_to(viewer.tenants))
        return self._matchers[key]

    def plan(self, examined: Examined) -> ImportPlan:
        """The plan that was proposed, with what a person decided. Raises BadPlanError where something is still open."""
        for question in examined.questions:
            if question in _ASKED:
                raise BadPlanError(_ASKED[question])
        return plan_of(examined.content)

    def _source(self, path: Path, name: str, viewer: User, examined: Examined, plan: ImportPlan) -> Source:
        matcher = self.matcher(viewer)
        assembler = Assembler(
            plan,
            matcher.plant,
            matcher,
            examined.names,
            oldest_us=self._oldest_us,
            newest_us=microseconds(self._now() + self._max_ahead),
        )
        return Source(path, name, plan, tuple(examined.names), matcher.plant, assembler)

    async def _note(self, viewer: User, action: str, source: Source, address: str, detail: Mapping[str, Any]) -> None:
        async with self._database.session() as session:
            record(session, viewer.login, action, source.name, address=address, detail=detail)
