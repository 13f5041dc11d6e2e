"""Everything about one alarm: where it stands, its rule, its life line, what was said, when it was raised before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from athanor.kernel.alarms.history import Comment, Happened, Occurred, Wanted
from athanor.kernel.alarms.records import StandingAlarm
from athanor.kernel.alarms.rule import Rule
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.alarms.tables import RuleRow
from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.user import User

_MOST_EVENTS = 60
_MOST_EARLIER = 20


@dataclass(frozen=True, slots=True)
class Detail:
    """One alarm, and one occurrence of it: the one asked for, else that which stands or stood last.

    Parameters
    ----------
    standing
        None where it is normal and nothing hides it.
    occurrence
        None where it was never raised.
    events
        Of the occurrence that was asked for, else of the alarm; the newest first.
    others
        Other occurrences, the newest first.
    """

    alarm: int
    path: str
    tenant: str | None
    priority: int
    category: str
    value: float | None
    limit: float | None
    rule: Rule
    rule_key: str
    standing: StandingAlarm | None
    occurrence: Occurred | None
    events: Sequence[Happened]
    comments: Sequence[Comment]
    others: Sequence[Occurred]

    def left_to_respond(self, now: datetime) -> timedelta | None:
        """How long there is to act; negative once it is over; None where nothing says, or it is over."""
        within, one = self.rule.respond_within_s, self.occurrence
        if within is None or one is None or one.ended_at is not None or one.cleared_at is not None:
            return None
        return one.raised_at + timedelta(seconds=within) - now


async def detail_of(
    db: Database, alarms: Alarms, viewer: User, alarm_id: int, occurrence_id: int | None = None
) -> Detail:
    """As the viewer may see it. Raises NotFoundError, also for one that never stood."""
    standing = alarms.standing.get(viewer, alarm_id)
    raised = (await alarms.history.occurrences(viewer, Wanted(alarm=alarm_id, limit=_MOST_EARLIER + 1))).rows
    wanted = occurrence_id or (raised[0].id if raised else None)
    told = None if wanted is None else await alarms.history.occurrence(viewer, wanted, most=_MOST_EVENTS)
    about = told.occurrence if told is not None else standing
    if about is None:
        raise NotFoundError("alarm", alarm_id)
    if occurrence_id is not None and told is not None:
        events = told.events[::-1]
    else:
        events = (await alarms.history.events(viewer, Wanted(alarm=alarm_id, limit=_MOST_EVENTS))).rows
    async with db.reading() as session:
        rule = await session.get_one(RuleRow, about.rule)
    is_now = standing is not None and (told is None or told.occurrence.id == standing.occurrence)
    return Detail(
        alarm=alarm_id,
        path=about.path,
        tenant=about.tenant,
        priority=about.priority,
        category=about.category,
        value=standing.value if standing is not None and is_now else about.value,
        limit=about.limit,
        rule=Rule.model_validate(rule.content),
        rule_key=rule.key,
        standing=standing,
        occurrence=None if told is None else told.occurrence,
        events=events,
        comments=[] if told is None else told.comments[::-1],
        others=[one for one in raised if one.id != wanted][:_MOST_EARLIER],
    )


async def alarm_of_occurrence(alarms: Alarms, viewer: User, occurrence_id: int) -> int:
    """Which alarm it is of. Raises NotFoundError."""
    return (await alarms.history.occurrence(viewer, occurrence_id, most=1)).occurrence.alarm
