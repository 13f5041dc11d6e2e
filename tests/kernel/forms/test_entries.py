import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.bus.port import Event
from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.forms.building import exported, imported
from athanor.kernel.forms.definition import BadDefinitionError, Definition, read_definition
from athanor.kernel.forms.errors import (
    AlreadyDecidedError,
    BadPhotoError,
    ChangedMeanwhileError,
    EntryRefusedError,
    NobodyDecidesError,
    NotYourTurnError,
)
from athanor.kernel.forms.flow import State, Verdict
from athanor.kernel.forms.service import Forms
from athanor.kernel.forms.tables import DecisionRow
from athanor.kernel.identity.audit import verify
from athanor.kernel.identity.tables import AuditRow, DepartmentRow, UserRow
from athanor.kernel.identity.user import User
from athanor.kernel.notify.tables import NoticeRow
from athanor.kernel.plant.model import Plant
from athanor.kernel.plant.running import RunningPlant

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLANT = RunningPlant(Plant("park", {"en": "Park"}, "Asia/Shanghai", {}, {}), 1, {})
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
PEOPLE: Mapping[str, tuple[str, str | None]] = {
    "boss": ("administrator", None),
    "cadmin": ("administrator", "copper"),
    "lead": ("engineer", "copper"),
    "second": ("engineer", "copper"),
    "writer": ("operator", "copper"),
    "other": ("operator", "copper"),
    "looker": ("viewer", "copper"),
    "stranger": ("engineer", "carbon"),
}
WHO = {
    login: User(number, login, login.title(), (role,), tenant)
    for number, (login, (role, tenant)) in enumerate(PEOPLE.items(), 1)
}


class Clock:
    """What time it is said to be."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def heard(bus: MemoryBus) -> list[Event]:
    events: list[Event] = []

    async def hear(event: Event) -> None:
        events.append(event)

    for topic in (
        "entry.submitted",
        "entry.approved",
        "entry.rejected",
        "entry.returned",
        "entry.withdrawn",
        "step.overdue",
        "step.escalated",
    ):
        bus.subscribe(f"forms.{topic}", hear, name="test")
    return events


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    running = MemoryBus()
    yield running
    await running.close()


@pytest.fixture
async def forms(database: Database, bus: MemoryBus, clock: Clock, tmp_path: Path) -> Forms:
    async with database.session() as session:
        session.add_all(
            [
                DepartmentRow(id=1, tenant="copper", above_id=None, name="Works"),
                DepartmentRow(id=2, tenant="copper", above_id=1, name="Bath"),
            ]
        )
        await session.flush()
        for login, (role, tenant) in PEOPLE.items():
            department = {"writer": 2, "lead": 1, "second": 2}.get(login)
            post = "Manager" if login == "lead" else ""
            session.add(
                UserRow(
                    login=login, name=login.title(), roles=[role], tenant=tenant, password_hash="", created_at=NOON,
                    recovery_hashes=[], department_id=department, post=post,
                )
            )  # fmt: skip
    return Forms(database, bus, FolderFiles(tmp_path / "files"), lambda: PLANT, now=clock)


def definition(*steps: dict[str, Any], **more: Any) -> Definition:
    fields = [
        {"id": "amount", "kind": "number", "required": True, "min": 0},
        {"id": "note", "kind": "text"},
        {"id": "photo", "kind": "photo", "most": 2},
    ]
    return read_definition({"title": {"en": "Sheet"}, "fields": fields, "steps": list(steps), **more})


ENGINEER = {"id": "check", "who": "role", "name": "engineer"}
LEAD = {"id": "approve", "who": "person", "name": "lead"}


async def made(forms: Forms, wanted: Definition, *, by: str = "cadmin", key: str = "sheet") -> int:
    form_id = await forms.definitions.make(WHO[by], key, wanted)
    await forms.definitions.publish(WHO[by], form_id)
    return form_id


async def sent(forms: Forms, form_id: int, *, by: str = "writer", amount: float = 5.0) -> int:
    entry = await forms.entries.start(WHO[by], form_id, {"amount": amount})
    await forms.entries.submit(WHO[by], entry)
    return entry


async def decide(forms: Forms, entry: int, by: str, step: str, verdict: Verdict = Verdict.APPROVE) -> State:
    return await forms.entries.decide(WHO[by], entry, step, verdict, reason="because")


async def test_an_entry_goes_through_its_steps_and_is_approved(
    forms: Forms, bus: MemoryBus, heard: list[Event]
) -> None:
    entry = await sent(forms, await made(forms, definition(ENGINEER, LEAD)))
    assert [one.entry.id for one in await forms.seeing.waiting(WHO["second"])] == [entry]
    assert await decide(forms, entry, "second", "check") is State.AT_STEP
    assert [one.asked.step.id for one in await forms.seeing.waiting(WHO["lead"])] == ["approve"]
    assert await decide(forms, entry, "lead", "approve") is State.APPROVED
    dossier = await forms.seeing.get(WHO["writer"], entry)
    assert [one.what for one in dossier.history] == ["made", "changed", "sent", "decided", "decided", "ended"]
    assert (dossier.asked, dossier.entry.ended_at) == ([], NOON)
    await bus.close()
    assert [event.topic for event in heard] == ["forms.entry.submitted", "forms.entry.approved"]
    assert heard[-1].body["values"] == {"amount": 5.0}


async def test_each_decision_is_in_the_audit_trail(forms: Forms, database: Database) -> None:
    entry = await sent(forms, await made(forms, definition(ENGINEER)))
    await decide(forms, entry, "lead", "check", Verdict.REJECT)
    async with database.reading() as session:
        row = (await session.scalars(select(AuditRow).where(AuditRow.action == "forms.step-decided"))).one()
    assert (row.actor, row.subject) == ("lead", str(entry))
    assert row.detail["verdict"] == "reject"
    assert (await verify(database)).is_whole


async def test_what_is_sent_back_is_changed_and_decided_anew(forms: Forms) -> None:
    entry = await sent(forms, await made(forms, definition(ENGINEER, LEAD)))
    await decide(forms, entry, "second", "check")
    assert await decide(forms, entry, "lead", "approve", Verdict.SEND_BACK) is State.RETURNED
    await forms.entries.save(WHO["writer"], entry, "amount", 7.0)
    assert await forms.entries.submit(WHO["writer"], entry) is State.AT_STEP
    dossier = await forms.seeing.get(WHO["writer"], entry)
    assert [one.step.id for one in dossier.asked] == ["check"]
    changes = [one.detail for one in dossier.history if one.what == "changed"]
    assert [(one["field"], one["old"], one["new"]) for one in changes] == [("amount", None, 5.0), ("amount", 5.0, 7.0)]


async def test_a_draft_keeps_what_was_typed_and_is_refused_when_sent(forms: Forms) -> None:
    form_id = await made(forms, definition())
    entry = await forms.entries.start(WHO["writer"], form_id)
    for typed in ("5", "5 t", "5 to"):
        await forms.entries.save(WHO["writer"], entry, "amount", typed)
    with pytest.raises(EntryRefusedError, match="amount: this is no number"):
        await forms.entries.submit(WHO["writer"], entry)
    dossier = await forms.seeing.get(WHO["writer"], entry)
    assert dossier.entry.values["amount"] == "5 to"
    assert [one.what for one in dossier.history] == ["made", "changed"]  # typed on: one change


@pytest.mark.parametrize("login", ["writer", "looker", "other", "cadmin", "boss", "stranger"])
async def test_nobody_decides_whom_the_step_does_not_ask(forms: Forms, login: str) -> None:
    entry = await sent(forms, await made(forms, definition(ENGINEER)))
    with pytest.raises((NotYourTurnError, NotFoundError)):
        await decide(forms, entry, login, "check")


async def test_the_author_decides_only_where_the_step_says_so(forms: Forms) -> None:
    entry = await sent(forms, await made(forms, definition(ENGINEER)), by="lead")
    with pytest.raises(NotYourTurnError):
        await decide(forms, entry, "lead", "check")
    own = await sent(forms, await made(forms, definition({"id": "me", "who": "author"}), key="own"))
    assert await decide(forms, own, "writer", "me") is State.APPROVED


async def test_a_post_is_looked_for_in_the_authors_department_and_above(forms: Forms) -> None:
    entry = await sent(forms, await made(forms, definition({"id": "head", "who": "post", "name": "manager"})))
    assert (await forms.seeing.get(WHO["writer"], entry)).asked[0].deciders == ("lead",)
    assert await decide(forms, entry, "lead", "head") is State.APPROVED


async def test_an_entry_that_nobody_could_decide_stays_a_draft(forms: Forms) -> None:
    form_id = await made(forms, definition({"id": "s", "who": "role", "name": "nobody-has-this"}))
    entry = await forms.entries.start(WHO["writer"], form_id, {"amount": 1})
    with pytest.raises(NobodyDecidesError, match="nobody-has-this"):
        await forms.entries.submit(WHO["writer"], entry)
    assert (await forms.seeing.get(WHO["writer"], entry)).entry.state is State.DRAFT


async def test_two_people_at_once_decide_a_step_only_once(forms: Forms, database: Database) -> None:
    entry = await sent(forms, await made(forms, definition(ENGINEER)))
    outcomes = await asyncio.gather(
        *(
            decide(forms, entry, login, "check", verdict)
            for login in ("lead", "second")
            for verdict in (Verdict.APPROVE, Verdict.REJECT)
        ),
        return_exceptions=True,
    )
    ended = [one for one in outcomes if isinstance(one, State)]
    assert len(ended) == 1
    assert sum(isinstance(one, AlreadyDecidedError) for one in outcomes) == 3
    async with database.reading() as session:
        assert len((await session.scalars(select(DecisionRow))).all()) == 1
    assert (await forms.seeing.get(WHO["writer"], entry)).entry.state is ended[0]


async def test_a_changed_form_leaves_running_entries_on_theirs(forms: Forms) -> None:
    form_id = await made(forms, definition(ENGINEER))
    entry = await sent(forms, form_id)
    form = await forms.definitions.get(WHO["cadmin"], form_id)
    await forms.definitions.change(WHO["cadmin"], form_id, definition(LEAD), revision=form.revision)
    with pytest.raises(ChangedMeanwhileError):
        await forms.definitions.change(WHO["cadmin"], form_id, definition(), revision=form.revision)
    assert await forms.definitions.publish(WHO["cadmin"], form_id) == 2
    assert await decide(forms, entry, "second", "check") is State.APPROVED
    newer = await sent(forms, form_id)
    assert [one.step.id for one in (await forms.seeing.get(WHO["writer"], newer)).asked] == ["approve"]


async def test_other_tenants_and_colleagues_see_nothing_of_an_entry(forms: Forms) -> None:
    form_id = await made(forms, definition(ENGINEER))
    entry = await sent(forms, form_id)
    for login in ("stranger", "other", "looker"):
        with pytest.raises(NotFoundError):
            await forms.seeing.get(WHO[login], entry)
        assert (await forms.seeing.all(WHO[login])).total == 0
    for login in ("writer", "lead", "second", "cadmin", "boss"):
        assert (await forms.seeing.all(WHO[login])).total == 1
    with pytest.raises(NotFoundError):
        await forms.definitions.get(WHO["stranger"], form_id)
    with pytest.raises(NotFoundError):
        await forms.entries.start(WHO["stranger"], form_id)


async def test_the_parks_form_is_everybodys_to_fill_in_and_the_parks_to_change(forms: Forms) -> None:
    form_id = await made(forms, definition(ENGINEER), by="boss")
    entry = await sent(forms, form_id)
    assert (await forms.seeing.get(WHO["lead"], entry)).entry.tenant == "copper"
    with pytest.raises(NotYourTurnError, match="park's"):
        await forms.definitions.publish(WHO["cadmin"], form_id)
    with pytest.raises(NotYourTurnError):
        await forms.definitions.make(WHO["lead"], "mine", definition())


async def test_what_nobody_decides_in_time_is_said_once_and_escalates(
    forms: Forms, clock: Clock, bus: MemoryBus, heard: list[Event], database: Database
) -> None:
    step = {**LEAD, "due_h": 4, "escalate_to": "engineer"}
    entry = await sent(forms, await made(forms, definition(step)))
    with pytest.raises((NotYourTurnError, NotFoundError)):
        await decide(forms, entry, "second", "approve")
    clock.now = NOON + timedelta(hours=3, minutes=59)
    assert await forms.tell_overdue() == 0
    clock.now = NOON + timedelta(hours=4)
    assert await forms.tell_overdue() == 2
    assert await forms.tell_overdue() == 0
    assert [one.entry.id for one in await forms.seeing.waiting(WHO["second"])] == [entry]
    assert await decide(forms, entry, "second", "approve") is State.APPROVED
    await bus.close()
    assert [event.topic for event in heard][1:3] == ["forms.step.overdue", "forms.step.escalated"]
    async with database.reading() as session:
        told = (await session.scalars(select(NoticeRow).order_by(NoticeRow.id))).all()
    assert [(one.topic, one.logins, one.is_over) for one in told] == [
        ("forms.step.asked", ["lead"], False),
        ("forms.step.overdue", ["lead", "second"], False),
        ("forms.step.over", [], True),
    ]
    assert {(one.tenant, one.link, one.subject) for one in told} == {
        ("copper", f"/forms/entries/{entry}", f"forms.entry:{entry}:approve")
    }


async def test_a_rejection_needs_a_reason_and_a_signed_step_a_signature(forms: Forms) -> None:
    entry = await sent(forms, await made(forms, definition({**LEAD, "signature": True})))
    for verdict, reason, signature in (
        (Verdict.REJECT, " ", None),
        (Verdict.APPROVE, "", None),
        (Verdict.APPROVE, "", "<svg>"),
    ):
        with pytest.raises(NotYourTurnError):
            await forms.entries.decide(WHO["lead"], entry, "approve", verdict, reason=reason, signature=signature)
    await forms.entries.decide(WHO["lead"], entry, "approve", Verdict.APPROVE, signature="M1 2 L3 4")
    assert (await forms.seeing.get(WHO["lead"], entry)).decisions[0].signature == "M1 2 L3 4"


async def test_only_its_author_or_an_administrator_withdraws_an_entry(forms: Forms) -> None:
    entry = await sent(forms, await made(forms, definition(ENGINEER)))
    with pytest.raises(NotYourTurnError):
        await forms.entries.withdraw(WHO["lead"], entry)
    await forms.entries.withdraw(WHO["writer"], entry, "typed twice")
    with pytest.raises(AlreadyDecidedError):
        await decide(forms, entry, "lead", "check")
    with pytest.raises(NotYourTurnError):
        await forms.entries.withdraw(WHO["writer"], entry)


async def test_photos_are_kept_with_the_entry_and_nothing_else_is(forms: Forms) -> None:
    entry = await forms.entries.start(WHO["writer"], await made(forms, definition()))
    photo = await forms.entries.add_photo(WHO["writer"], entry, "photo", "gate.png", PNG)
    assert await forms.entries.photo(WHO["writer"], entry, photo["id"]) == (PNG, "image/png")
    with pytest.raises(NotFoundError):
        await forms.entries.photo(WHO["stranger"], entry, photo["id"])
    for wrong in ("../../etc/passwd", "x.png", ""):
        with pytest.raises(NotFoundError):
            await forms.entries.photo(WHO["writer"], entry, wrong)
    for content in (b"<svg onload=alert(1)>", b"", b"\xff\xd8\xff" + b"0" * 10_000_001):
        with pytest.raises(BadPhotoError):
            await forms.entries.add_photo(WHO["writer"], entry, "photo", "x.png", content)
    await forms.entries.add_photo(WHO["writer"], entry, "photo", "b.png", PNG)
    with pytest.raises(EntryRefusedError):
        await forms.entries.add_photo(WHO["writer"], entry, "photo", "c.png", PNG)
    await forms.entries.remove_photo(WHO["writer"], entry, "photo", photo["id"])
    assert len((await forms.seeing.get(WHO["writer"], entry)).entry.values["photo"]) == 1


async def test_another_app_has_a_form_filled_in_and_knows_it_by_its_subject(
    forms: Forms, bus: MemoryBus, heard: list[Event]
) -> None:
    await made(forms, definition(), key="permit")
    form = await forms.definitions.find(WHO["writer"], "permit")
    entry = await forms.entries.start(WHO["writer"], form.id, {"amount": 1}, subject="permits.permit:12")
    assert await forms.entries.submit(WHO["writer"], entry) is State.APPROVED
    await bus.close()
    assert [(event.topic, event.body["subject"]) for event in heard][-1] == (
        "forms.entry.approved",
        "permits.permit:12",
    )


async def test_a_form_goes_out_as_a_file_and_comes_in_as_it_was(forms: Forms) -> None:
    form_id = await made(forms, definition(ENGINEER))
    form = await forms.definitions.get(WHO["cadmin"], form_id)
    assert imported(exported(form)) == ("sheet", form.definition)
    with pytest.raises(BadDefinitionError, match="taken"):
        await forms.definitions.make(WHO["cadmin"], "sheet", definition())


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["lead", "second", "stranger", "writer"]),
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from(Verdict),
        ),
        max_size=8,
    )
)
async def test_no_order_of_attempts_ends_an_entry_without_every_approval(
    forms: Forms, attempts: list[tuple[str, str, Verdict]]
) -> None:
    steps = [
        {**ENGINEER, "id": "a"},
        {**ENGINEER, "id": "b", "together": True},
        {**LEAD, "id": "c", "only_if": {"field": "amount", "op": "gt", "value": 3}},
    ]
    try:
        form_id = (await forms.definitions.find(WHO["writer"], "three")).id
    except NotFoundError:
        form_id = await made(forms, definition(*steps), key="three")
    entry = await sent(forms, form_id)
    for login, step, verdict in attempts:
        try:
            await decide(forms, entry, login, step, verdict)
        except (NotYourTurnError, NotFoundError, AlreadyDecidedError):
            continue
    dossier = await forms.seeing.get(WHO["writer"], entry)
    approved = {one.step for one in dossier.decisions if one.verdict is Verdict.APPROVE}
    assert (dossier.entry.state is State.APPROVED) == (approved == {"a", "b", "c"})
    assert sum(one.what == "ended" for one in dossier.history) == (1 if dossier.entry.state.is_over else 0)
