"""Person, equipment and hazard together are one alarm, and one incident."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from athanor.apps.incidents.services import follow_alarms
from athanor.kernel.alarms.records import CHANGED_TOPIC
from athanor.kernel.alarms.rule import Category, Expression, Priority, Rule, Subject
from athanor.kernel.bus.port import Event
from athanor.kernel.cases.seeing import Filter
from athanor.kernel.cases.service import Cases
from athanor.kernel.database.database import Database

from .works import ANNA, NAME, Works, heard

PERSON, CRANE, GAS = "works.person_in_bay", "works.crane_moving", "works.gas"
LINKED = Rule(
    name={"en": "Person below a moving crane, in gas", "zh_CN": "吊车运行区有人且有害气体超标"},
    subject=Subject(node="works"),
    condition=Expression(formula=f"{{{PERSON}}} > 0 and {{{CRANE}}} == 1 and {{{GAS}}} >= 24"),
    on_delay_s=0,
    off_delay_s=0,
    priority=Priority.CRITICAL,
    category=Category.SAFETY,
)


@pytest.fixture
async def works(tmp_path: Path, database: Database) -> AsyncIterator[Works]:
    opened = Works(tmp_path / "server", database)
    await opened.has(PERSON, CRANE, GAS)
    await opened.has_begun()
    yield opened
    await opened.close()


async def test_a_rule_of_three_sources_opens_one_incident(works: Works) -> None:
    cases = Cases(works.database, works.bus, stands=works.alarms.standing.stands, now=works.now)

    async def follow(event: Event) -> None:
        await follow_alarms(cases, works.plant.model, event.body)

    works.bus.subscribe(CHANGED_TOPIC, follow, name="incidents")
    await works.rule("linked", LINKED)
    await works.step()
    for at, person, crane, gas in ((0, 1, 1, 3), (1, 1, 0, 30), (2, 0, 1, 30)):
        works.passes(1)
        await works.send((PERSON, at, person), (CRANE, at, crane), (GAS, at, gas))
        await works.step()
    assert await works.events() == []
    works.passes(1)
    await works.send((PERSON, 3, 1), (CRANE, 3, 1), (GAS, 3, 30))
    await works.step()
    works.passes(1)
    await works.send((PERSON, 4, 2), (CRANE, 4, 1), (GAS, 4, 40))
    await works.step()
    assert await works.events() == [("works", "raised", 3.0)]
    await heard(works.bus)
    while not (found := (await cases.seeing.page(ANNA, Filter())).cases):
        await heard(works.bus)
    assert [(one.priority, one.category, one.title["en"]) for one in found] == [
        (1, "safety", f"{NAME['en']}: Person below a moving crane, in gas")
    ]
