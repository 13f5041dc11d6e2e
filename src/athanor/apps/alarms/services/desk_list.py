"""The desk's list: which standing alarms a person wants to see, in which order, and in which groups.

Ten thousand alarms are put in order once for each revision, for all who see the same; what each page asks for beside
that is one pass over them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import TypeVar
from urllib.parse import urlencode

from athanor.apps.alarms.services.desk_places import Places
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.records import StandingAlarm
from athanor.kernel.alarms.rule import Category, Priority

UNACKNOWLEDGED = frozenset({State.UNACK, State.RTNUN, State.LTUNK})
_LONGEST_TEXT = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

One = TypeVar("One", bound=StrEnum)


class View(StrEnum):
    """What of the standing alarms is listed."""

    STANDING = "standing"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out-of-service"


class Group(StrEnum):
    """What the list is grouped by."""

    NONE = ""
    AREA = "area"
    ASSET = "asset"
    RULE = "rule"


_VIEW_OF = {State.SHLVD: View.SHELVED, State.DSUPR: View.SUPPRESSED, State.OOSRV: View.OUT_OF_SERVICE}


def view_of(alarm: StandingAlarm) -> View:
    """In which of the lists an alarm is."""
    return _VIEW_OF.get(alarm.state, View.STANDING)


def is_unacknowledged(alarm: StandingAlarm) -> bool:
    """Whether it waits for an operator."""
    return alarm.state in UNACKNOWLEDGED


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to see; empty is everything. It is kept in the page's address."""

    view: View = View.STANDING
    priorities: frozenset[int] = frozenset()
    category: str = ""
    state: str = ""  # a State
    area: str = ""  # path of a node
    tenant: str = ""
    text: str = ""
    group: Group = Group.NONE

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out of the view."""
        return bool(self.priorities or self.category or self.state or self.area or self.tenant or self.text)

    @property
    def address(self) -> str:
        """The desk with this wish."""
        parts = {
            "view": "" if self.view is View.STANDING else self.view,
            "priority": ",".join(str(one) for one in sorted(self.priorities)),
            "category": self.category,
            "state": self.state,
            "area": self.area,
            "tenant": self.tenant,
            "text": self.text,
            "group": self.group,
        }
        given = {name: str(part) for name, part in parts.items() if part}
        return "/alarms" + (f"?{urlencode(given)}" if given else "")


def wish_of(query: Mapping[str, str]) -> Wish:
    """The wish in an address; what cannot be understood is left out."""
    numbers = {one for one in query.get("priority", "").split(",") if one in {str(int(p)) for p in Priority}}
    category, state = query.get("category", ""), query.get("state", "")
    return Wish(
        view=_one_of(View, query.get("view", ""), View.STANDING),
        priorities=frozenset(int(one) for one in numbers),
        category=category if category in set(Category) else "",
        state=state if state in set(State) else "",
        area=query.get("area", "")[:_LONGEST_TEXT],
        tenant=query.get("tenant", "")[:_LONGEST_TEXT],
        text=query.get("text", "")[:_LONGEST_TEXT],
        group=_one_of(Group, query.get("group", ""), Group.NONE),
    )


def _one_of(kind: type[One], text: str, otherwise: One) -> One:
    return kind(text) if text in set(kind) else otherwise


@dataclass(frozen=True, slots=True)
class Tally:
    """How many alarms of each priority there are, and how many of these nobody has acknowledged."""

    total: Mapping[int, int]
    unacknowledged: Mapping[int, int]

    @classmethod
    def of(cls, alarms: Iterable[StandingAlarm]) -> "Tally":
        total = {int(one): 0 for one in Priority}
        unacknowledged = dict(total)
        for alarm in alarms:
            total[alarm.priority] += 1
            unacknowledged[alarm.priority] += alarm.state in UNACKNOWLEDGED
        return cls(total, unacknowledged)


class Board:
    """Everything that stands for some viewers at one revision, in order. Made once, never changed."""

    def __init__(self, alarms: Sequence[StandingAlarm]) -> None:
        self._views: dict[View, list[StandingAlarm]] = {view: [] for view in View}
        for alarm in sorted(alarms, key=_order):
            self._views[view_of(alarm)].append(alarm)

    def of(self, view: View) -> Sequence[StandingAlarm]:
        """One of the lists: the unacknowledged first, then by priority, the newest first."""
        return self._views[view]

    @cached_property
    def tally(self) -> Tally:
        """Of what stands and is not hidden."""
        return Tally.of(self._views[View.STANDING])

    @cached_property
    def sizes(self) -> Mapping[View, int]:
        """How long each list is."""
        return {view: len(alarms) for view, alarms in self._views.items()}

    @cached_property
    def calling(self) -> Sequence[StandingAlarm]:
        """What waits for an operator, worst first."""
        return [alarm for alarm in self._views[View.STANDING] if alarm.state in UNACKNOWLEDGED]


def _order(alarm: StandingAlarm) -> tuple[bool, int, float, int]:
    at = alarm.raised_at or alarm.since or _EPOCH
    return alarm.state not in UNACKNOWLEDGED, alarm.priority, -at.timestamp(), alarm.id


def chosen(board: Board, wish: Wish, places: Places) -> list[StandingAlarm]:
    """The alarms of a wish, in order."""
    found: Iterable[StandingAlarm] = board.of(wish.view)
    for is_wanted in _conditions(wish, places):
        found = filter(is_wanted, found)
    return list(found)


def _conditions(wish: Wish, places: Places) -> list[Callable[[StandingAlarm], bool]]:
    conditions: list[Callable[[StandingAlarm], bool]] = []
    if wish.priorities:
        conditions.append(lambda alarm: alarm.priority in wish.priorities)
    if wish.category:
        conditions.append(lambda alarm: alarm.category == wish.category)
    if wish.state:
        conditions.append(lambda alarm: alarm.state == wish.state)
    if wish.tenant:
        conditions.append(lambda alarm: alarm.tenant == wish.tenant)
    if wish.area:
        below = f"{wish.area}."
        conditions.append(lambda alarm: alarm.path == wish.area or alarm.path.startswith(below))
    words = wish.text.casefold().split()
    if words:
        conditions.append(lambda alarm: all(word in places.searched(alarm) for word in words))
    return conditions


@dataclass(frozen=True, slots=True)
class Head:
    """The line above a group."""

    key: str
    first: StandingAlarm  # the worst of it
    tally: Tally
    is_open: bool


Line = Head | StandingAlarm


@dataclass
class DeskList:
    """What one page lists. `closed` are the groups that are shut."""

    wish: Wish = field(default_factory=Wish)
    closed: set[str] = field(default_factory=set)
    alarms: Sequence[StandingAlarm] = ()
    lines: Sequence[Line] = ()

    def arrange(self, board: Board, places: Places) -> None:
        """Choose and group anew."""
        self.alarms = chosen(board, self.wish, places)
        self.lines = self.alarms if self.wish.group is Group.NONE else self._grouped(places)

    def toggle(self, key: str) -> None:
        """Open or shut a group."""
        self.closed ^= {key}

    def narrow(self, **changes: object) -> None:
        """Wish for something else."""
        self.wish = replace(self.wish, **changes)  # type: ignore[arg-type]
        self.closed.clear()

    def _grouped(self, places: Places) -> list[Line]:
        groups: dict[str, list[StandingAlarm]] = {}
        for alarm in self.alarms:
            groups.setdefault(_key(alarm, self.wish.group, places), []).append(alarm)
        lines: list[Line] = []
        for key, alarms in groups.items():
            is_open = key not in self.closed
            lines.append(Head(key, alarms[0], Tally.of(alarms), is_open))
            lines.extend(alarms if is_open else ())
        return lines


def _key(alarm: StandingAlarm, group: Group, places: Places) -> str:
    if group is Group.RULE:
        return str(alarm.rule)
    place = places.of(alarm.path)
    return place.area if group is Group.AREA else place.asset
