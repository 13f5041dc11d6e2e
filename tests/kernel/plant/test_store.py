import asyncio
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.plant.meter import Meter, Replacement
from athanor.kernel.plant.model import AlarmLimits, Level, Node, Plant, Tag, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.plant.store import retention_classes, running_plant, store_plant
from athanor.kernel.plant.tables import TagRow
from athanor.kernel.plant.yaml_file import BadPlantFileError, load_plant

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)
BAD_FILE = Path(__file__).parent / "bad" / "duplicate_path.yaml"

TENANTS = ("copper", "gas")

names = st.dictionaries(st.sampled_from(["en", "zh_CN"]), st.text("abc 铜炉\"'\\", max_size=8), min_size=1)
numbers = st.none() | st.floats(-1e9, 1e9)
above_zero = st.floats(0, 1e12, exclude_min=True)
replacements = st.builds(Replacement, st.datetimes(timezones=st.just(UTC)), above_zero, above_zero)
meters = st.builds(
    Meter,
    decimals=st.integers(0, 9),
    width=st.none() | above_zero,
    max_rate_per_s=st.none() | above_zero,
    replacements=st.lists(replacements, max_size=2, unique_by=lambda one: one.at).map(
        lambda some: tuple(sorted(some, key=lambda one: one.at))
    ),
)


@st.composite
def tags(draw: st.DrawFn, node: str) -> tuple[Tag, ...]:
    return tuple(
        Tag(
            path=f"{node}.{tag_id}",
            name=draw(names),
            unit=draw(st.sampled_from(["kW", "degC", "1"])),
            kind=draw(st.sampled_from(TagKind)),
            low=draw(numbers),
            high=draw(numbers),
            decimals=draw(st.integers(0, 5)),
            alarm_limits=AlarmLimits(*(draw(numbers) for _ in range(4))),
            period_s=draw(numbers),
            states=draw(st.dictionaries(st.integers(-2, 5), names, max_size=2)),
            role=draw(st.none() | st.just("tenant.power")),
            meter=draw(st.none() | meters),
            retention=draw(st.sampled_from(["standard", "fast"])),
        )
        for tag_id in draw(st.lists(st.sampled_from("tuvw"), unique=True, max_size=3))
    )


@st.composite
def plants(draw: st.DrawFn) -> Plant:
    nodes = {}
    for site in draw(st.lists(st.sampled_from("abc"), unique=True, max_size=3)):
        assets = draw(st.lists(st.sampled_from("xyz"), unique=True, max_size=3))
        for path, level in [(site, Level.SITE), *((f"{site}.{asset}", Level.ASSET) for asset in assets)]:
            nodes[path] = Node(
                path=path,
                level=level,
                name=draw(names),
                tenant=draw(st.sampled_from(TENANTS)),
                type=draw(st.none() | st.just("pump")),
                position=draw(st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180))),
                tags=draw(tags(path)),
                retention=draw(st.sampled_from(["standard", "fast"])),
            )
    tenants = {tenant: Tenant(tenant, draw(names)) for tenant in draw(st.permutations(TENANTS))}
    return Plant(id="park", name=draw(names), timezone="Asia/Shanghai", tenants=tenants, nodes=nodes)


def plant_with(*paths: str, tenant: str = "copper") -> Plant:
    """A plant of one-level sites with these tags, such as `a.power`."""
    nodes: dict[str, Node] = {}
    for site in dict.fromkeys(path.partition(".")[0] for path in paths):
        own = tuple(Tag(path, {"en": path}, "kW") for path in paths if path.startswith(site + "."))
        nodes[site] = Node(site, Level.SITE, {"en": site}, tenant, tags=own)
    tenants = {key: Tenant(key, {"en": key}) for key in TENANTS}
    return Plant(id="park", name={"en": "Park"}, timezone="Asia/Shanghai", tenants=tenants, nodes=nodes)


async def store(database: Database, plant: Plant, at: datetime = NOON) -> RunningPlant:
    async with database.session() as session:
        return await store_plant(session, plant, at=at)


async def read(database: Database) -> RunningPlant | None:
    async with database.reading() as session:
        return await running_plant(session)


async def ids_after_each(database: Database, *steps: tuple[str, ...]) -> list[dict[str, int]]:
    return [dict((await store(database, plant_with(*paths))).ids) for paths in steps]


async def test_before_the_first_plant_none_runs(database: Database) -> None:
    assert await read(database) is None


@settings(max_examples=15, deadline=None)
@given(first=plants(), second=plants())
def test_what_is_read_back_equals_what_was_stored(first: Plant, second: Plant) -> None:
    async def store_and_read() -> list[tuple[RunningPlant, RunningPlant | None]]:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite+aiosqlite:///{folder}/athanor.db"
            await upgrade(url)
            database = Database(url)
            pairs = [(await store(database, plant), await read(database)) for plant in (first, second)]
            await database.close()
            return pairs

    for plant, (stored, back) in zip((first, second), asyncio.run(store_and_read()), strict=True):
        assert stored.model == plant
        assert back == stored
        assert list(back.model.nodes) == list(plant.nodes)
        assert list(back.model.tenants) == list(plant.tenants)


@pytest.mark.parametrize("path", ["a.power", "b.power"])
async def test_a_tag_keeps_its_id_and_an_id_is_given_only_once(database: Database, path: str) -> None:
    before, without, after, more = await ids_after_each(
        database,
        ("a.power", "b.power"),
        ("a.power",) if path == "b.power" else ("b.power",),
        ("a.power", "b.power", "c.power"),
        ("d.power", "c.power"),
    )
    assert before == {"a.power": 1, "b.power": 2}
    assert without == {kept: tag_id for kept, tag_id in before.items() if kept != path}
    assert after == before | {"c.power": 3}
    assert more == {"d.power": 4, "c.power": 3}


async def test_a_tag_that_goes_keeps_its_class_of_retention(database: Database) -> None:
    async def classes() -> dict[int, str]:
        async with database.reading() as session:
            return dict(await retention_classes(session))

    def plant(*tags: Tag) -> Plant:
        empty = plant_with("a.power")
        return replace(empty, nodes={"a": replace(empty.nodes["a"], tags=tags)})

    power, state = Tag("a.power", {"en": "Power"}, "kW"), Tag("a.state", {"en": "State"}, "1")
    await store(database, plant(replace(power, retention="fast"), state))
    assert await classes() == {1: "fast", 2: "standard"}
    await store(database, plant(state))
    assert await classes() == {1: "fast", 2: "standard"}
    await store(database, plant(power, replace(state, retention="slow")))
    assert await classes() == {1: "standard", 2: "slow"}


async def test_a_tag_that_goes_is_retired_and_one_that_comes_back_is_not(database: Database) -> None:
    async def retired() -> dict[str, datetime | None]:
        async with database.reading() as session:
            rows = await session.execute(select(TagRow.path, TagRow.retired_at))
            return {row.path: row.retired_at for row in rows}

    later, latest = NOON.replace(hour=13), NOON.replace(hour=14)
    await store(database, plant_with("a.power", "b.power"))
    await store(database, plant_with("a.power"), later)
    assert await retired() == {"a.power": None, "b.power": later}
    await store(database, plant_with("b.power"), latest)
    assert await retired() == {"a.power": latest, "b.power": None}


async def test_the_version_grows_with_every_change_and_only_then(database: Database) -> None:
    plants = [plant_with("a.power"), plant_with("a.power"), plant_with("a.power", "a.energy"), plant_with("a.power")]
    assert [(await store(database, plant)).version for plant in plants] == [1, 1, 2, 3]


async def test_another_order_of_tags_is_a_change(database: Database) -> None:
    await store(database, plant_with("a.power", "a.energy"))
    assert (await store(database, plant_with("a.energy", "a.power"))).version == 2
    running = await read(database)
    assert running is not None
    assert list(running.model.tags) == ["a.energy", "a.power"]


async def test_a_refused_file_leaves_the_running_plant_as_it_was(database: Database) -> None:
    stored = await store(database, plant_with("a.power"))
    with pytest.raises(BadPlantFileError):
        await store(database, load_plant(BAD_FILE))
    assert await read(database) == stored


async def test_a_store_that_is_undone_leaves_the_running_plant_as_it_was(database: Database) -> None:
    stored = await store(database, plant_with("a.power"))

    async def store_and_fail() -> None:
        async with database.session() as session:
            await store_plant(session, plant_with("b.power"), at=NOON)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await store_and_fail()
    assert await read(database) == stored


async def test_a_park_may_change_its_id(database: Database) -> None:
    plant = plant_with("a.power")
    await store(database, plant)
    renamed = Plant("other", plant.name, "Europe/Berlin", plant.tenants, plant.nodes)
    assert (await store(database, renamed)).version == 2
    running = await read(database)
    assert running is not None
    assert (running.model, dict(running.ids)) == (renamed, {"a.power": 1})
