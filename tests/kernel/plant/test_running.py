import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.errors import NotFoundError
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, Tenant
from athanor.kernel.plant.running import RunningPlant


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
