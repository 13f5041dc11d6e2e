"""Sharing between enterprises against a real database and historian: who may what, and what a call reads."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import select

from athanor.apps.exchange.domain.offer import Contract
from athanor.apps.exchange.models import BreachRow, DayRow, GrantRow, ProductRow
from athanor.apps.exchange.services import access, catalogue, counting, publishing, tokens
from athanor.apps.exchange.services.contracts import BREACHED, RESTORED, Checking
from athanor.apps.exchange.services.errors import (
    BadOfferError,
    BadRequestForAccessError,
    BeyondProductError,
    NoAccessError,
    NotYoursError,
    QuotaUsedError,
    SchemaBreachError,
)
from athanor.apps.exchange.services.opening import Caller, Opened, open_product
from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.bus.port import Event
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.errors import NotFoundError
from athanor.kernel.historian.port import STORED, Span, microseconds
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.tables import AuditRow, UserRow
from athanor.kernel.identity.user import User
from athanor.kernel.notify.tables import NoticeRow
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import TIME
from athanor.kernel.transfer.series import tables_of

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def node(name: str, *tags: Tag) -> Node:
    return Node(name, Level.SITE, {"en": name.title()}, name, tags=tags)


POWER = Tag("copper.power", {"en": "Power"}, "kW", period_s=60.0)
STEAM = Tag("copper.steam", {"en": "Steam"}, "t/h", period_s=60.0)
LOT = Tag("copper.lot", {"en": "Lot"}, "1", kind=TagKind.TEXT)
SECRET = Tag("copper.secret", {"en": "Recipe"}, "1", period_s=60.0)
HEAT = Tag("carbon.heat", {"en": "Heat"}, "kW", period_s=60.0)
TENANTS = {name: Tenant(name, {"en": name.title()}) for name in ("copper", "carbon", "glass")}
MODEL = Plant(
    "park",
    {"en": "Park"},
    "Asia/Shanghai",
    TENANTS,
    {"copper": node("copper", POWER, STEAM, LOT, SECRET), "carbon": node("carbon", HEAT)},
)
PARK = RunningPlant(MODEL, 1, {path: TagId(number) for number, path in enumerate(MODEL.tags, 1)})

OWNER = User(1, "olga", "Olga", ("engineer",), "copper")
ASKER = User(2, "arno", "Arno", ("operator",), "carbon")
THIRD = User(3, "tina", "Tina", ("engineer",), "glass")
ADMIN = User(4, "adam", "Adam", ("administrator",), None)
WATCHER = User(5, "wu", "Wu", ("viewer",), "carbon")
CARBON = Caller("carbon", "arno")
WISH = publishing.Wish(
    name={"en": "Power and steam", "zh_CN": "电与蒸汽"},
    description={"en": "What we use."},
    paths=("copper.power", "copper.steam"),
    step="15m",
    how="mean",
    back_days=1.0,
    purpose="Planning of the park's boilers",
    contact="Olga",
    contract=Contract(NOW - 3 * DAY, freshness_min=5, completeness=0.9),
)


class World:
    def __init__(self, database: Database, historian: TieredHistorian) -> None:
        self.database, self.historian = database, historian
        self.park, self.current, self.bus = PARK, CurrentValues(), MemoryBus()
        self.said: list[Event] = []
        for topic in (BREACHED, RESTORED):
            self.bus.subscribe(topic, self._hear, name="test")

    async def _hear(self, event: Event) -> None:
        self.said.append(event)

    async def fill(self, tag: Tag, start: datetime, end: datetime, quality: int = 0) -> None:
        """A sample a minute in [start, end)."""
        minutes = int((end - start) / timedelta(minutes=1))
        time_us = microseconds(start) + np.arange(minutes) * 60_000_000
        columns = [
            pa.array(np.full(minutes, self.park.id_of(tag.path), np.int32)),
            pa.array(time_us).cast(TIME),
            pa.array(np.full(minutes, 7.0)),
            pa.nulls(minutes, pa.string()),
            pa.array(np.full(minutes, quality, np.uint8)),
        ]
        table = pa.table(columns, schema=STORED)
        await self.historian.import_history(table)
        self.current.update(table)

    async def publish(self, wish: publishing.Wish = WISH, by: User = OWNER) -> int:
        async with self.database.session() as session:
            plant = self.park.visible_to(by.tenants)
            return (await publishing.publish(session, plant, self.historian, by, wish, NOW)).id

    async def change(self, product: int, wish: publishing.Wish, by: User = OWNER) -> int:
        async with self.database.session() as session:
            plant = self.park.visible_to(by.tenants)
            return (await publishing.change(session, plant, self.historian, by, product, wish, NOW)).version

    async def ask(self, product: int, by: User = ASKER, ends_at: datetime = NOW + 30 * DAY) -> int:
        async with self.database.session() as session:
            grant = await access.request_access(session, by, product, purpose="Our boilers", ends_at=ends_at, now=NOW)
            return grant.id

    async def approve(self, grant: int, by: User = OWNER, quota: int | None = None) -> None:
        async with self.database.session() as session:
            await access.approve(session, by, grant, reason="As agreed", now=NOW, quota=quota)

    async def revoke(self, grant: int, by: User = OWNER) -> None:
        async with self.database.session() as session:
            await access.revoke(session, by, grant, reason="Misused", now=NOW)

    async def granted(self, wish: publishing.Wish = WISH, quota: int | None = None) -> tuple[int, int]:
        product = await self.publish(wish)
        grant = await self.ask(product)
        await self.approve(grant, quota=quota)
        return product, grant

    async def open(
        self, product: int, caller: Caller = CARBON, start: datetime = NOW - timedelta(hours=2), now: datetime = NOW
    ) -> Opened:
        async with self.database.reading() as session:
            return await open_product(session, self.park, caller, product, Span(start, max(now, start)), now)

    async def check(self, now: datetime) -> list[str]:
        """What was said by one check: topic's verb and rule."""
        await Checking(self.database, self.park, self.historian, self.current, self.bus).check(now)
        bus, self.bus = self.bus, MemoryBus()
        await bus.close()
        for topic in (BREACHED, RESTORED):
            self.bus.subscribe(topic, self._hear, name="test")
        said, self.said = self.said, []
        return [f"{event.topic.rpartition('.')[2]} {event.body['rule']}" for event in said]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    url = f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    await upgrade(url)
    database = Database(url)
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    made = World(database, historian)
    yield made
    await made.bus.close()
    await historian.close()
    await database.close()


# --- publishing


async def test_only_the_enterprise_whose_tags_they_are_publishes_them(world: World) -> None:
    with pytest.raises(NotFoundError):  # it does not even see them
        await world.publish(by=replace(ASKER, roles=("engineer",)))
    with pytest.raises(NotYoursError):
        await world.publish(by=replace(OWNER, roles=("operator",)))
    with pytest.raises(NotYoursError):  # the park's engineers see all, and decide nothing
        await world.publish(by=replace(ADMIN, roles=("engineer",)))
    async with world.database.reading() as session:
        product = await session.get(ProductRow, await world.publish(by=ADMIN))
        assert product is not None
        assert product.owner == "copper"


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        (replace(WISH, paths=("copper.power", "carbon.heat")), "carbon, copper"),
        (replace(WISH, paths=()), "0 tags"),
        (replace(WISH, name={"en": " "}), "no name"),
        (replace(WISH, purpose=""), "used for"),
        (replace(WISH, back_days=0), "days back"),
        (replace(WISH, step="7m"), "part of a day"),
        (replace(WISH, how="delta"), "counter"),
        (replace(WISH, paths=("copper.lot",), contract=Contract(NOW)), "copper.lot"),
        (replace(WISH, paths=("copper.lot",), step=None), "how often a sample is due"),
        (replace(WISH, contract=Contract(NOW, NOW)), "ends before"),
        (replace(WISH, contract=Contract(NOW, completeness=95)), "100 %"),
    ],
)
async def test_what_could_not_be_answered_truly_is_not_published(
    world: World, wish: publishing.Wish, reason: str
) -> None:
    with pytest.raises(BadOfferError, match=reason):
        await world.publish(wish, by=ADMIN)


async def test_a_change_makes_a_version_and_consumers_see_what_is_different(world: World) -> None:
    product = await world.publish()
    assert await world.change(product, WISH) == 1
    assert await world.change(product, replace(WISH, paths=("copper.power",), back_days=7)) == 2
    async with world.database.reading() as session:
        told = await catalogue.told(session, ASKER, product)
    assert [(one.number, [difference.what for difference in one.changed]) for one in told.versions] == [
        (2, ["back_days", "column"]),
        (1, []),
    ]
    with pytest.raises(NotYoursError):
        await world.change(product, replace(WISH, paths=("carbon.heat",)), by=replace(ASKER, roles=("engineer",)))


async def test_a_product_that_was_withdrawn_is_gone_for_everybody(world: World) -> None:
    product, _grant = await world.granted()
    async with world.database.session() as session:
        await publishing.withdraw(session, OWNER, product, NOW)
    with pytest.raises(NotFoundError):
        await world.open(product)
    async with world.database.reading() as session:
        assert await catalogue.catalogue(session, ASKER) == []


# --- access


async def test_who_was_approved_reads_the_products_tags_in_its_step_and_no_others(world: World) -> None:
    for tag in (POWER, STEAM, SECRET):
        await world.fill(tag, NOW - timedelta(hours=2), NOW)
    product, _grant = await world.granted()
    opened = await world.open(product)
    assert set(opened.plant.ids) == {"copper.power", "copper.steam"}
    tables = [table async for table in tables_of(opened.series, world.historian, opened.plant)]
    rows = pa.concat_tables(tables).to_pylist()
    assert len(rows) == 2 * 8
    assert {(row["tag"], row["value"], row["unit"]) for row in rows} == {
        ("copper.power", 7.0, "kW"),
        ("copper.steam", 7.0, "t/h"),
    }


async def test_who_decides_hears_of_a_request_and_who_asked_of_the_decision(world: World) -> None:
    async with world.database.session() as session:
        for person in (OWNER, ASKER, WATCHER):
            session.add(
                UserRow(
                    login=person.login, name=person.name, password_hash="", recovery_hashes=[],
                    roles=list(person.roles), tenant=person.tenant, created_at=NOW,
                )
            )  # fmt: skip
    product, _grant = await world.granted()
    async with world.database.reading() as session:
        told = (await session.scalars(select(NoticeRow).order_by(NoticeRow.id))).all()
    assert [(one.topic, one.tenant, one.logins, one.link) for one in told] == [
        ("exchange.access.requested", "copper", ["olga"], f"/exchange/products/{product}"),
        ("exchange.access.approved", "carbon", ["arno"], f"/exchange/products/{product}"),
    ]


async def test_a_third_enterprise_sees_the_catalogue_and_nothing_of_others(world: World) -> None:
    product, _grant = await world.granted()
    with pytest.raises(NoAccessError, match="nobody has given you access"):
        await world.open(product, Caller("glass", "tina"))
    async with world.database.session() as session:
        await counting.begin_call(session, await world.open(product), "arno", NOW)
    async with world.database.reading() as session:
        told = await catalogue.told(session, THIRD, product)
        assert (told.grants, told.tokens, told.grant) == ([], [], None)
        assert await counting.use_by_day(session, THIRD, told.product, NOW.date() - DAY) == []
        assert await counting.newest_calls(session, THIRD, told.product) == []
        assert await catalogue.to_decide(session, THIRD) == []
        assert len(await counting.newest_calls(session, OWNER, told.product)) == 1
        assert len(await counting.newest_calls(session, WATCHER, told.product)) == 1


async def test_nobody_decides_about_anothers_data(world: World) -> None:
    product = await world.publish()
    grant = await world.ask(product)
    for stranger in (ASKER, THIRD, replace(ASKER, roles=("administrator",)), replace(OWNER, roles=("operator",))):
        with pytest.raises(NotYoursError):
            await world.approve(grant, by=stranger)
    await world.approve(grant)
    with pytest.raises(NotYoursError):
        await world.revoke(grant, by=THIRD)


async def test_a_request_waits_is_refused_or_revoked_and_opens_nothing_then(world: World) -> None:
    product = await world.publish()
    grant = await world.ask(product)
    with pytest.raises(NoAccessError, match="requested"):
        await world.open(product)
    with pytest.raises(BadRequestForAccessError, match="asked already"):
        await world.ask(product)
    with pytest.raises(BadRequestForAccessError, match="no reason"):
        async with world.database.session() as session:
            await access.refuse(session, OWNER, grant, reason=" ", now=NOW)
    async with world.database.session() as session:
        await access.refuse(session, OWNER, grant, reason="Not now", now=NOW)
    with pytest.raises(NoAccessError, match="refused"):
        await world.open(product)
    grant = await world.ask(product)
    await world.approve(grant)
    assert (await world.open(product)).grant.id == grant
    await world.revoke(grant)
    with pytest.raises(NoAccessError, match="revoked"):
        await world.open(product)
    with pytest.raises(BadRequestForAccessError, match="revoked already"):
        await world.approve(grant)


async def test_a_grant_ends_by_itself(world: World) -> None:
    product, _grant = await world.granted()
    end = NOW + 30 * DAY
    just_before = end - timedelta(seconds=1)
    assert await world.open(product, start=just_before, now=just_before)
    with pytest.raises(NoAccessError, match="ended"):
        await world.open(product, start=end, now=end)


async def test_the_owner_asks_not_and_a_viewer_may_not(world: World) -> None:
    product = await world.publish()
    for asker in (OWNER, WATCHER):
        with pytest.raises(NotYoursError):
            await world.ask(product, by=asker)
    with pytest.raises(BadRequestForAccessError, match="passed"):
        await world.ask(product, ends_at=NOW)
    assert await world.ask(product, by=ADMIN)  # for the park's own people


async def test_a_call_reaches_no_further_back_than_the_product_nor_beyond_its_contract(world: World) -> None:
    contract = Contract(NOW - DAY, NOW + DAY)
    product, _grant = await world.granted(replace(WISH, contract=contract))
    assert await world.open(product, start=NOW - DAY)
    with pytest.raises(BeyondProductError, match="1 days back"):
        await world.open(product, start=NOW - DAY - timedelta(minutes=2))
    with pytest.raises(NoAccessError, match="contract does not hold"):
        await world.open(product, start=NOW + DAY, now=NOW + DAY)


async def test_a_unit_that_changed_in_the_plant_is_refused_and_never_answered_wrong(world: World) -> None:
    product, _grant = await world.granted()
    in_mw = node("copper", replace(POWER, unit="MW"), STEAM, LOT, SECRET)
    world.park = RunningPlant(replace(MODEL, nodes={**MODEL.nodes, "copper": in_mw}), 2, PARK.ids)
    with pytest.raises(SchemaBreachError, match=r"copper\.power"):
        await world.open(product)
    moved = replace(MODEL.nodes["copper"], tenant="glass")
    world.park = RunningPlant(replace(MODEL, nodes={**MODEL.nodes, "copper": moved}), 3, PARK.ids)
    with pytest.raises(SchemaBreachError, match=r"copper\.steam"):
        await world.open(product)


async def test_a_token_opens_its_grant_and_nothing_else(world: World) -> None:
    product, grant = await world.granted()
    other = await world.publish()
    async with world.database.session() as session:
        for stranger in (OWNER, THIRD, WATCHER):
            with pytest.raises(NotYoursError):
                await tokens.make_token(session, stranger, grant, name="planner", now=NOW)
        token = await tokens.make_token(session, ASKER, grant, name="planner", now=NOW)
    async with world.database.reading() as session:
        found = await tokens.grant_of_token(session, token)
        assert await tokens.grant_of_token(session, token[:-1]) is None
    assert found is not None
    row, opened = found
    assert token not in row.token_hash
    program = Caller(opened.consumer, "token planner", opened.id)
    assert (await world.open(product, program)).grant.id == grant
    with pytest.raises(NoAccessError):
        await world.open(other, program)
    async with world.database.session() as session:
        with pytest.raises(NotYoursError):
            await tokens.revoke_token(session, THIRD, row.id, now=NOW)
        await tokens.revoke_token(session, OWNER, row.id, now=NOW)
    async with world.database.reading() as session:
        assert await tokens.grant_of_token(session, token) is None


# --- counting


async def test_calls_are_counted_by_consumer_and_day_of_the_site_and_bounded_by_a_quota(world: World) -> None:
    product, grant = await world.granted(quota=2)
    opened = await world.open(product)
    async with world.database.session() as session:
        call = await counting.begin_call(session, opened, "arno", NOW)
        await counting.begin_call(session, opened, "token planner", NOW + timedelta(hours=1))
        await counting.end_call(session, call, rows=16, sent_bytes=900, duration_ms=5, is_whole=True)
    with pytest.raises(QuotaUsedError, match="2 calls"):
        async with world.database.session() as session:
            await counting.begin_call(session, opened, "arno", NOW)
    async with world.database.session() as session:  # 16:00 UTC is the next day in Shanghai
        await counting.begin_call(session, opened, "arno", NOW + timedelta(hours=4))
    async with world.database.reading() as session:
        row = (await catalogue.told(session, OWNER, product)).product
        use = await counting.use_by_day(session, OWNER, row, NOW.date() - DAY)
    assert [(one.consumer, one.day.day, one.calls, one.rows, one.sent_bytes) for one in use] == [
        ("carbon", 5, 1, 0, 0),
        ("carbon", 4, 2, 16, 900),
    ]
    assert grant


# --- contracts


async def test_a_silent_tag_is_a_breach_said_once_and_so_is_its_recovery(world: World) -> None:
    await world.publish(replace(WISH, contract=replace(WISH.contract, completeness=None)))
    for tag in (POWER, STEAM):
        await world.fill(tag, NOW - timedelta(minutes=10), NOW)
    assert await world.check(NOW) == []
    await world.fill(POWER, NOW, NOW + timedelta(minutes=20))
    later = NOW + timedelta(minutes=10)
    assert await world.check(later) == ["breached freshness"]
    assert await world.check(later + timedelta(minutes=1)) == []
    await world.fill(STEAM, later, later + timedelta(minutes=2))
    assert await world.check(later + timedelta(minutes=2)) == ["restored freshness"]
    assert await world.check(later + timedelta(minutes=3)) == []
    async with world.database.reading() as session:
        (breach,) = (await session.scalars(select(BreachRow))).all()
    assert (breach.rule, breach.tags) == ("freshness", ["copper.steam"])
    assert (breach.began_at, breach.ended_at) == (later, later + timedelta(minutes=2))


async def test_a_tag_that_sends_only_bad_values_is_not_fresh(world: World) -> None:
    await world.publish(replace(WISH, contract=replace(WISH.contract, completeness=None)))
    await world.fill(STEAM, NOW - timedelta(minutes=10), NOW)
    await world.fill(POWER, NOW - timedelta(minutes=10), NOW - timedelta(minutes=3))
    await world.fill(POWER, NOW - timedelta(minutes=3), NOW, quality=2)
    assert await world.check(NOW) == []  # the last good one is 4 min old
    assert await world.check(NOW + timedelta(minutes=3)) == ["breached freshness"]


async def test_a_day_that_lacks_samples_is_a_breach_until_a_day_is_whole_again(world: World) -> None:
    midnight = datetime(2026, 5, 3, 16, tzinfo=UTC)  # of 4 May in Shanghai
    product = await world.publish(replace(WISH, contract=Contract(midnight - DAY, completeness=0.9)))
    await world.fill(POWER, midnight - DAY, midnight + DAY)
    await world.fill(STEAM, midnight - DAY / 2, midnight + DAY)
    assert await world.check(midnight + timedelta(minutes=10)) == []  # the day's last samples may be on their way
    assert await world.check(midnight + timedelta(minutes=40)) == ["breached completeness"]
    assert await world.check(midnight + timedelta(minutes=41)) == []
    assert await world.check(midnight + DAY + timedelta(minutes=40)) == ["restored completeness"]
    async with world.database.reading() as session:
        days = (await session.scalars(select(DayRow).order_by(DayRow.day))).all()
    assert [(day.product_id, day.day.day, day.completeness, day.worst) for day in days[-2:]] == [
        (product, 3, 0.5, "copper.steam"),
        (product, 4, 1.0, "copper.power"),
    ]


async def test_a_tag_that_leaves_the_plant_breaches_the_schema(world: World) -> None:
    await world.publish(replace(WISH, contract=Contract(NOW - DAY)))
    assert await world.check(NOW) == []
    without = node("copper", POWER)
    world.park = RunningPlant(replace(MODEL, nodes={**MODEL.nodes, "copper": without}), 2, PARK.ids)
    assert await world.check(NOW) == ["breached schema"]
    world.park = PARK
    assert await world.check(NOW) == ["restored schema"]


async def test_everything_that_was_decided_is_in_the_audit_trail(world: World) -> None:
    product, grant = await world.granted()
    await world.change(product, replace(WISH, back_days=7))
    async with world.database.session() as session:
        await tokens.make_token(session, ASKER, grant, name="planner", now=NOW)
    await world.revoke(grant)
    async with world.database.reading() as session:
        actions = (await session.execute(select(AuditRow.actor, AuditRow.action).order_by(AuditRow.id))).all()
        kept = await session.get(GrantRow, grant)
    assert [tuple(one) for one in actions] == [
        ("olga", "exchange.product-published"),
        ("arno", "exchange.access-requested"),
        ("olga", "exchange.access-approved"),
        ("olga", "exchange.product-changed"),
        ("arno", "exchange.token-made"),
        ("olga", "exchange.access-revoked"),
    ]
    assert kept is not None
    assert (kept.decision, kept.revocation) == ("As agreed", "Misused")
