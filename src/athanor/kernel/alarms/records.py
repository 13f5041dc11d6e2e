"""What others are told of alarms: values, cut loose from the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from athanor.kernel.alarms.lifecycle import State, Trigger

CHANGED_TOPIC = "alarms.changed"  # body: a tuple of `Change`, durable already, in the order in which they happened


@dataclass(frozen=True, slots=True)
class Change:
    """One transition of one alarm.

    Parameters
    ----------
    event
        Id of its entry in the record.
    name
        The rule's, by language.
    from_state, to_state
        As shown: out of service before suppressed before shelved before the alarm's own state.
    is_announced
        An operator's attention is wanted: it was raised, or raised or repeated again, and nothing hides it.
    is_late
        It happened long ago, as after an outage.
    """

    event: int
    alarm: int
    rule: int
    occurrence: int | None
    tenant: str | None
    path: str
    name: Mapping[str, str]
    priority: int
    category: str
    what: Trigger
    from_state: State
    to_state: State
    at: datetime
    seen_at: datetime
    by: str
    reason: str
    value: float | None
    limit: float | None
    is_announced: bool
    is_late: bool


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """An alarm that is not in the normal state, or is hidden: a line of the operator's list.

    Parameters
    ----------
    state
        As shown; `own_state` is what is under a hiding.
    since
        When it came into its own state.
    revision
        Grows over all alarms with every change: a page asks for what changed since.
    """

    id: int
    rule: int
    occurrence: int | None
    tenant: str | None
    path: str
    name: Mapping[str, str]
    consequence: Mapping[str, str]
    action: Mapping[str, str]
    priority: int
    category: str
    state: State
    own_state: State
    is_active: bool
    is_safety: bool
    value: float | None
    limit: float | None
    raised_at: datetime | None
    seen_at: datetime | None
    since: datetime | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    shelved_until: datetime | None
    hidden_by: str | None
    hidden_reason: str
    camera: str | None
    revision: int
