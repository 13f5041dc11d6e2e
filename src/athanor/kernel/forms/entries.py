"""Filling in, sending, deciding and withdrawing entries. Each is one transaction, with its history and audit trail."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.bus.port import Bus, Event
from athanor.kernel.database.database import Database
from athanor.kernel.database.tenancy import SeenDatabase
from athanor.kernel.errors import NotFoundError
from athanor.kernel.files.port import Files
from athanor.kernel.forms.building import Definitions
from athanor.kernel.forms.deciders import DECIDE, People, read_people
from athanor.kernel.forms.definition import Definition, Kind, Step, Who
from athanor.kernel.forms.errors import (
    AlreadyDecidedError,
    EntryRefusedError,
    NobodyDecidesError,
    NotYourTurnError,
)
from athanor.kernel.forms.flow import Standing, State, Verdict, needed_steps, standing
from athanor.kernel.forms.photos import delete_photo, keep_photo, read_photo
from athanor.kernel.forms.records import Pointed, decisions_of
from athanor.kernel.forms.seeing import check_sees
from athanor.kernel.forms.tables import DecisionRow, EntryRow, HistoryRow, WaitingRow
from athanor.kernel.forms.telling import tell_asked, tell_no_longer_asked
from athanor.kernel.forms.validation import MOST_BYTES_OF_VALUES, Fault, faults_of, is_signature, sent_values
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant

_OVER = {State.APPROVED: "approved", State.REJECTED: "rejected", State.RETURNED: "returned"}
_LONGEST_REASON = 2000


class Entries:
    """What people do with entries. What is not the viewer's to see is as if it were not there (NotFoundError)."""

    def __init__(
        self,
        database: Database,
        definitions: Definitions,
        bus: Bus,
        files: Files,
        plant: Callable[[], RunningPlant],
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._definitions = definitions
        self._bus = bus
        self._files = files
        self._plant = plant
        self._now = now

    async def start(
        self, viewer: User, form_id: int, values: Mapping[str, Any] | None = None, *, subject: str = ""
    ) -> int:
        """A new draft of the version that holds now: its number. It belongs to the form's tenant, or the viewer's.

        Raises NotFoundError.
        """
        form, definition = await self._definitions.published(viewer, form_id)
        now = self._now()
        async with self._seen(viewer).session() as session:
            row = EntryRow(
                tenant=viewer.tenant or form.tenant, definition_id=form.id, version=form.version, author=viewer.login,
                subject=subject, state=State.DRAFT, round=0, entered={}, made_at=now, changed_at=now,
            )  # fmt: skip
            session.add(row)
            await session.flush()
            _note(session, row, viewer.login, "made", now, {"version": form.version, "subject": subject})
            for field_id, value in (values or {}).items():
                await _put(session, row, definition, viewer.login, field_id, value, now)
            return row.id

    async def save(self, viewer: User, entry_id: int, field_id: str, value: object) -> None:
        """Keep one field as it was typed, right or wrong. Raises NotFoundError, NotYourTurnError."""
        async with self._seen(viewer).session() as session:
            row, definition = await self._own(session, viewer, entry_id)
            if definition.has(field_id) and definition.field(field_id).kind is Kind.PHOTO:
                raise NotYourTurnError("photos are added and removed one by one.")
            await _put(session, row, definition, viewer.login, field_id, value, self._now())

    async def add_photo(self, viewer: User, entry_id: int, field_id: str, name: str, content: bytes) -> dict[str, Any]:
        """Keep a picture in a photo field: `{"id", "name", "size"}`. Raises NotFoundError, BadPhotoError."""
        async with self._seen(viewer).reading() as session:
            row, definition = await self._own(session, viewer, entry_id, for_update=False)
            _check_photo_field(definition, field_id)
        photo = {"id": await keep_photo(self._files, row.id, content), "name": name[:200], "size": len(content)}
        async with self._seen(viewer).session() as session:
            row, definition = await self._own(session, viewer, entry_id)
            photos = row.entered.get(field_id) or []
            if len(photos) >= definition.field(field_id).most:
                raise EntryRefusedError([Fault(field_id, "too-many", {"most": definition.field(field_id).most})])
            await _put(session, row, definition, viewer.login, field_id, [*photos, photo], self._now())
        return photo

    async def remove_photo(self, viewer: User, entry_id: int, field_id: str, photo: str) -> None:
        """Take a picture out of a draft. One that was sent before stays among the files, as history names it."""
        async with self._seen(viewer).session() as session:
            row, definition = await self._own(session, viewer, entry_id)
            _check_photo_field(definition, field_id)
            rest = [one for one in row.entered.get(field_id) or [] if one["id"] != photo]
            await _put(session, row, definition, viewer.login, field_id, rest, self._now())
        if row.round == 0:
            await delete_photo(self._files, entry_id, photo)

    async def photo(self, viewer: User, entry_id: int, photo: str) -> tuple[bytes, str]:
        """A picture and its media type, for those who see the entry. Raises NotFoundError, FileMissingError."""
        async with self._seen(viewer).reading() as session:
            row = await _row(session, entry_id)
            definition = await self._definitions.version(session, row.definition_id, row.version)
            await check_sees(session, viewer, row, definition, await read_people(session))
        return await read_photo(self._files, entry_id, photo)

    async def submit(self, viewer: User, entry_id: int, *, address: str = "") -> State:
        """Send a draft, or one that came back: where it stands then.

        Raises NotFoundError, NotYourTurnError; EntryRefusedError and NobodyDecidesError leave it as it was.
        """
        now = self._now()
        async with self._seen(viewer).session() as session:
            row, definition = await self._own(session, viewer, entry_id)
            people = await read_people(session)
            known = Pointed(self._plant(), people, row.tenant)
            faults = faults_of(definition, row.entered, known)
            if faults:
                raise EntryRefusedError(faults)
            values = sent_values(definition, row.entered)
            _check_somebody_decides(definition, values, row, people)
            row.entered, row.round, row.sent_at = values, row.round + 1, now
            stands = standing(definition, values, {})
            _note(session, row, viewer.login, "sent", now, {"round": row.round, "values": values})
            await _stand(session, row, definition, stands, now)
            detail = {"round": row.round, "state": stands.state}
            record(session, viewer.login, "forms.entry-sent", str(entry_id), address=address, detail=detail, at=now)
        self._tell(row, "forms.entry.submitted", viewer.login, now)
        self._tell_standing(row, definition, stands, viewer.login, now)
        return stands.state

    async def decide(
        self,
        viewer: User,
        entry_id: int,
        step_id: str,
        verdict: Verdict,
        *,
        reason: str = "",
        signature: str | None = None,
        address: str = "",
    ) -> State:
        """Decide a step that is asked: where the entry stands then. Nobody decides a step a second time.

        Raises NotFoundError, NotYourTurnError, AlreadyDecidedError.
        """
        now = self._now()
        try:
            async with self._seen(viewer).session() as session:
                row = await _row(session, entry_id, for_update=True)
                definition = await self._definitions.version(session, row.definition_id, row.version)
                people = await read_people(session)
                await check_sees(session, viewer, row, definition, people)
                step = await _asked_step(session, row, definition, step_id)
                await _check_decides(session, viewer, row, step, people)
                _check_decision(step, verdict, reason, signature)
                session.add(
                    DecisionRow(
                        tenant=row.tenant, entry_id=row.id, round=row.round, step=step.id, verdict=verdict,
                        reason=reason.strip(), signature=signature, by=viewer.login, at=now,
                    )
                )  # fmt: skip
                await session.flush()
                verdicts = {one.step: one.verdict for one in await decisions_of(session, row.id, row.round)}
                stands = standing(definition, row.entered, verdicts)
                said = {"step": step.id, "verdict": verdict, "reason": reason.strip(), "round": row.round}
                _note(session, row, viewer.login, "decided", now, said)
                await _stand(session, row, definition, stands, now)
                detail = said | {"state": stands.state, "signed": signature is not None}
                record(
                    session, viewer.login, "forms.step-decided", str(entry_id), address=address, detail=detail, at=now
                )
        except IntegrityError as error:
            raise AlreadyDecidedError(step_id) from error
        self._tell_standing(row, definition, stands, viewer.login, now)
        return stands.state

    async def withdraw(self, viewer: User, entry_id: int, reason: str = "", *, address: str = "") -> None:
        """End an entry that is not over; its author and administrators may. Raises NotFoundError, NotYourTurnError."""
        now = self._now()
        async with self._seen(viewer).session() as session:
            row = await _row(session, entry_id, for_update=True)
            definition = await self._definitions.version(session, row.definition_id, row.version)
            await check_sees(session, viewer, row, definition, await read_people(session))
            if row.author != viewer.login and not viewer.may("forms.administer"):
                raise NotYourTurnError("only its author or an administrator withdraws it.")
            if State(row.state).is_over:
                raise NotYourTurnError("it is over already.")
            _note(session, row, viewer.login, "withdrawn", now, {"reason": reason.strip()[:_LONGEST_REASON]})
            await _stand(session, row, definition, Standing(State.WITHDRAWN), now)
            record(session, viewer.login, "forms.entry-withdrawn", str(entry_id), address=address, at=now)
        self._tell(row, "forms.entry.withdrawn", viewer.login, now)

    def _seen(self, viewer: User) -> Database:
        return self._database if viewer.tenants is None else SeenDatabase(self._database, viewer.tenants)

    async def _own(
        self, session: AsyncSession, viewer: User, entry_id: int, *, for_update: bool = True
    ) -> tuple[EntryRow, Definition]:
        """An entry that the viewer fills in now."""
        row = await _row(session, entry_id, for_update=for_update)
        definition = await self._definitions.version(session, row.definition_id, row.version)
        if row.author != viewer.login:
            await check_sees(session, viewer, row, definition, await read_people(session))
            raise NotYourTurnError("only its author fills it in.")
        if not State(row.state).is_authors:
            raise NotYourTurnError("it was sent; it can be changed again when a step sends it back.")
        return row, definition

    def _tell(self, row: EntryRow, topic: str, by: str, at: datetime, **more: Any) -> None:
        body = {
            "entry_id": row.id, "form_id": row.definition_id, "version": row.version, "tenant": row.tenant,
            "subject": row.subject, "author": row.author, "by": by, "values": dict(row.entered), **more,
        }  # fmt: skip
        self._bus.publish(Event(topic, body, at))

    def _tell_standing(self, row: EntryRow, definition: Definition, stands: Standing, by: str, at: datetime) -> None:
        if stands.state in _OVER:
            self._tell(row, f"forms.entry.{_OVER[stands.state]}", by, at)
        for step_id in stands.asked:
            step = definition.step(step_id)
            self._tell(row, "forms.step.asked", by, at, step=step_id, who=step.who.value, name=step.name)


async def _row(session: AsyncSession, entry_id: int, *, for_update: bool = False) -> EntryRow:
    row = await session.get(EntryRow, entry_id, with_for_update=for_update or None)
    if row is None:
        raise NotFoundError("entry", entry_id)
    return row


def _check_photo_field(definition: Definition, field_id: str) -> None:
    if not definition.has(field_id) or definition.field(field_id).kind is not Kind.PHOTO:
        raise NotFoundError("photo field", field_id)


async def _put(
    session: AsyncSession, row: EntryRow, definition: Definition, by: str, field_id: str, value: object, now: datetime
) -> None:
    """Set a field, with the old value in the history; what is typed on in the same field is one change."""
    if not definition.has(field_id) or definition.field(field_id).kind in (Kind.NOTE, Kind.COMPUTED):
        raise NotFoundError("field that is filled in", field_id)
    old = row.entered.get(field_id)
    if old == value:
        return
    entered = {**row.entered, field_id: value}
    if len(orjson.dumps(entered)) > MOST_BYTES_OF_VALUES:
        raise EntryRefusedError([Fault(field_id, "too-long", {"most": MOST_BYTES_OF_VALUES})])
    row.entered, row.changed_at = entered, now
    newest = select(HistoryRow).where(HistoryRow.entry_id == row.id).order_by(HistoryRow.id.desc()).limit(1)
    last = await session.scalar(newest)
    if last is not None and (last.what, last.by, last.detail.get("field")) == ("changed", by, field_id):
        last.detail, last.at = {**last.detail, "new": value}, now
    else:
        _note(session, row, by, "changed", now, {"field": field_id, "old": old, "new": value, "round": row.round})


def _note(session: AsyncSession, row: EntryRow, by: str, what: str, at: datetime, detail: Mapping[str, Any]) -> None:
    session.add(HistoryRow(tenant=row.tenant, entry_id=row.id, at=at, by=by, what=what, detail=dict(detail)))


async def _stand(session: AsyncSession, row: EntryRow, definition: Definition, stands: Standing, now: datetime) -> None:
    """Let the tables say where the entry stands."""
    row.state, row.changed_at = stands.state, now
    row.ended_at = now if stands.state.is_over else None
    there = set(await session.scalars(select(WaitingRow.step).where(WaitingRow.entry_id == row.id)))
    gone = delete(WaitingRow).where(WaitingRow.entry_id == row.id, WaitingRow.step.not_in(stands.asked))
    await session.execute(gone)
    await tell_no_longer_asked(session, row, sorted(there - set(stands.asked)), now)
    for step_id in stands.asked:
        if step_id not in there:
            step = definition.step(step_id)
            due_at = None if step.due_h is None else now + timedelta(hours=step.due_h)
            session.add(
                WaitingRow(
                    tenant=row.tenant, entry_id=row.id, step=step_id, who=step.who, name=step.name, asked_at=now,
                    due_at=due_at,
                )
            )  # fmt: skip
    if stands.state.is_over:
        _note(session, row, "", "ended", now, {"state": stands.state})
    await session.flush()
    if fresh := [step_id for step_id in stands.asked if step_id not in there]:
        await tell_asked(session, row, definition, fresh, await read_people(session), now)


def _check_somebody_decides(definition: Definition, values: Mapping[str, Any], row: EntryRow, people: People) -> None:
    for step in needed_steps(definition, values):
        if step.who is not Who.AUTHOR and not people.deciders(step, row.author, row.tenant, step.escalate_to):
            raise NobodyDecidesError(step.id, f"{step.who.value} {step.name}")


async def _asked_step(session: AsyncSession, row: EntryRow, definition: Definition, step_id: str) -> Step:
    asked = set(await session.scalars(select(WaitingRow.step).where(WaitingRow.entry_id == row.id)))
    if step_id in asked:
        return definition.step(step_id)
    if any(step.id == step_id for step in definition.steps):
        raise AlreadyDecidedError(step_id)
    raise NotFoundError("step", step_id)


async def _check_decides(session: AsyncSession, viewer: User, row: EntryRow, step: Step, people: People) -> None:
    waiting = select(WaitingRow.escalated_to).where(WaitingRow.entry_id == row.id, WaitingRow.step == step.id)
    person = people.by_login.get(viewer.login)
    is_asked = person is not None and people.may_decide(
        step, person, row.author, row.tenant, await session.scalar(waiting)
    )
    is_allowed = step.who is Who.AUTHOR or viewer.may(DECIDE)  # a token's scopes may hold less than its person
    if not is_asked or not is_allowed:
        raise NotYourTurnError(f"step {step.id} is for others to decide.")


def _check_decision(step: Step, verdict: Verdict, reason: str, signature: str | None) -> None:
    if verdict is not Verdict.APPROVE and not reason.strip():
        raise NotYourTurnError("a rejection, or sending it back, needs a reason.")
    if len(reason) > _LONGEST_REASON:
        raise NotYourTurnError(f"the reason has more than {_LONGEST_REASON} characters.")
    if step.signature and verdict is Verdict.APPROVE and not signature:
        raise NotYourTurnError("this step is approved with a signature.")
    if signature is not None and not is_signature(signature):
        raise NotYourTurnError("the signature cannot be read. Sign again.")
