"""Finding tags by words and by the way down the plant."""

import pytest

from athanor.kernel.plant.finding import all_below, find_tags, right_below, way_to
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.plant.search import entry, search

TEMPERATURE = Tag("works.furnace.temperature", {"en": "Temperature", "zh_CN": "温度"}, "degC")
POWER = Tag("works.furnace.power", {"en": "Power"}, "kW")
NOTE = Tag("works.note", {"en": "Note"}, "1", TagKind.TEXT)
NODES = (
    Node("works", Level.SITE, {"en": "Works", "zh_CN": "工厂"}, "copper", tags=(NOTE,)),
    Node("works.furnace", Level.ASSET, {"en": "Furnace"}, "copper", tags=(TEMPERATURE, POWER)),
    Node("works.furnace.fan", Level.ASSET, {"en": "Fan"}, "park"),
)
MODEL = Plant(
    "park",
    {"en": "Park"},
    "UTC",
    {name: Tenant(name, {"en": name}) for name in ("copper", "park")},
    {node.path: node for node in NODES},
)
PLANT = RunningPlant(MODEL, 1, {path: TagId(number) for number, path in enumerate(MODEL.tags, 1)})


def is_number(tag: Tag) -> bool:
    return tag.kind is not TagKind.TEXT


ENTRIES = [
    entry("smelter.furnace.temperature", ["Bath temperature", "熔体温度"], ["Furnace", "熔炼炉"]),
    entry("smelter.furnace.power", ["Active power", "有功功率"], ["Furnace", "熔炼炉"]),
    entry("kilns.kiln.power", ["Furnace power", "窑功率"], ["Kiln", "窑"]),
]


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ("furnace power", ["kilns.kiln.power", "smelter.furnace.power"]),
        ("熔炼炉 温度", ["smelter.furnace.temperature"]),
        ("SMELTER.FURN", ["smelter.furnace.temperature", "smelter.furnace.power"]),
        ("nothing like it", []),
        ("   ", []),
    ],
)
def test_tags_are_found_by_all_words_in_any_language_own_names_first(wish: str, found: list[str]) -> None:
    assert search(ENTRIES, wish, 50) == (found, len(found))


def test_a_search_tells_how_many_it_left_out() -> None:
    assert search(ENTRIES, "power", 1) == (["smelter.furnace.power"], 2)


def test_tags_are_found_in_any_language_as_far_as_they_are_offered() -> None:
    assert find_tags(PLANT, "furnace 温度").tags == [TEMPERATURE]
    assert find_tags(PLANT, "note").tags == [NOTE]
    assert find_tags(PLANT, "note", is_number).total == 0
    assert find_tags(PLANT, "  ").total == 0


def test_the_way_down_the_plant() -> None:
    assert right_below(PLANT, None) == ([NODES[0]], [])
    assert right_below(PLANT, "works") == ([NODES[1]], [NOTE])
    assert right_below(PLANT, "works", is_number) == ([NODES[1]], [])
    assert right_below(PLANT, "gone") == ([], [])
    assert way_to(PLANT, "works.furnace.gone") == [NODES[0], NODES[1]]
    assert right_below(PLANT.visible_to(frozenset({"park"})), None) == ([NODES[2]], [])


def test_everything_below_a_place() -> None:
    assert list(all_below(PLANT, "works.furnace")) == [TEMPERATURE, POWER]
    assert list(all_below(PLANT, None)) == [NOTE, TEMPERATURE, POWER]
    assert list(all_below(PLANT, "works", is_number)) == [TEMPERATURE, POWER]
    assert list(all_below(PLANT, "gone")) == []
