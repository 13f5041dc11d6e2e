"""What one transaction does to alarms: their rows under lock, and the transitions made of them, in order.

Nothing here reads or writes a database; `storing` does, before and after.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from athanor.kernel.alarms.known import KnownRule
from athanor.kernel.alarms.lifecycle import Stand, State, Trigger, after

_TICK = timedelta(microseconds=1)


@dataclass(slots=True)
class Occurrence:
    """One time that an alarm was raised, as `tables.OccurrenceRow`."""

    raised_at: datetime
    seen_at: datetime
    is_late: bool
    value: float | None
    limit: float | None
    id: int = 0  # 0: not in the database yet
    is_announced: bool = False
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    cleared_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(slots=True)
class Held:
    """An alarm under lock, as `tables.AlarmRow`."""

    id: int
    rule_id: int
    tenant: str | None
    path: str
    priority: int
    category: str
    is_judged: bool
    stand: Stand
    shelved_until: datetime | None
    shelved_by: str | None
    hidden_reason: str
    hidden_at: datetime | None
    out_of_service_by: str | None
    out_of_service_at: datetime | None
    out_of_service_reason: str
    value: float | None
    limit: float | None
    since: datetime | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    judged_us: int
    suppressed_us: int
    occurrence_id: int | None
    occurrence: Occurrence | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What happens to an alarm: by the plant itself, or by somebody.

    Parameters
    ----------
    at
        Source time, or when somebody acted.
    is_active
        See `lifecycle.after`.
    """

    trigger: Trigger
    at: datetime
    by: str = ""
    reason: str = ""
    value: float | None = None
    limit: float | None = None
    is_active: bool | None = None
    is_late: bool = False


@dataclass(slots=True)
class Step:
    """One transition that was made: an event of the record."""

    alarm: Held
    occurrence: Occurrence | None
    act: Act
    before: Stand
    now: Stand
    is_announced: bool
    is_first: bool  # announced for the first time of its occurrence
    value: float | None
    limit: float | None
    event: int = 0


@dataclass
class Ledger:
    """Collects what is done; `seen_at` is when Athanor does it."""

    rules: Mapping[int, KnownRule]
    seen_at: datetime
    alarms: Mapping[int, Held] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    made: list[tuple[Held, Occurrence]] = field(default_factory=list)
    touched: dict[int, Occurrence] = field(default_factory=dict)  # that were in the database before, by id

    def apply(self, alarm: Held, act: Act) -> bool:
        """Let something happen to an alarm; False where it means nothing in its state, and nothing changes."""
        before = alarm.stand
        now = after(before, act.trigger, self.rules[alarm.rule_id].design, is_active=act.is_active)
        if now is None:
            return False
        alarm.stand = now
        is_announced = not now.is_hidden and now.own is State.UNACK and (before.is_hidden or before.own != now.own)
        if act.value is not None or act.trigger is Trigger.RAISED:
            alarm.value, alarm.limit = act.value, act.limit
        self._follow(alarm, before, act)
        if before.own != now.own or alarm.since is None:
            alarm.since = act.at
        is_first = is_announced and alarm.occurrence is not None and not alarm.occurrence.is_announced
        self._mark(alarm, act, is_announced=is_announced)
        step = Step(alarm, alarm.occurrence, act, before, now, is_announced, is_first, alarm.value, alarm.limit)
        self.steps.append(step)
        return True

    def _follow(self, alarm: Held, before: Stand, act: Act) -> None:
        """Begin and end occurrences as the condition does."""
        now = alarm.stand
        if now.is_active and not before.is_active:
            self._open(alarm, act)
        occurrence = alarm.occurrence
        if occurrence is None:
            return
        if before.is_active and not now.is_active:
            occurrence.cleared_at = act.at
            self._touch(occurrence)
        if now.own is State.NORM and occurrence.ended_at is None:
            occurrence.ended_at = act.at
            self._touch(occurrence)

    def _open(self, alarm: Held, act: Act) -> None:
        last, raised_at = alarm.occurrence, act.at
        if last is not None:
            raised_at = max(raised_at, last.raised_at + _TICK)  # of one alarm none begins when another one does
            if last.ended_at is None:
                last.ended_at = raised_at
                self._touch(last)
        alarm.occurrence = Occurrence(raised_at, self.seen_at, act.is_late, act.value, act.limit)
        self.made.append((alarm, alarm.occurrence))

    def _mark(self, alarm: Held, act: Act, *, is_announced: bool) -> None:
        """Who acknowledged and who hides it, as its new state has it."""
        now, occurrence = alarm.stand, alarm.occurrence
        if is_announced and occurrence is not None and not occurrence.is_announced:
            occurrence.is_announced = True
            self._touch(occurrence)
        if act.trigger is Trigger.ACKNOWLEDGED:
            alarm.acknowledged_by, alarm.acknowledged_at = act.by, act.at
            if occurrence is not None and occurrence.acknowledged_at is None:
                occurrence.acknowledged_by, occurrence.acknowledged_at = act.by, act.at
                self._touch(occurrence)
        elif now.own not in (State.ACKED, State.LTACK):
            alarm.acknowledged_by = alarm.acknowledged_at = None
        if not now.is_shelved:
            alarm.shelved_until = alarm.shelved_by = alarm.hidden_at = None
            alarm.hidden_reason = ""
        if not now.is_out_of_service:
            alarm.out_of_service_by = alarm.out_of_service_at = None
            alarm.out_of_service_reason = ""

    def _touch(self, occurrence: Occurrence) -> None:
        if occurrence.id:
            self.touched[occurrence.id] = occurrence

    @property
    def changed(self) -> list[Held]:
        """Alarms to which something happened, by id."""
        return sorted({step.alarm.id: step.alarm for step in self.steps}.values(), key=lambda alarm: alarm.id)
