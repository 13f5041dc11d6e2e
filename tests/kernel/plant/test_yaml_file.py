import gc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.plant import yaml_file, yaml_tree
from athanor.kernel.plant.meter import Meter, Replacement
from athanor.kernel.plant.model import AlarmLimits, Level, Node, Plant, Tag, TagKind, Tenant
from athanor.kernel.plant.yaml_file import BadPlantFileError, load_plant, plant_of
from athanor.kernel.plant.yaml_tree import Fault

BAD = Path(__file__).parent / "bad"
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "plant-model.md"

HEAD = """
park: {id: jinluan, name: {en: Jinluan, zh_CN: 金銮}, timezone: Asia/Shanghai}
tenants: [{id: copper, name: {en: Copper}}, {id: gas, name: {en: Gas}}]
"""


def faults_of(text: str) -> list[tuple[int, str]]:
    with pytest.raises(BadPlantFileError) as caught:
        plant_of(text)
    return [(fault.line, fault.message) for fault in caught.value.faults]


def faults_if_any(text: str) -> list[Fault]:
    try:
        plant_of(text)
    except BadPlantFileError as error:
        return error.faults
    return []


@pytest.mark.parametrize("file", sorted(BAD.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_bad_file_is_refused_with_every_line_and_cure(file: Path) -> None:
    with pytest.raises(BadPlantFileError) as caught:
        load_plant(file)
    found = "".join(f"{fault.line}: {fault.message}\n" for fault in caught.value.faults)
    assert found == file.with_suffix(".txt").read_text(encoding="utf-8")


def test_the_error_names_file_and_line_of_each_fault() -> None:
    with pytest.raises(BadPlantFileError) as caught:
        load_plant(BAD / "unknown_unit.yaml")
    first, second, third = str(caught.value).splitlines()
    assert (
        first
        == f"{BAD}/unknown_unit.yaml does not describe a plant; what runs stays as it is. Correct and load it again:"
    )
    assert second.startswith(f"{BAD}/unknown_unit.yaml:7: 'kWhh' is no unit of measure")
    assert third.startswith(f"{BAD}/unknown_unit.yaml:13: 'bananas' is no unit of measure")


def test_a_plant_is_read_with_all_that_is_in_it() -> None:
    plant = plant_of(
        HEAD
        + """
sites:
  - id: smelter
    tenant: copper
    name: {en: Smelter, zh_CN: 冶炼厂}
    position: [37.77, 106.54]
    areas:
      - id: smelting
        name: {en: Smelting}
        units:
          - id: bath
            name: {en: Bath}
            assets:
              - id: furnace
                name: {en: Furnace}
                tags:
                  - {id: temperature, name: {en: Temperature}, unit: degC, range: [800, 1.5e+3], decimals: 1,
                     period_s: 1, alarm_limits: {low: 1150, high: 1250, high_high: 1280}}
                  - {id: mode, name: {en: Mode}, kind: state, states: {0: {en: "Off"}, 1: {en: "On", zh_CN: 开}}}
    assets:
      - {id: gate, tenant: gas, name: {en: Gate}, assets: [{id: 101, name: {en: Motor}}]}
"""
    )
    temperature = Tag(
        "smelter.smelting.bath.furnace.temperature",
        {"en": "Temperature"},
        "degC",
        low=800,
        high=1500,
        decimals=1,
        alarm_limits=AlarmLimits(low=1150, high=1250, high_high=1280),
        period_s=1,
    )
    mode = Tag(
        "smelter.smelting.bath.furnace.mode",
        {"en": "Mode"},
        "1",
        kind=TagKind.STATE,
        states={0: {"en": "Off"}, 1: {"en": "On", "zh_CN": "开"}},
    )
    nodes = [
        Node("smelter", Level.SITE, {"en": "Smelter", "zh_CN": "冶炼厂"}, "copper", position=(37.77, 106.54)),
        Node("smelter.smelting", Level.AREA, {"en": "Smelting"}, "copper"),
        Node("smelter.smelting.bath", Level.UNIT, {"en": "Bath"}, "copper"),
        Node("smelter.smelting.bath.furnace", Level.ASSET, {"en": "Furnace"}, "copper", tags=(temperature, mode)),
        Node("smelter.gate", Level.ASSET, {"en": "Gate"}, "gas"),
        Node("smelter.gate.101", Level.ASSET, {"en": "Motor"}, "gas"),
    ]
    assert plant == Plant(
        id="jinluan",
        name={"en": "Jinluan", "zh_CN": "金銮"},
        timezone="Asia/Shanghai",
        tenants={"copper": Tenant("copper", {"en": "Copper"}), "gas": Tenant("gas", {"en": "Gas"})},
        nodes={node.path: node for node in nodes},
    )
    assert list(plant.nodes) == [node.path for node in nodes]


def test_an_asset_has_its_types_tags_and_may_override_their_fields() -> None:
    plant = plant_of(
        HEAD
        + """
types:
  big_meter:
    name: {en: Big meter}
    extends: meter
    tags:
      - {id: power, range: [0, 90000]}
      - {id: current, name: {en: Current}, unit: A}
  meter:
    name: {en: Meter}
    tags:
      - {id: power, name: {en: Power}, unit: kW, range: [0, 5000], period_s: 5, role: meter.power}
      - {id: energy, name: {en: Energy}, unit: kWh, kind: counter}
sites:
  - id: s
    tenant: copper
    name: {en: S}
    assets:
      - {id: small, name: {en: Small}, type: meter}
      - id: big
        name: {en: Big}
        type: big_meter
        tags:
          - {id: power, period_s: null, role: null, decimals: 0}
          - {id: losses, name: {en: Losses}, unit: kW}
"""
    )
    power = Tag("s.small.power", {"en": "Power"}, "kW", low=0, high=5000, period_s=5, role="meter.power")
    energy = Tag("s.small.energy", {"en": "Energy"}, "kWh", kind=TagKind.COUNTER)
    assert plant.node("s.small").tags == (power, energy)
    assert plant.node("s.small").type == "meter"
    assert plant.node("s.big").tags == (
        Tag("s.big.power", {"en": "Power"}, "kW", low=0, high=90000, decimals=0),
        Tag("s.big.energy", {"en": "Energy"}, "kWh", kind=TagKind.COUNTER),
        Tag("s.big.current", {"en": "Current"}, "A"),
        Tag("s.big.losses", {"en": "Losses"}, "kW"),
    )


METERS = """
types:
  meter:
    name: {en: Meter}
    tags:
      - {id: energy, name: {en: Energy}, unit: kWh, kind: counter, decimals: 1, meter: {width: 1e6, max_rate_per_s: 2}}
"""


def meter_of(fields: str) -> Meter | None:
    """Of an asset's tag that lays these fields over the type's."""
    return (
        plant_of(
            HEAD
            + METERS
            + "sites: [{id: s, tenant: copper, name: {en: S}, assets: [{id: m, name: {en: M}, type: meter,"
            + " tags: [{id: energy, FIELDS}]}]}]".replace("FIELDS", fields)
        )
        .tag("s.m.energy")
        .meter
    )


def test_a_types_register_and_an_assets_replacements_are_laid_over_one_another() -> None:
    replaced = Replacement(datetime(2026, 2, 28, 22, tzinfo=UTC), 999_000.5, 12)
    assert meter_of("role: null") == Meter(1, 1e6, 2.0)
    assert meter_of(
        "meter: {replacements: [{at: 2026-03-01T06:00+08:00, old_final: 999000.5, new_initial: 12}]}"
    ) == Meter(1, 1e6, 2.0, (replaced,))
    assert meter_of("meter: {decimals: 3, max_rate_per_s: null}") == Meter(3, 1e6)
    assert meter_of("meter: null") is None


def test_a_class_of_retention_is_the_tags_or_its_types_or_the_nearest_nodes_above() -> None:
    plant = plant_of(
        HEAD
        + """
types:
  press:
    name: {en: Press}
    tags:
      - {id: force, name: {en: Force}, unit: kN, retention: fast}
      - {id: oil, name: {en: Oil}, unit: degC}
sites:
  - id: s
    tenant: copper
    name: {en: S}
    tags: [{id: power, name: {en: Power}, unit: kW}]
    areas:
      - id: a
        name: {en: A}
        retention: slow
        units:
          - id: u
            name: {en: U}
            assets:
              - {id: p, name: {en: P}, type: press}
              - {id: q, name: {en: Q}, type: press, retention: rare, tags: [{id: force, retention: null}]}
"""
    )
    assert {path: tag.retention for path, tag in plant.tags.items()} == {
        "s.power": "standard",
        "s.a.u.p.force": "fast",
        "s.a.u.p.oil": "slow",
        "s.a.u.q.force": "rare",
        "s.a.u.q.oil": "rare",
    }
    assert [node.retention for node in plant.nodes.values()] == ["standard", "slow", "slow", "slow", "rare"]


def test_words_that_yaml_takes_for_truths_or_numbers_stay_words() -> None:
    plant = plant_of(
        HEAD + "sites: [{id: no, tenant: copper, name: {en: on}, tags: [{id: 007, name: {en: 12:30}, unit: 1}]}]"
    )
    assert plant.node("no").name == {"en": "on"}
    assert plant.tag("no.007") == Tag("no.007", {"en": "12:30"}, "1")


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(HEAD + "sites: []", encoding="utf-8-sig")
    assert load_plant(file).id == "jinluan"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPlantFileError, match="No such file or directory"):
        load_plant(tmp_path / "nowhere.yaml")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPlantFileError, match="Is a directory"):
        load_plant(tmp_path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(yaml_tree.MAX_BYTES + 1)
    with pytest.raises(BadPlantFileError, match="at most 64 MiB are read"):
        load_plant(file)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_a_file_nested_without_end_is_refused(opening: str) -> None:
    (fault,) = faults_of("sites: \n  " + opening * 100_000)
    assert fault == (2, "The file is nested more than 64 deep. Take levels out of it.")


def test_many_faults_are_all_kept_though_not_all_shown() -> None:
    tags = "".join(f"      - {{id: t{number}, name: {{en: T}}, unit: zz}}\n" for number in range(60))
    with pytest.raises(BadPlantFileError) as caught:
        plant_of(HEAD + "sites:\n  - id: s\n    tenant: copper\n    name: {en: S}\n    tags:\n" + tags)
    assert len(caught.value.faults) == 60
    assert str(caught.value).endswith("\n… and 10 more.")


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (
            "types:\n  t0: {name: {en: T}}\n"
            + "".join(f"  t{number}: {{name: {{en: T}}, extends: t{number - 1}}}\n" for number in range(1000, 0, -1)),
            "More than 32 types extend one another. Use fewer.",
        ),
        (
            "types: {t: {name: {en: T}, tags: [{id: a, decimals: " + "9" * 5000 + "}]}}\n",
            "'decimals' should be a whole",
        ),
    ],
    ids=["long chain of types", "long number"],
)
def test_a_file_made_to_overload_the_reader_is_refused(head: str, message: str) -> None:
    assert any(fault[1].startswith(message) for fault in faults_of(HEAD + head + "sites: []"))


def test_a_small_file_of_large_types_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_file, "MAX_PATHS", 100)
    tags = ", ".join(f"{{id: t{number}, name: {{en: T}}, unit: kW}}" for number in range(20))
    assets = ", ".join(f"{{id: a{number}, name: {{en: A}}, type: big}}" for number in range(20))
    (fault,) = faults_of(
        HEAD
        + f"types: {{big: {{name: {{en: Big}}, tags: [{tags}]}}}}\n"
        + f"sites: [{{id: s, tenant: copper, name: {{en: S}}, assets: [{assets}]}}]\n"
    )
    assert fault[1] == "The plant has more than 100 assets and tags. Divide it into several."


def test_garbage_collection_goes_on_after_a_refused_file() -> None:
    with pytest.raises(BadPlantFileError):
        load_plant(BAD / "empty.yaml")
    assert gc.isenabled()


def test_the_manuals_example_is_a_plant() -> None:
    example = DOCUMENTATION.read_text(encoding="utf-8").split("```yaml\n", 1)[1].split("```", 1)[0]
    plant = plant_of(example)
    assert {node.level for node in plant.nodes.values()} == set(Level)
    assert {tag.role for tag in plant.tags.values()} >= {"tenant.power", "tenant.production"}


EXAMPLE = HEAD + (
    "types: {m: {name: {en: M}, tags: [{id: a, name: {en: A}, unit: kW}]}}\n"
    "sites: [{id: s, tenant: copper, name: {en: S}, position: [1, 2], assets: [{id: t, type: m, name: {en: T},\n"
    "  tags: [{id: a, range: [1, 2], alarm_limits: {low: 1}, states: {}, kind: analog, role: a.b}]}]}]\n"
)


@given(st.data())
def test_no_text_brings_the_reader_down(data: st.DataObject) -> None:
    """Cut, double and garble a good file: it is a plant or refused, never another error."""
    text = EXAMPLE
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 20)))
        text = text[:start] + data.draw(st.text("[]{}:,&*!%@`'\"#|>?- \n\tané0.~", max_size=5)) + text[end:]
    lines = text.count("\n") + 1
    assert all(1 <= fault.line <= lines for fault in faults_if_any(text))
