"""Every tag has one address, and no two share a register, a metric or a place in a message."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.demo.servers.modbus import registers_of
from athanor.demo.wiring import REGISTERS, Addresses, ModbusAddress, Table, Wiring, WordOrder, edge_config, wire
from athanor.kernel.plant.model import Plant
from athanor.kernel.units import conversion

ADDRESSES = Addresses("opc.tcp://127.0.0.1:4840/", "127.0.0.1", 5020, 5021, "mqtt://127.0.0.1:1883")


@pytest.fixture(scope="module")
def wiring(plant: Plant) -> Wiring:
    return wire(plant)


def test_every_tag_is_wired_exactly_once(plant: Plant, wiring: Wiring) -> None:
    wired = Counter(
        path for part in (wiring.opcua, wiring.meters, wiring.plc, wiring.sparkplug, wiring.json) for path in part
    )
    assert wired == Counter(list(plant.tags))


def test_the_dcs_serves_about_five_hundred_tags(wiring: Wiring) -> None:
    assert 450 < len(wiring.opcua) < 600


def cells(address: ModbusAddress) -> list[tuple[int, Table, int]]:
    return [(address.unit_id, address.table, address.register + offset) for offset in range(REGISTERS[address.type])]


@pytest.mark.parametrize("server", ["meters", "plc"])
def test_no_two_tags_share_a_register(wiring: Wiring, server: str) -> None:
    taken = Counter(cell for address in getattr(wiring, server).values() for cell in cells(address))
    assert max(taken.values()) == 1
    assert max(register for _, _, register in taken) < 65_536


def test_makers_differ_in_type_order_table_and_unit(wiring: Wiring) -> None:
    addresses = [*wiring.meters.values(), *wiring.plc.values()]
    assert {address.type for address in addresses} == set(REGISTERS)
    assert {address.word_order for address in addresses if REGISTERS[address.type] > 1} == set(WordOrder)
    assert {address.table for address in addresses} == set(Table)
    assert {address.unit for address in addresses} == {None, "W"}


@pytest.mark.parametrize("server", ["meters", "plc"])
def test_a_register_holds_the_whole_range_of_its_tag(plant: Plant, wiring: Wiring, server: str) -> None:
    for path, address in getattr(wiring, server).items():
        if not address.type.startswith(("int", "uint")):
            continue
        bounds, tag = np.iinfo(address.type), plant.tag(path)
        assert bounds.min <= (tag.low or 0) / address.scale, path
        assert (tag.high or 0) / address.scale <= bounds.max + 0.5, path


def test_metrics_and_places_in_messages_are_distinct(wiring: Wiring) -> None:
    assert max(Counter(address.name for address in wiring.sparkplug.values()).values()) == 1
    assert max(Counter((address.topic, address.value) for address in wiring.json.values()).values()) == 1


def test_units_on_the_wire_convert_into_the_tags_own(plant: Plant, wiring: Wiring) -> None:
    for part in (wiring.meters, wiring.plc, wiring.json):
        for path, address in part.items():
            conversion(address.unit or plant.tag(path).unit, plant.tag(path).unit)


def test_the_edges_file_holds_every_tag_and_the_addresses_given(plant: Plant, wiring: Wiring) -> None:
    config = edge_config(wiring, ADDRESSES, "http://127.0.0.1:8080")
    assert config["uplink"]["url"] == "http://127.0.0.1:8080"
    assert sorted(tag for source in config["sources"] for tag in source["tags"]) == sorted(plant.tags)
    assert [source["protocol"] for source in config["sources"]] == ["opcua", "modbus", "modbus", "sparkplug", "mqtt"]
    assert [source.get("port") for source in config["sources"][1:3]] == [5020, 5021]


def test_no_tag_is_due_more_often_than_its_source_is_read(plant: Plant, wiring: Wiring) -> None:
    for source in edge_config(wiring, ADDRESSES, "http://127.0.0.1:8080")["sources"]:
        read_every_s = source.get("period_s", source.get("publishing_interval_s", 0))
        assert [path for path in source["tags"] if (plant.tag(path).period_s or np.inf) < read_every_s] == []


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (WordOrder.ABCD, [0x42F6, 0xE979]),
        (WordOrder.CDAB, [0xE979, 0x42F6]),
        (WordOrder.BADC, [0xF642, 0x79E9]),
        (WordOrder.DCBA, [0x79E9, 0xF642]),
    ],
)
def test_word_orders_are_the_published_ones(order: WordOrder, words: list[int]) -> None:
    assert registers_of(123.456, "float32", order) == words  # protocols.md, example 4


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from(sorted(set(REGISTERS) - {"bool"})))
def test_a_number_beyond_its_type_is_held_at_the_end_of_its_range(number: float, type_: str) -> None:
    words = registers_of(number, type_, WordOrder.ABCD)
    assert len(words) == REGISTERS[type_]
    raw = np.array(words, ">u2").tobytes()
    decoded = float(np.frombuffer(raw, np.dtype(type_).newbyteorder(">"))[0])
    if type_.startswith("float"):
        assert decoded == number
    else:
        bounds = np.iinfo(type_)
        assert decoded == pytest.approx(min(max(round(number), bounds.min), bounds.max))
