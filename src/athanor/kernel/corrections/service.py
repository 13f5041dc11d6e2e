"""Corrections of stored samples by people: recorded first, then carried out; undone without a trace in the figures.

The record, with old and new samples, is in the database before the first sample is written. Whatever interrupts the
writing, the rest is written later: a sample that is written again replaces itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import structlog

from athanor.kernel.bus.port import Bus, Event
from athanor.kernel.corrections import store
from athanor.kernel.corrections.actions import Action, SetValues
from athanor.kernel.corrections.change import Change, Samples, decode, encode, is_among, is_same
from athanor.kernel.corrections.guard import Guard, Verdict
from athanor.kernel.corrections.planning import Plan, plan, samples_among
from athanor.kernel.corrections.records import (
    CORRECTED_TOPIC,
    MOST_SAMPLES,
    AlreadyUndoneError,
    Correction,
    CorrectionPendingError,
    CorrectionState,
    NothingToCorrectError,
    OverlaidError,
    ReasonNeededError,
    SamplesCorrected,
)
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.historian.port import Historian, Span, moment
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import TagId
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import numpy_column

_log = structlog.get_logger(__name__)

TRY_AGAIN_S = 30.0

_BATCH_ROWS = 50_000  # written at a time
_MOST_LISTED = 500

_IN_WORK = 0  # stands for a correction that has no id yet


class Corrections:
    """What people may do to stored samples. One at a time; each needs a reason, and has an author.

    `plant` is always the plant as the person sees it: tags of others, and their corrections, are not there. Of tags
    that others lend, samples can be read, and corrections neither seen nor made.

    Parameters
    ----------
    most
        How many samples one correction may touch.
    try_again_s
        After so long what the historian refused is tried again. [s]
    now
        The clock, aware.
    """

    def __init__(
        self,
        database: Database,
        historian: Historian,
        current: CurrentValues,
        bus: Bus,
        *,
        most: int = MOST_SAMPLES,
        try_again_s: float = TRY_AGAIN_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._historian = historian
        self._current = current
        self._bus = bus
        self._most = most
        self._try_again_s = try_again_s
        self._now = now
        self._guard = Guard()
        self._turn = asyncio.Lock()
        self._last: tuple[int, Change] | None = None  # by the correction's id
        self._going_on: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Know what is in force, and finish what a crash interrupted. To be called before samples come in."""
        async with self._database.reading() as session:
            for tag, correction, span in await store.spans_in_force(session):
                self._guard.add(tag, correction, span)
        async with self._turn:
            with suppress(CorrectionPendingError):  # which goes on later
                await self._finish_unfinished()

    async def close(self) -> None:
        """Stop trying; what is not finished is finished after the next start."""
        if self._going_on is not None:
            self._going_on.cancel()
            await asyncio.gather(self._going_on, return_exceptions=True)

    # --- asking

    async def preview(self, plant: RunningPlant, path: str, action: Action) -> Plan:
        """What the action would change.

        Raises NotFoundError, LentForReadingError, CorrectionImpossibleError, TooManySamplesError.
        """
        plant.check_owned(path)
        tag, tag_id = plant.model.tag(path), plant.id_of(path)
        return await plan(self._historian, tag, tag_id, action, now=self._now(), most=self._most)

    async def over(self, plant: RunningPlant, paths: Sequence[str], span: Span) -> list[Correction]:
        """Corrections of these tags that share time with the span, newest first, at most 500. Raises NotFoundError."""
        ids = zip(paths, plant.ids_of(paths).tolist(), strict=True)
        tags = [TagId(one) for path, one in ids if plant.owns(path)]
        async with self._database.reading() as session:
            return await store.find_over(session, tags, span, _MOST_LISTED)

    async def get(self, plant: RunningPlant, correction: int) -> Correction:
        """One correction. Raises NotFoundError, also for one of a tag that the person does not see."""
        async with self._database.reading() as session:
            found = await store.find(session, correction)
        if found is None or not _is_own(plant, found.tag):
            raise NotFoundError("correction", correction)
        return found

    async def change(self, plant: RunningPlant, correction: int) -> Change:
        """The samples before and after a correction, as it was made. Raises NotFoundError."""
        return await self._change((await self.get(plant, correction)).id)

    async def overwritten(self, plant: RunningPlant, correction: int) -> int:
        """How many samples are no longer what the correction made them: imported or corrected since.

        0 for one that is undone. Raises NotFoundError.
        """
        found = await self.get(plant, correction)
        if not found.state.is_in_force:
            return 0
        change = await self._change(correction)
        return len(change) - int(np.count_nonzero(await self._still_new(found, change)))

    # --- doing

    async def correct(
        self, plant: RunningPlant, path: str, action: Action, *, reason: str, author: User, address: str = ""
    ) -> Correction:
        """Carry out an action. On return it is durable, visible and told on the bus.

        Raises NotFoundError, LentForReadingError, ReasonNeededError, CorrectionImpossibleError, TooManySamplesError,
        NothingToCorrectError; CorrectionPendingError where it is recorded, and is finished later.
        """
        plant.check_owned(path)
        tag_id, reason = plant.id_of(path), _given(reason)
        async with self._turn:
            await self._finish_unfinished(tag_id)
            async with self._watched(tag_id, action.span):
                change = (await self.preview(plant, path, action)).change
                if not len(change):
                    raise NothingToCorrectError(path)
                correction = await self._record(path, tag_id, action, change, reason, author, address)
                self._guard.add(tag_id, correction.id, correction.span)
            return await self._finish(correction)

    async def undo(
        self, plant: RunningPlant, correction: int, *, reason: str, author: User, address: str = ""
    ) -> Correction:
        """Write the samples back that were there before, where they are still what the correction made them.

        A sample that was added becomes bad and without a value. Raises NotFoundError, ReasonNeededError,
        AlreadyUndoneError, OverlaidError; CorrectionPendingError where it is recorded, and is finished later.
        """
        reason = _given(reason)
        async with self._turn:
            await self._finish_unfinished((await self.get(plant, correction)).tag)
            found = await self.get(plant, correction)
            if not found.state.is_in_force:
                raise AlreadyUndoneError(correction)
            change = await self._change(correction)
            await self._check_nothing_lies_on(found, change)
            async with self._database.session() as session:
                await store.begin_undoing(session, correction, reason=reason, author=author.login, at=self._now())
                path, detail = plant.path_of(found.tag), {"correction": correction, "reason": reason}
                record(session, author.login, "historian.correction-undone", path, address=address, detail=detail)
            return await self._finish(replace(found, state=CorrectionState.UNDOING))

    async def verdict(self, samples: pa.RecordBatch) -> npt.NDArray[np.uint8] | None:
        """What is to become of samples that come in (STORED): a `Verdict` for each, or None where all pass.

        Waits for a correction of their time that is being carried out. [N]
        """
        tag, time_us = numpy_column(samples, "tag"), numpy_column(samples, "time")
        if not len(self._guard.rows_in(tag, time_us)):
            return None
        async with self._turn:
            rows = self._guard.rows_in(tag, time_us)
            verdict = np.zeros(len(tag), np.uint8)
            for one in np.unique(tag[rows]).tolist():
                mine = rows[tag[rows] == one]
                verdict[mine] = await self._verdict(TagId(one), Samples.of(samples.take(pa.array(mine))))
            return verdict

    # --- how it is done

    async def _record(
        self, path: str, tag: TagId, action: Action, change: Change, reason: str, author: User, address: str
    ) -> Correction:
        """The correction in the database, pending."""
        fresh = Correction(
            id=_IN_WORK,
            tag=tag,
            action=action,
            span=_span_of(change),
            samples=len(change),
            added=change.added,
            reason=reason,
            author=author.login,
            made_at=self._now(),
            state=CorrectionState.PENDING,
        )
        body = await asyncio.to_thread(encode, change)
        async with self._database.session() as session:
            made = await store.insert(session, fresh, body)
            detail = {"correction": made.id, "kind": action.kind, "samples": len(change), "reason": reason}
            record(session, author.login, "historian.samples-corrected", path, address=address, detail=detail)
        return made

    async def _finish(self, correction: Correction) -> Correction:
        """Carry out, or take back, what is recorded. Raises CorrectionPendingError where that does not work now."""
        try:
            change = await self._change(correction.id)
            if correction.state is CorrectionState.PENDING:
                return await self._carry_out(correction, change)
            return await self._take_back(correction, change)
        except AthanorError as error:
            self._go_on_later(correction, error)
            raise CorrectionPendingError(correction.id, error) from error

    async def _carry_out(self, correction: Correction, change: Change) -> Correction:
        await self._write(correction, change.new)
        async with self._database.session() as session:
            done = await store.finish(session, correction.id, CorrectionState.DONE)
        self._tell(done)
        return done

    async def _take_back(self, correction: Correction, change: Change) -> Correction:
        is_new = await self._still_new(correction, change)
        await self._write(correction, change.old.take(is_new))
        async with self._database.session() as session:
            restored = int(np.count_nonzero(is_new))
            undone = await store.finish(session, correction.id, CorrectionState.UNDONE, restored)
        self._guard.remove(correction.tag, correction.id)
        self._tell(undone)
        return undone

    async def _write(self, correction: Correction, samples: Samples) -> None:
        for batch in _batches(samples, correction.tag):
            await self._historian.write(batch)
            self._current.update(batch)

    def _tell(self, correction: Correction) -> None:
        is_undone = correction.state is CorrectionState.UNDONE
        body = SamplesCorrected(correction.tag, correction.span, correction.id, is_undone)
        self._bus.publish(Event(CORRECTED_TOPIC, body, self._now()))

    async def _change(self, correction: int) -> Change:
        """The samples of a correction; those asked for last are at hand, as late batches ask for the same again."""
        if self._last is None or self._last[0] != correction:
            async with self._database.reading() as session:
                body = await store.change_body(session, correction)
            self._last = (correction, await asyncio.to_thread(decode, body))
        return self._last[1]

    async def _still_new(self, correction: Correction, change: Change) -> npt.NDArray[np.bool_]:
        """True where what is stored is what the correction made it. [N]"""
        is_scattered = isinstance(correction.action, SetValues)
        times = change.new.time_us
        stored = await samples_among(self._historian, correction.tag, times, is_scattered=is_scattered)
        place = np.searchsorted(change.new.time_us, stored.time_us)
        is_new = np.zeros(len(change), bool)
        is_new[place] = is_same(stored, change.new.take(place))
        return is_new

    async def _check_nothing_lies_on(self, correction: Correction, change: Change) -> None:
        """Raises OverlaidError where a later correction in force has changed one of the samples again."""
        for later in reversed(list(self._guard.corrections_over(correction.tag, correction.span))):
            if later > correction.id and is_among((await self._change(later)).new.time_us, change.new.time_us).any():
                raise OverlaidError(correction.id, later)

    async def _verdict(self, tag: TagId, samples: Samples) -> npt.NDArray[np.uint8]:
        """A `Verdict` for each of a tag's samples, in any order."""
        verdict = np.zeros(len(samples), np.uint8)
        span = Span(moment(int(samples.time_us.min())), moment(int(samples.time_us.max()) + 1))
        for correction in self._guard.corrections_over(tag, span):
            change = await self._change(correction)
            place = np.minimum(np.searchsorted(change.new.time_us, samples.time_us), len(change) - 1)
            is_held = change.new.time_us[place] == samples.time_us
            is_known = is_held & change.was_there[place] & is_same(samples, change.old.take(place))
            found = np.where(is_known, Verdict.KNOWN, np.where(is_held, Verdict.CORRECTED, Verdict.PASS))
            verdict = np.maximum(verdict, found.astype(np.uint8))
        return verdict

    @asynccontextmanager
    async def _watched(self, tag: TagId, span: Span) -> AsyncIterator[None]:
        """Samples that come in for this time wait until it is known what becomes of it."""
        self._guard.add(tag, _IN_WORK, span)
        try:
            yield
        finally:
            self._guard.remove(tag, _IN_WORK)

    # --- what was interrupted

    async def _finish_unfinished(self, tag: TagId | None = None) -> None:
        """Of one tag or of all; one that cannot be finished yet holds up its own tag only.

        Raises CorrectionPendingError for the first that could not.
        """
        async with self._database.reading() as session:
            unfinished = await store.find_unfinished(session, tag)
        failed: dict[TagId, CorrectionPendingError] = {}
        for correction in unfinished:
            if correction.tag in failed:
                continue
            try:
                await self._finish(correction)
            except CorrectionPendingError as error:
                failed[correction.tag] = error
            else:
                _log.info("corrections.finished", correction=correction.id)
        if failed:
            raise next(iter(failed.values()))

    def _go_on_later(self, correction: Correction, reason: AthanorError) -> None:
        if self._going_on is None or self._going_on.done():
            _log.warning("corrections.pending", correction=correction.id, reason=str(reason))
            self._going_on = asyncio.create_task(self._go_on(), name="corrections")

    async def _go_on(self) -> None:
        """Try again until all is finished."""
        is_finished = False
        while not is_finished:
            await asyncio.sleep(self._try_again_s)
            async with self._turn:
                with suppress(CorrectionPendingError):  # said once
                    await self._finish_unfinished()
                    is_finished = True


def _given(reason: str) -> str:
    if not reason.strip():
        raise ReasonNeededError
    return reason.strip()


def _is_own(plant: RunningPlant, tag: TagId) -> bool:
    try:
        return plant.owns(plant.path_of(tag))
    except NotFoundError:
        return False


def _span_of(change: Change) -> Span:
    times = change.new.time_us
    return Span(moment(int(times[0])), moment(int(times[-1]) + 1))


def _batches(samples: Samples, tag: TagId) -> Iterator[pa.RecordBatch]:
    for first in range(0, len(samples), _BATCH_ROWS):
        yield samples.take(np.arange(first, min(first + _BATCH_ROWS, len(samples)))).stored(tag)
