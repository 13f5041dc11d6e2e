from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.user import Share
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import LentForReadingError, RunningPlant


def tag(path: str) -> Tag:
    return Tag(path, {"en": path}, "kW")


def node(path: str, tenant: str, level: Level = Level.ASSET) -> Node:
    return Node(path, level, {"en": path}, tenant, tags=(tag(f"{path}.power"),))


@pytest.fixture
def running() -> RunningPlant:
    """A copper smelter in which the gas works have a meter, and the gas works."""
    nodes = [
        node("smelter", "copper", Level.SITE),
        node("smelter.meter", "gas"),
        node("smelter.meter.clock", "copper"),
        node("works", "gas", Level.SITE),
    ]
    tenants = {key: Tenant(key, {"en": key}) for key in ("copper", "gas")}
    plant = Plant("park", {"en": "Park"}, "Asia/Shanghai", tenants, {node.path: node for node in nodes})
    return RunningPlant(plant, 7, {path: TagId(10 + number) for number, path in enumerate(plant.tags)})


def test_ids_paths_and_tags_lead_to_one_another(running: RunningPlant) -> None:
    assert running.id_of("smelter.meter.power") == 11
    assert running.path_of(TagId(11)) == "smelter.meter.power"
    assert running.tag_of(TagId(11)) == tag("smelter.meter.power")
    ids = running.ids_of(["works.power", "smelter.power"])
    assert (ids.dtype, ids.tolist()) == (np.int32, [13, 10])


def test_unknown_ids_and_paths_are_not_found(running: RunningPlant) -> None:
    with pytest.raises(NotFoundError, match="tag 'nowhere'"):
        running.id_of("nowhere")
    with pytest.raises(NotFoundError, match="tag 'nowhere'"):
        running.ids_of(["works.power", "nowhere"])
    with pytest.raises(NotFoundError, match="tag 99"):
        running.path_of(TagId(99))


@given(
    known=st.lists(st.text("abc.", max_size=4), unique=True, max_size=20),
    asked=st.lists(st.none() | st.text("abc.", max_size=4), max_size=30),
    repeated=st.sampled_from([1, 5000]),  # few are looked up one by one, many by Arrow
)
def test_a_look_up_gives_each_path_its_id_and_unknown_ones_minus_one(
    known: list[str], asked: list[str | None], repeated: int
) -> None:
    ids = {path: TagId(3 * number + 1) for number, path in enumerate(known)}
    running = RunningPlant(Plant("park", {}, "UTC", {}, {}), 1, ids)
    found = running.lookup(pa.array(asked * repeated, pa.string()))
    assert found.dtype == np.int32
    assert found.tolist() == [-1 if path is None else ids.get(path, -1) for path in asked] * repeated


def test_who_may_see_all_sees_the_same_plant(running: RunningPlant) -> None:
    assert running.visible_to(None) is running


def test_a_tenant_sees_its_own_nodes_and_no_others(running: RunningPlant) -> None:
    seen = running.visible_to(frozenset({"copper"}))
    assert list(seen.model.nodes) == ["smelter", "smelter.meter.clock"]
    assert list(seen.model.tenants) == ["copper"]
    assert dict(seen.ids) == {"smelter.power": 10, "smelter.meter.clock.power": 12}
    assert seen.version == 7
    with pytest.raises(NotFoundError):
        seen.id_of("works.power")
    with pytest.raises(NotFoundError):
        seen.path_of(TagId(13))
    assert seen.lookup(pa.array(["works.power", "smelter.power"])).tolist() == [-1, 10]


def test_who_belongs_nowhere_sees_nothing(running: RunningPlant) -> None:
    seen = running.visible_to(frozenset())
    assert (dict(seen.model.nodes), dict(seen.ids)) == ({}, {})


# --- what others share

JUNE, JULY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def neighbours() -> RunningPlant:
    """A copper smelter with a hall, in it a furnace of three tags and, below that, a meter of the gas works."""
    furnace = Node(
        "smelter.hall.furnace",
        Level.UNIT,
        {"en": "Furnace"},
        "copper",
        type="furnace",
        position=(31.0, 117.0),
        tags=(
            Tag("smelter.hall.furnace.power", {}, "kW"),
            Tag("smelter.hall.furnace.mode", {}, "1", TagKind.STATE),
            Tag("smelter.hall.furnace.energy", {}, "kWh", TagKind.COUNTER),
        ),
    )
    nodes = [
        node("smelter", "copper", Level.SITE),
        node("smelter.hall", "copper", Level.AREA),
        furnace,
        node("smelter.hall.furnace.meter", "gas"),
        node("smelter.hallway", "copper", Level.AREA),
        node("works", "gas", Level.SITE),
        node("mill", "paper", Level.SITE),
    ]
    tenants = {key: Tenant(key, {"en": key}) for key in ("copper", "gas", "paper")}
    plant = Plant("park", {"en": "Park"}, "Asia/Shanghai", tenants, {node.path: node for node in nodes})
    return RunningPlant(plant, 7, {path: TagId(number) for number, path in enumerate(plant.tags)})


PAPER = frozenset({"paper"})


def test_a_share_lets_an_area_be_seen_with_the_names_above_it_and_nothing_beside(neighbours: RunningPlant) -> None:
    seen = neighbours.visible_to(PAPER, (Share("copper", "smelter.hall"),))
    assert list(seen.model.nodes) == ["smelter", "smelter.hall", "smelter.hall.furnace", "mill"]
    assert list(seen.model.tenants) == ["copper", "paper"]
    assert set(seen.ids) == {
        "smelter.hall.power",
        "smelter.hall.furnace.power",
        "smelter.hall.furnace.mode",
        "smelter.hall.furnace.energy",
        "mill.power",
    }
    assert all(seen.ids[path] == neighbours.ids[path] for path in seen.ids)
    furnace = neighbours.model.nodes["smelter.hall.furnace"]
    assert seen.model.nodes["smelter.hall.furnace"] == furnace


def test_what_is_above_a_share_is_a_name_only(neighbours: RunningPlant) -> None:
    seen = neighbours.visible_to(PAPER, (Share("copper", "smelter.hall.furnace", frozenset({"state"})),))
    assert list(seen.model.nodes) == ["smelter", "smelter.hall", "smelter.hall.furnace", "mill"]
    assert seen.model.nodes["smelter.hall"].name == {"en": "smelter.hall"}
    assert set(seen.ids) == {"smelter.hall.furnace.mode", "mill.power"}


def test_a_share_holds_nothing_of_third_parties(neighbours: RunningPlant) -> None:
    seen = neighbours.visible_to(PAPER, (Share("gas", "smelter"),))
    assert list(seen.model.nodes) == ["smelter.hall.furnace.meter", "mill"]  # the copper smelter's own are not gas'
    assert list(seen.model.tenants) == ["gas", "paper"]


@pytest.mark.parametrize(
    ("shares", "since"),
    [
        ((Share("copper", "smelter.hall"),), {}),
        ((Share("copper", "smelter.hall.furnace", frozenset(), JUNE),), {"power": JUNE, "mode": JUNE, "energy": JUNE}),
        (
            (
                Share("copper", "smelter.hall.furnace", frozenset(), JULY),
                Share("copper", "smelter", frozenset({"analog"})),
                Share("copper", "smelter.hall", frozenset({"state"}), JUNE),
            ),
            {"mode": JUNE, "energy": JULY},
        ),
    ],
)
def test_of_several_shares_the_most_generous_says_how_far_back(
    neighbours: RunningPlant, shares: tuple[Share, ...], since: dict[str, datetime]
) -> None:
    seen = neighbours.visible_to(PAPER, shares)
    assert seen.since == {seen.ids[f"smelter.hall.furnace.{tag}"]: moment for tag, moment in since.items()}


def test_what_is_lent_is_read_and_not_written(neighbours: RunningPlant) -> None:
    seen = neighbours.visible_to(PAPER, (Share("copper", "smelter.hall"),))
    seen.check_owned("mill")
    seen.check_owned("mill.power")
    assert (seen.owns("mill.power"), seen.owns("smelter.hall.power"), seen.owns("smelter")) == (True, False, False)
    for path in ("smelter.hall", "smelter.hall.furnace.power", "smelter"):
        with pytest.raises(LentForReadingError, match=path):
            seen.check_owned(path)
    for path in ("works", "works.power", "nowhere"):
        assert not seen.owns(path)
        with pytest.raises(NotFoundError):
            seen.check_owned(path)
    assert neighbours.owns("smelter.hall.power")


@given(
    tenants=st.frozensets(st.sampled_from(["copper", "gas", "paper"])),
    shares=st.lists(
        st.builds(
            Share,
            st.sampled_from(["copper", "gas", "paper"]),
            st.sampled_from(["smelter", "smelter.hall", "smelter.hall.furnace", "works", "mill", "gone"]),
            st.frozensets(st.sampled_from(["analog", "state", "counter"]), max_size=2),
            st.sampled_from([None, JUNE, JULY]),
        ),
        max_size=4,
    ).map(tuple),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_sees_ones_own_and_what_is_shared_and_nothing_else(
    neighbours: RunningPlant, tenants: frozenset[str], shares: tuple[Share, ...]
) -> None:
    def is_shared(path: str) -> bool:
        tag, owner = neighbours.model.tags[path], neighbours.model.tenant_of(path).id
        return any(
            share.tenant == owner
            and f"{path}.".startswith(f"{share.area}.")
            and (not share.kinds or tag.kind in share.kinds)
            for share in shares
        )

    seen = neighbours.visible_to(tenants, shares)
    own = {path for path in neighbours.ids if neighbours.model.tenant_of(path).id in tenants}
    assert set(seen.ids) == own | {path for path in neighbours.ids if is_shared(path)}
    assert {path for path in seen.ids if seen.owns(path)} == own
    assert set(seen.since) <= {seen.ids[path] for path in seen.ids.keys() - own}
    order = list(neighbours.model.nodes)
    assert list(seen.model.nodes) == sorted(seen.model.nodes, key=order.index)
    assert {one.tenant for one in seen.model.nodes.values()} <= seen.model.tenants.keys()
