"""REST routes of Alarms, under /api/v1/alarms: what stands, what stood, and what operators do about it."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from athanor.apps.alarms.services.desk_board import board_of
from athanor.apps.alarms.services.desk_list import View, Wish, chosen
from athanor.apps.alarms.services.desk_places import places_of
from athanor.apps.alarms.services.desk_seen import BOUNDS_S, screen_times
from athanor.kernel.alarms.history import MOST, Happened, Occurred, Phase, Told, Wanted
from athanor.kernel.alarms.lifecycle import State, Trigger
from athanor.kernel.alarms.operating import LONGEST_COMMENT, LONGEST_REASON, MOST_AT_ONCE, Acted, Why
from athanor.kernel.alarms.records import StandingAlarm
from athanor.kernel.alarms.rule import Category, Priority
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.errors import NotFoundError
from athanor.kernel.plant.model import Text
from athanor.web.routes import Handed, PlantPort, RowNumber, Viewer, permits
from athanor.web.sessions import address_of

AlarmsPort = Annotated[Alarms, Depends(Handed("alarms"))]
Ids = Annotated[list[Annotated[int, Field(ge=1, le=2**31 - 1)]], Field(min_length=1, max_length=MOST_AT_ONCE)]
OPERATES = [Depends(permits("alarms.operate"))]
MAINTAINS = [Depends(permits("alarms.maintain"))]
router = APIRouter(tags=["alarms"])


class Alarm(BaseModel):
    """An alarm that is not normal, or that something hides. Values are in the tag's unit."""

    id: int
    occurrence: int | None
    tenant: str | None
    path: str
    name: Text
    priority: int
    category: str
    state: State
    own_state: State
    is_active: bool
    is_safety: bool
    value: float | None
    limit: float | None
    unit: str | None
    raised_at: datetime | None
    since: datetime | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    shelved_until: datetime | None
    hidden_by: str | None
    hidden_reason: str
    consequence: Text
    action: Text


class AlarmList(BaseModel):
    """A part of the list; `revision` grows with every change of any alarm."""

    total: int
    revision: int
    alarms: list[Alarm]


class Counts(BaseModel):
    """How many alarms stand that nothing hides, by priority; how long each list is."""

    standing: dict[int, int]
    unacknowledged: dict[int, int]
    lists: dict[View, int]


class ScreenTimes(BaseModel):
    """From the source's time stamp to the operator's screen, of this server since it began. [s]"""

    measured: int
    late: int
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    at_most_s: list[float]
    counts: list[int] = Field(description="How many took at most each of `at_most_s`; the last, longer.")


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Asked(_Said):
    """Which of the standing alarms; all of a view where nothing else is said."""

    view: View = View.STANDING
    priority: list[Priority] = Field([], max_length=4)
    category: Category | None = None
    state: State | None = None
    area: str = Field("", max_length=400, description="Path of a node: it and all below it.")
    tenant: str = Field("", max_length=200)
    text: str = Field("", max_length=200)
    offset: int = Field(0, ge=0, le=10_000_000)
    limit: int = Field(100, ge=1, le=1000)

    @property
    def wish(self) -> Wish:
        """As on the desk."""
        return Wish(
            view=self.view,
            priorities=frozenset(int(one) for one in self.priority),
            category=self.category or "",
            state=self.state or "",
            area=self.area,
            tenant=self.tenant,
            text=self.text,
        )


class AskedPast(_Said):
    """What of the past; from `since` on and before `until`."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    alarm: int | None = Field(None, ge=1, le=2**31 - 1)
    priority: list[Priority] = Field([], max_length=4)
    category: list[Category] = Field([], max_length=20)
    area: str = Field("", max_length=400, description="Path of a node: it and all below it.")
    text: str = Field("", max_length=200)
    phase: Phase | None = Field(None, description="Of occurrences only.")
    what: list[Trigger] = Field([], max_length=20, description="Of events only.")
    after: str | None = Field(None, max_length=100, description="`next` of the page before.")
    limit: int = Field(100, ge=1, le=MOST)

    @property
    def wanted(self) -> Wanted:
        """As the record is asked."""
        return Wanted(
            under=self.area or None,
            alarm=self.alarm,
            priorities=tuple(self.priority),
            categories=tuple(self.category),
            since=self.since,
            until=self.until,
            text=self.text,
            phase=self.phase,
            what=tuple(self.what),
            after=self.after,
            limit=self.limit,
        )


class OccurrencePage(BaseModel):
    """The newest first; `next` is given as `after` for those that follow, null at the end."""

    occurrences: list[Occurred]
    next: str | None


class EventPage(BaseModel):
    """The newest first; `next` is given as `after` for those that follow, null at the end."""

    events: list[Happened]
    next: str | None


class Chosen(_Said):
    """Some alarms, and why."""

    alarms: Ids
    reason: str = Field("", max_length=LONGEST_REASON)


class Shelved(_Said):
    """Some alarms, for how long, and why."""

    alarms: Ids
    minutes: float = Field(gt=0, le=100_000)
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


class Removed(_Said):
    """Some alarms, and why."""

    alarms: Ids
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


class Comment(_Said):
    """What is to be said of an occurrence."""

    text: str = Field(min_length=1, max_length=LONGEST_COMMENT)


class Commented(BaseModel):
    """The comment's number."""

    id: int


class Refused(BaseModel):
    """Why an alarm stayed as it was; who was first, and when."""

    alarm: int
    why: Why
    by: str | None
    at: datetime | None


class ActedAnswer(BaseModel):
    """The alarms to which it was done, and why not to the others."""

    done: list[int]
    refused: list[Refused]


@router.get("")
async def standing(asked: Annotated[Asked, Query()], alarms: AlarmsPort, plant: PlantPort, viewer: Viewer) -> AlarmList:
    """What stands now, in the order of the desk: the unacknowledged first, by priority, the newest first."""
    found = chosen(board_of(alarms, viewer), asked.wish, places_of(plant))
    page = [_alarm(one, plant) for one in found[asked.offset : asked.offset + asked.limit]]
    return AlarmList(total=len(found), revision=alarms.standing.revision, alarms=page)


@router.get("/counts")
async def counts(alarms: AlarmsPort, viewer: Viewer) -> Counts:
    """How many stand."""
    board = board_of(alarms, viewer)
    return Counts(
        standing=dict(board.tally.total), unacknowledged=dict(board.tally.unacknowledged), lists=dict(board.sizes)
    )


@router.get("/screen-times")
async def times_to_screen() -> ScreenTimes:
    """How quickly alarms reach operators, as their pages report it."""
    shown = screen_times.summary()
    p50, p95, p99 = (value if shown.measured else None for value in (shown.p50_s, shown.p95_s, shown.p99_s))
    return ScreenTimes(
        measured=shown.measured,
        late=shown.late,
        p50_s=p50,
        p95_s=p95,
        p99_s=p99,
        at_most_s=list(BOUNDS_S),
        counts=list(shown.bars),
    )


@router.get("/alarm/{alarm_id}")
async def one(alarm_id: RowNumber, alarms: AlarmsPort, plant: PlantPort, viewer: Viewer) -> Alarm:
    """One that stands. Of one that does not, `/occurrences?alarm=` tells what was."""
    found = alarms.standing.get(viewer, alarm_id)
    if found is None:
        raise NotFoundError("standing alarm", alarm_id)
    return _alarm(found, plant)


@router.get("/occurrences")
async def past(asked: Annotated[AskedPast, Query()], alarms: AlarmsPort, viewer: Viewer) -> OccurrencePage:
    """What was raised, page by page."""
    page = await alarms.history.occurrences(viewer, asked.wanted)
    return OccurrencePage(occurrences=list(page.rows), next=page.next)


@router.get("/occurrences/{occurrence_id}")
async def occurrence(occurrence_id: RowNumber, alarms: AlarmsPort, viewer: Viewer) -> Told:
    """One time that an alarm was raised: what happened in it, and what was written about it."""
    return await alarms.history.occurrence(viewer, occurrence_id)


@router.post("/occurrences/{occurrence_id}/comments", dependencies=OPERATES, status_code=HTTPStatus.CREATED)
async def comment(
    occurrence_id: RowNumber, said: Comment, request: Request, alarms: AlarmsPort, viewer: Viewer
) -> Commented:
    """Write something about it."""
    return Commented(id=await alarms.comment(viewer, occurrence_id, said.text, address_of(request)))


@router.get("/events")
async def events(asked: Annotated[AskedPast, Query()], alarms: AlarmsPort, viewer: Viewer) -> EventPage:
    """Every transition, with who, when and why; page by page."""
    page = await alarms.history.events(viewer, asked.wanted)
    return EventPage(events=list(page.rows), next=page.next)


@router.post("/acknowledge", dependencies=OPERATES)
async def acknowledge(said: Chosen, request: Request, alarms: AlarmsPort, viewer: Viewer) -> ActedAnswer:
    """Somebody has seen these. Doing it twice does no harm: the second hears who was first."""
    return _acted(await alarms.acknowledge(viewer, said.alarms, said.reason, address_of(request)))


@router.post("/reset", dependencies=OPERATES)
async def reset(said: Chosen, request: Request, alarms: AlarmsPort, viewer: Viewer) -> ActedAnswer:
    """Release latched alarms that are acknowledged and back to normal."""
    return _acted(await alarms.reset(viewer, said.alarms, said.reason, address_of(request)))


@router.post("/shelve", dependencies=OPERATES)
async def shelve(said: Shelved, request: Request, alarms: AlarmsPort, viewer: Viewer) -> ActedAnswer:
    """Hide alarms for a time; how long at most depends on their priority and one's role."""
    length = timedelta(minutes=said.minutes)
    return _acted(await alarms.shelve(viewer, said.alarms, length, said.reason, address_of(request)))


@router.post("/unshelve", dependencies=OPERATES)
async def unshelve(said: Chosen, request: Request, alarms: AlarmsPort, viewer: Viewer) -> ActedAnswer:
    """Let shelved alarms be seen again."""
    return _acted(await alarms.unshelve(viewer, said.alarms, said.reason, address_of(request)))


@router.post("/remove-from-service", dependencies=MAINTAINS)
async def remove_from_service(said: Removed, request: Request, alarms: AlarmsPort, viewer: Viewer) -> ActedAnswer:
    """Hide alarms until they are returned to service."""
    return _acted(await alarms.remove_from_service(viewer, said.alarms, said.reason, address_of(request)))


@router.post("/return-to-service", dependencies=MAINTAINS)
async def return_to_service(said: Chosen, request: Request, alarms: AlarmsPort, viewer: Viewer) -> ActedAnswer:
    """Let alarms out of service be seen again."""
    return _acted(await alarms.return_to_service(viewer, said.alarms, said.reason, address_of(request)))


def _alarm(alarm: StandingAlarm, plant: PlantPort) -> Alarm:
    tag = plant.model.tags.get(alarm.path)
    fields = {name: getattr(alarm, name) for name in Alarm.model_fields if name != "unit"}
    return Alarm(**fields, unit=tag.unit if tag else None)


def _acted(acted: Acted) -> ActedAnswer:
    refused = [Refused(alarm=one, why=why.why, by=why.by, at=why.at) for one, why in acted.refused.items()]
    return ActedAnswer(done=list(acted.done), refused=refused)
