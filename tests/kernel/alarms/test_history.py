"""What was is found in pages, by what one looks for, and by nobody who may not see it."""

from datetime import timedelta
from typing import Any

import pytest

from athanor.kernel.alarms.errors import BadPlaceError
from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.history import Phase, Wanted
from athanor.kernel.alarms.lifecycle import State, Trigger
from athanor.kernel.alarms.rule import Category, Priority
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.user import Share
from tests.kernel.alarms.standings import EIGHT, FEED, PARK, PRESSURE, RUNNING, TEMPERATURE, World, raises, user

RAISED, CLEARED = What.RAISED, What.CLEARED
ANNA, MIA = user(), user("mia", tenant="milling")


def at(seconds: float) -> Any:
    return EIGHT + timedelta(seconds=seconds)


async def found(world: World, viewer: Any = ANNA, **wanted: Any) -> set[str]:
    """The paths of the occurrences that are found."""
    return {one.path for one in (await world.alarms.history.occurrences(viewer, Wanted(**wanted))).rows}


async def three(world: World) -> list[int]:
    """Temperature (high, process), pressure (low, quality; cleared), running (medium; acknowledged)."""
    ids = [
        await world.alarm(TEMPERATURE, priority=Priority.HIGH),
        await world.alarm(PRESSURE, priority=Priority.LOW, category=Category.QUALITY, name={"en": "Off gas"}),
        await world.alarm(RUNNING),
    ]
    await world.take(*((one, RAISED, 10.0 * place) for place, one in enumerate(ids)), (ids[1], CLEARED, 30))
    await world.alarms.acknowledge(ANNA, ids[1:])
    return ids


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        ({}, {TEMPERATURE, PRESSURE, RUNNING}),
        ({"under": "smelter.bath"}, {TEMPERATURE, PRESSURE, RUNNING}),
        ({"under": TEMPERATURE}, {TEMPERATURE}),
        ({"under": "smelter.ba"}, set()),
        ({"under": "smelter%"}, set()),
        ({"priorities": [1, 2]}, {TEMPERATURE}),
        ({"categories": ["quality"]}, {PRESSURE}),
        ({"since": at(10)}, {PRESSURE, RUNNING}),
        ({"until": at(10)}, {TEMPERATURE}),
        ({"text": "OFF G"}, {PRESSURE}),
        ({"text": "熔池"}, {TEMPERATURE, RUNNING}),
        ({"text": "temp"}, {TEMPERATURE, RUNNING}),
        ({"text": "bath.p"}, {PRESSURE}),
        ({"text": "%"}, set()),
        ({"phase": Phase.STANDING}, {TEMPERATURE, RUNNING}),
        ({"phase": Phase.ACTIVE}, {TEMPERATURE, RUNNING}),
        ({"phase": Phase.UNACKNOWLEDGED}, {TEMPERATURE}),
        ({"phase": Phase.ENDED}, {PRESSURE}),
        ({"is_announced": False}, set()),
        ({"alarm": 1 << 40}, set()),
        ({"rule": -1}, set()),
    ],
)
async def test_occurrences_are_found_by_what_one_looks_for(world: World, wanted: Any, paths: set[str]) -> None:
    await three(world)
    assert await found(world, **wanted) == paths


async def test_pages_follow_one_another_without_gap_or_repetition(world: World) -> None:
    ids = await world.many([f"smelter.bath.t{number}" for number in range(7)])
    await world.alarms.take(raises(ids), late_before=EIGHT)  # all at the same time: the id tells them apart
    place, seen = None, []
    for _ in range(4):
        page = await world.alarms.history.occurrences(ANNA, Wanted(limit=2, after=place))
        seen += [one.alarm for one in page.rows]
        place = page.next
    assert (seen, place) == (sorted(ids, reverse=True), None)
    assert len((await world.alarms.history.occurrences(ANNA, Wanted(limit=10**9))).rows) == 7
    assert len((await world.alarms.history.occurrences(ANNA, Wanted(limit=-5))).rows) == 1


@pytest.mark.parametrize("place", ["", "?", "AAAA", "MS4y" * 30, "熔池"])
async def test_a_place_that_no_page_gave_is_refused(world: World, place: str) -> None:
    with pytest.raises(BadPlaceError):
        await world.alarms.history.occurrences(ANNA, Wanted(after=place))


async def test_events_are_found_by_what_happened(world: World) -> None:
    _, pressure, _ = await three(world)
    page = await world.alarms.history.events(ANNA, Wanted(alarm=pressure))
    assert [(one.what, one.from_state, one.to_state, one.by) for one in page.rows] == [
        (Trigger.CLEARED, State.UNACK, State.RTNUN, ""),
        (Trigger.RAISED, State.NORM, State.UNACK, ""),
        (Trigger.ACKNOWLEDGED, State.RTNUN, State.NORM, "anna"),
    ]  # by time: it was acknowledged at eight by the clock
    page = await world.alarms.history.events(ANNA, Wanted(what=[Trigger.ACKNOWLEDGED], text="off gas"))
    assert [(one.path, one.name, one.category) for one in page.rows] == [(PRESSURE, {"en": "Off gas"}, "quality")]


async def test_an_occurrence_is_told_whole(world: World) -> None:
    _, pressure, _ = await three(world)
    (row,) = await world.occurrences(pressure)
    told = await world.alarms.history.occurrence(ANNA, row.id)
    assert (told.occurrence.raised_at, told.occurrence.cleared_at, told.occurrence.ended_at) == (at(10), at(30), at(0))
    assert [one.what for one in told.events] == [Trigger.RAISED, Trigger.CLEARED, Trigger.ACKNOWLEDGED]
    for unknown in (0, 9999, 1 << 40):
        with pytest.raises(NotFoundError):
            await world.alarms.history.occurrence(ANNA, unknown)


async def test_another_tenants_past_is_not_there_but_for_what_it_shares(world: World) -> None:
    await three(world)
    await world.take((await world.alarm(FEED, "milling"), RAISED, 0))
    assert await found(world, MIA) == {FEED}
    assert await found(world, PARK) == {FEED, TEMPERATURE, PRESSURE, RUNNING}
    of_states = user("mia", tenant="milling", shares=(Share("smelting", "smelter", frozenset({"state"})),))
    assert await found(world, of_states) == {FEED, RUNNING}
    page = await world.alarms.history.occurrences(of_states, Wanted(limit=1))
    assert [one.path for one in page.rows] == [RUNNING]
    page = await world.alarms.history.occurrences(of_states, Wanted(limit=1, after=page.next))
    assert [one.path for one in page.rows] == [FEED]
    since = user("mia", tenant="milling", shares=(Share("smelting", "smelter", data_from=at(10)),))
    assert await found(world, since) == {FEED, PRESSURE, RUNNING}
    events = await world.alarms.history.events(MIA, Wanted())
    assert {one.path for one in events.rows} == {FEED}


async def test_what_is_written_about_an_occurrence_is_not_lent(world: World) -> None:
    temperature, *_ = await three(world)
    (row,) = await world.occurrences(temperature)
    await world.alarms.comment(ANNA, row.id, "The lining is thin.")
    guest = user("mia", tenant="milling", shares=(Share("smelting", "smelter"),))
    assert (await world.alarms.history.occurrence(guest, row.id)).comments == []
