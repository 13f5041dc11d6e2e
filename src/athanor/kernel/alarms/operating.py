"""What people do with alarms: acknowledge, reset, shelve, take out of service, comment.

Each of it holds for many alarms at once, for each alone: what cannot be done to some is said, and the rest is done.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.alarms.errors import BadShelvingError, NotOperatorError, ReasonNeededError, TooManyAlarmsError
from athanor.kernel.alarms.keeping import Keeping
from athanor.kernel.alarms.known import as_id
from athanor.kernel.alarms.ledger import Act, Held, Ledger
from athanor.kernel.alarms.lifecycle import State, Trigger
from athanor.kernel.alarms.records import Change
from athanor.kernel.alarms.rule import Priority
from athanor.kernel.alarms.tables import CommentRow, OccurrenceRow
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User

OPERATE, MAINTAIN = "alarms.operate", "alarms.maintain"
MOST_AT_ONCE = 20_000
LONGEST_REASON = 1000
LONGEST_COMMENT = 4000
_NAMED = 100  # alarms that an entry of the trail names; each has its own event besides
_SHORTEST = timedelta(minutes=1)
# How long an alarm of a priority is shelved at most: the more urgent, the shorter. EEMUA 191 and ISA-18.2 name a
# shift, 8 to 12 h; whoever answers for the instruments may go beyond.
LONGEST_SHELVING: Mapping[str, Mapping[Priority, timedelta]] = {
    OPERATE: {
        Priority.CRITICAL: timedelta(hours=1),
        Priority.HIGH: timedelta(hours=4),
        Priority.MEDIUM: timedelta(hours=8),
        Priority.LOW: timedelta(hours=12),
    },
    MAINTAIN: {
        Priority.CRITICAL: timedelta(hours=8),
        Priority.HIGH: timedelta(hours=12),
        Priority.MEDIUM: timedelta(hours=24),
        Priority.LOW: timedelta(hours=72),
    },
}


class Why(StrEnum):
    """Why something was not done to an alarm."""

    UNKNOWN = "unknown"  # there is none of this id, or not for them
    ALREADY = "already"  # somebody was first: `by`, `at`
    NOTHING = "nothing"  # nothing of it stands: nothing to acknowledge, to reset, to return
    HIDDEN = "hidden"  # shelved, suppressed or out of service
    STILL_ACTIVE = "still-active"  # a latched alarm is reset once its condition is over
    NOT_ACKNOWLEDGED = "not-acknowledged"  # a latched alarm is reset once somebody has acknowledged it
    SAFETY = "safety"  # a safety alarm is shelved only by who may take alarms out of service
    TOO_LONG = "too-long"  # longer than this role may shelve this priority: `longest`
    NOT_JUDGED = "not-judged"  # its rule or place is gone


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an alarm stayed as it was.

    Parameters
    ----------
    by, at
        Who was first, and when.
    longest
        How long it may be shelved.
    """

    why: Why
    by: str | None = None
    at: datetime | None = None
    longest: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of one call: the alarms to which it was done, and why not to the others."""

    done: tuple[int, ...]
    refused: Mapping[int, Refusal]
    changes: tuple[Change, ...] = ()


_Refuse = Callable[[Held, Ledger], Refusal | None]
_Mark = Callable[[Held, Ledger], None]


class Operating:
    """The operator's actions; see `service.Alarms`."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping

    async def acknowledge(self, viewer: User, ids: Collection[int], reason: str = "", address: str = "") -> Acted:
        """See `service.Alarms.acknowledge`."""
        _check(viewer, OPERATE)
        return await self._act(viewer, ids, Trigger.ACKNOWLEDGED, plain(reason), address)

    async def reset(self, viewer: User, ids: Collection[int], reason: str = "", address: str = "") -> Acted:
        """See `service.Alarms.reset`."""
        _check(viewer, OPERATE)
        return await self._act(viewer, ids, Trigger.RESET, plain(reason), address)

    async def shelve(
        self, viewer: User, ids: Collection[int], for_: timedelta, reason: str, address: str = ""
    ) -> Acted:
        """See `service.Alarms.shelve`."""
        _check(viewer, OPERATE)
        reason = _checked(reason, LONGEST_REASON)
        longest = longest_shelving(viewer)
        if not _SHORTEST <= for_ <= max(longest.values()):
            raise BadShelvingError(max(longest.values()))

        def refuse(alarm: Held, ledger: Ledger) -> Refusal | None:
            if ledger.rules[alarm.rule_id].rule.is_safety and not viewer.may(MAINTAIN):
                return Refusal(Why.SAFETY)
            most = longest[Priority(alarm.priority)]
            return Refusal(Why.TOO_LONG, longest=most) if for_ > most else None

        def mark(alarm: Held, ledger: Ledger) -> None:
            alarm.shelved_by, alarm.hidden_reason = viewer.login, reason
            alarm.hidden_at, alarm.shelved_until = ledger.seen_at, ledger.seen_at + for_

        return await self._act(viewer, ids, Trigger.SHELVED, reason, address, refuse, mark)

    async def unshelve(self, viewer: User, ids: Collection[int], reason: str = "", address: str = "") -> Acted:
        """See `service.Alarms.unshelve`."""
        _check(viewer, OPERATE)
        return await self._act(viewer, ids, Trigger.UNSHELVED, plain(reason), address)

    async def remove_from_service(self, viewer: User, ids: Collection[int], reason: str, address: str = "") -> Acted:
        """See `service.Alarms.remove_from_service`."""
        _check(viewer, MAINTAIN)
        reason = _checked(reason, LONGEST_REASON)

        def mark(alarm: Held, ledger: Ledger) -> None:
            alarm.out_of_service_by, alarm.out_of_service_at = viewer.login, ledger.seen_at
            alarm.out_of_service_reason = reason

        return await self._act(viewer, ids, Trigger.REMOVED, reason, address, mark=mark)

    async def return_to_service(self, viewer: User, ids: Collection[int], reason: str = "", address: str = "") -> Acted:
        """See `service.Alarms.return_to_service`."""
        _check(viewer, MAINTAIN)
        return await self._act(viewer, ids, Trigger.RETURNED, plain(reason), address)

    async def comment(self, viewer: User, occurrence_id: int, text: str, address: str = "") -> int:
        """See `service.Alarms.comment`."""
        _check(viewer, OPERATE)
        text = _checked(text, LONGEST_COMMENT)
        async with self._keeping.database.session() as session:
            occurrence = await session.get(OccurrenceRow, as_id(occurrence_id))
            if occurrence is None or not _is_theirs(viewer, occurrence.tenant):
                raise NotFoundError("occurrence", occurrence_id)
            row = CommentRow(
                occurrence_id=occurrence_id,
                by=viewer.login,
                at=self._keeping.now(),
                text=text,
                tenant=occurrence.tenant,
            )
            session.add(row)
            await session.flush()
            detail = {"occurrence": occurrence_id}
            record(session, viewer.login, "alarms.commented", occurrence.path, address=address, detail=detail)
        return row.id

    async def _act(
        self,
        viewer: User,
        ids: Collection[int],
        trigger: Trigger,
        reason: str,
        address: str,
        refuse: _Refuse = lambda _alarm, _ledger: None,
        mark: _Mark = lambda _alarm, _ledger: None,
    ) -> Acted:
        wanted = sorted({one for one in ids if as_id(one)})
        if len(wanted) > MOST_AT_ONCE:
            raise TooManyAlarmsError(MOST_AT_ONCE)
        refused = {one: Refusal(Why.UNKNOWN) for one in ids}
        done = []
        async with self._keeping.database.session() as session, self._keeping.changing(session, wanted) as ledger:
            for alarm in ledger.alarms.values():
                if not _is_theirs(viewer, alarm.tenant):
                    continue
                refusal = _means_nothing(alarm, trigger) or refuse(alarm, ledger)
                if refusal is None and ledger.apply(alarm, Act(trigger, ledger.seen_at, viewer.login, reason)):
                    mark(alarm, ledger)
                    done.append(alarm.id)
                    del refused[alarm.id]
                else:
                    refused[alarm.id] = refusal or Refusal(Why.NOTHING)
            _note(session, viewer, trigger, [ledger.alarms[one] for one in done], reason, address)
        return Acted(tuple(done), refused, await self._keeping.tell(ledger))


def longest_shelving(viewer: User) -> Mapping[Priority, timedelta]:
    """How long somebody may shelve an alarm of each priority."""
    return LONGEST_SHELVING[MAINTAIN if viewer.may(MAINTAIN) else OPERATE]


def _means_nothing(alarm: Held, trigger: Trigger) -> Refusal | None:
    """Why a trigger has no meaning where an alarm stands; None where it has one."""
    stand = alarm.stand
    if trigger in (Trigger.SHELVED, Trigger.REMOVED) and not alarm.is_judged:
        return Refusal(Why.NOT_JUDGED)
    if trigger is Trigger.REMOVED and stand.is_out_of_service:
        return Refusal(Why.ALREADY, alarm.out_of_service_by, alarm.out_of_service_at)
    if trigger is Trigger.SHELVED and stand.is_shelved:
        return Refusal(Why.ALREADY, alarm.shelved_by, alarm.hidden_at)
    if trigger in (Trigger.ACKNOWLEDGED, Trigger.RESET, Trigger.SHELVED) and stand.is_hidden:
        return Refusal(Why.HIDDEN, alarm.out_of_service_by or alarm.shelved_by)
    return _acknowledged_already(alarm) if trigger is Trigger.ACKNOWLEDGED else _not_to_be_reset(alarm, trigger)


def _not_to_be_reset(alarm: Held, trigger: Trigger) -> Refusal | None:
    if trigger is Trigger.RESET and alarm.stand.is_active:
        return Refusal(Why.STILL_ACTIVE)
    if trigger is Trigger.RESET and alarm.stand.own in (State.LTUNK, State.RTNUN):
        return Refusal(Why.NOT_ACKNOWLEDGED)
    return None


def _acknowledged_already(alarm: Held) -> Refusal | None:
    if alarm.stand.own in (State.ACKED, State.LTACK):
        return Refusal(Why.ALREADY, alarm.acknowledged_by, alarm.acknowledged_at)
    last = alarm.occurrence
    if alarm.stand.own is State.NORM and last is not None and last.acknowledged_at is not None:
        return Refusal(Why.ALREADY, last.acknowledged_by, last.acknowledged_at)
    return None


def _note(
    session: AsyncSession, viewer: User, trigger: Trigger, alarms: Sequence[Held], reason: str, address: str
) -> None:
    """One entry in the trail for one call."""
    if alarms:
        subject = alarms[0].path if len(alarms) == 1 else f"{len(alarms)} alarms"
        detail = {"alarms": [alarm.id for alarm in alarms[:_NAMED]], "count": len(alarms), "reason": reason}
        record(session, viewer.login, f"alarms.{trigger.value}", subject, address=address, detail=detail)


def _check(viewer: User, permission: str) -> None:
    if not viewer.may(permission):
        raise NotOperatorError(permission)


def plain(text: str) -> str:
    """A reason as it is kept: not too long, and without NUL, which PostgreSQL does not take."""
    return text.strip().replace("\0", "\ufffd")[:LONGEST_REASON]


def _checked(text: str, longest: int) -> str:
    text = text.strip().replace("\0", "\ufffd")
    if not 1 <= len(text) <= longest:
        raise ReasonNeededError(longest)
    return text


def _is_theirs(viewer: User, tenant: str | None) -> bool:
    return viewer.tenants is None or tenant in viewer.tenants
