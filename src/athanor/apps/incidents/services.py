"""What alarms lead to, and what a person brings into a case."""

from collections.abc import Sequence
from datetime import timedelta

from athanor.kernel.alarms.lifecycle import Trigger
from athanor.kernel.alarms.records import Change
from athanor.kernel.alarms.rule import Priority
from athanor.kernel.cases.opening import Opening
from athanor.kernel.cases.service import Cases
from athanor.kernel.documents.records import Filing, Incoming, Subject
from athanor.kernel.documents.service import Documents
from athanor.kernel.identity.user import User

OPENED_FROM = Priority.HIGH  # alarms of this priority and above get a case without anybody asking
JOINED_WITHIN = timedelta(minutes=10)  # what goes wrong with one asset in so short a time is one case
EVIDENCE = "evidence"  # the label of documents that were brought into a case
CASE = "case"  # the kind of tie that names a case
_PIECE = 200  # cases opened in one transaction


def subject_of(occurrence: int) -> str:
    """What a case calls an occurrence of an alarm."""
    return f"alarms.occurrence:{occurrence}"


async def follow_alarms(cases: Cases, changes: Sequence[Change]) -> None:
    """Open a case of each announced alarm of high priority; note when what has a case was acknowledged."""
    openings = [opening_of(one) for one in changes if _asks_for_case(one)]
    for start in range(0, len(openings), _PIECE):
        await cases.open_all(openings[start : start + _PIECE])
    acknowledged = {
        subject_of(one.occurrence): one.at
        for one in changes
        if one.what is Trigger.ACKNOWLEDGED and one.occurrence is not None
    }
    if acknowledged:
        await cases.note_acknowledged(acknowledged)


def opening_of(one: Change, *, by: str = "") -> Opening:
    """What a case of an alarm begins with."""
    return Opening(
        title=one.name,
        tenant=one.tenant,
        occurred_at=one.at,
        subject="" if one.occurrence is None else subject_of(one.occurrence),
        joins_within=JOINED_WITHIN,
        path=one.path,
        priority=one.priority,
        category=one.category,
        notified_at=one.seen_at,
        by=by,
    )


def _asks_for_case(one: Change) -> bool:
    return (
        one.what is Trigger.RAISED
        and one.is_announced
        and not one.is_late
        and one.occurrence is not None
        and one.priority <= OPENED_FROM
    )


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
