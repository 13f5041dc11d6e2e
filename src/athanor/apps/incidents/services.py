"""What alarms lead to, and what a person brings into a case."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from athanor.kernel.alarms.lifecycle import Trigger
from athanor.kernel.alarms.records import Change, StandingAlarm
from athanor.kernel.alarms.rule import Priority
from athanor.kernel.cases.opening import Opening
from athanor.kernel.cases.service import Cases
from athanor.kernel.documents.records import Filing, Incoming, Subject
from athanor.kernel.documents.service import Documents
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Plant

OPENED_FROM = Priority.HIGH  # alarms of this priority and above get a case without anybody asking
JOINED_WITHIN = timedelta(minutes=10)  # what goes wrong with one asset in so short a time is one case
EVIDENCE = "evidence"  # the label of documents that were brought into a case
CASE = "case"  # the kind of tie that names a case
LATE_AFTER = timedelta(minutes=10)  # an alarm that came so long after it happened opens none by itself
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_PIECE = 200  # cases opened in one transaction


def subject_of(occurrence: int) -> str:
    """What a case calls an occurrence of an alarm."""
    return f"alarms.occurrence:{occurrence}"


async def follow_alarms(cases: Cases, plant: Plant, changes: Sequence[Change]) -> None:
    """Open a case of each announced alarm of high priority; note when what has a case was acknowledged."""
    openings = [_opening_of(plant, subject_of(one.occurrence or 0), one) for one in changes if _asks_for_case(one)]
    for start in range(0, len(openings), _PIECE):
        await cases.open_all(openings[start : start + _PIECE])
    acknowledged = {
        subject_of(one.occurrence): one.at
        for one in changes
        if one.what is Trigger.ACKNOWLEDGED and one.occurrence is not None
    }
    if acknowledged:
        await cases.note_acknowledged(acknowledged)


async def catch_up(cases: Cases, plant: Plant, standing: Sequence[StandingAlarm]) -> int:
    """Open the cases that standing alarms ask for and have not, as where a server ended in between: how many."""
    asking = {
        subject_of(one.occurrence): one
        for one in standing
        if one.priority <= OPENED_FROM and one.state == one.own_state and one.occurrence and not _came_late(one)
    }
    left = sorted(await cases.without(asking), key=lambda subject: asking[subject].raised_at or _LONG_AGO)
    for start in range(0, len(left), _PIECE):
        await cases.open_all([_opening_of(plant, subject, asking[subject]) for subject in left[start : start + _PIECE]])
    return len(left)


def _came_late(one: StandingAlarm) -> bool:
    return one.raised_at is None or one.seen_at is None or one.seen_at - one.raised_at > LATE_AFTER


def _opening_of(plant: Plant, subject: str, one: Change | StandingAlarm) -> Opening:
    raised_at = one.at if isinstance(one, Change) else one.raised_at
    return Opening(
        title=_title(plant, one),
        tenant=one.tenant,
        occurred_at=raised_at or _LONG_AGO,
        subject=subject,
        joins_within=JOINED_WITHIN,
        path=one.path,
        priority=one.priority,
        category=one.category,
        notified_at=one.seen_at,
    )


def _asks_for_case(one: Change) -> bool:
    return (
        one.what is Trigger.RAISED
        and one.is_announced
        and not one.is_late
        and one.occurrence is not None
        and one.priority <= OPENED_FROM
    )


def _title(plant: Plant, one: Change | StandingAlarm) -> dict[str, str]:
    """What is measured, or where, and the rule's name: by language."""
    what = plant.tags.get(one.path) or plant.nodes.get(one.path)
    if what is None:
        return dict(one.name)
    english = what.name["en"]
    return {language: f"{what.name.get(language, english)}: {name}" for language, name in one.name.items()}


async def bring_evidence(
    cases: Cases, documents: Documents, viewer: User, case_id: int, incoming: Incoming, *, address: str = ""
) -> int:
    """Keep a file as a document that is tied to the case, and say so in it: the document's id. Raises NotFoundError."""
    case = (await cases.seeing.get(viewer, case_id)).case
    tenant = viewer.tenant or case.tenant
    filing = Filing(labels=(EVIDENCE,), tenant=tenant, subjects=(Subject(CASE, str(case_id), f"#{case_id}"),))
    stored = await documents.upload(viewer, incoming, filing, address=address)
    document = stored.version.document_id
    await cases.working.say(viewer, case_id, incoming.name, documents=[document], address=address)
    return document
