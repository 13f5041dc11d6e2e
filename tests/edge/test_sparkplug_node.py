"""What a host makes of an edge node's messages: order, aliases, births and deaths, after Sparkplug 3.0.0."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.edge.sparkplug_node import DataType, EdgeNode, Reading, Stale, Topic, value_of
from athanor.kernel.telemetry import Quality
from athanor.kernel.wire.sparkplug_b_pb2 import Payload

NOW_US = 1_780_000_000_000_000
AT_MS = 1_779_999_999_000


def topic(kind: str, device: str = "") -> Topic:
    return Topic("jinluan", kind, "node", device)


def payload(seq: int, *metrics: dict[str, Any], timestamp: int = AT_MS) -> Payload:
    made = Payload(timestamp=timestamp, seq=seq)
    for metric in metrics:
        made.metrics.add(**metric)
    return made


def birth(bd_seq: int = 7, seq: int = 0) -> Payload:
    return payload(seq, {"name": "bdSeq", "datatype": DataType.INT64, "long_value": bd_seq})


def death(bd_seq: int) -> Payload:
    made = Payload()
    made.metrics.add(name="bdSeq", datatype=DataType.INT64, long_value=bd_seq)
    return made


def speed(value: float) -> dict[str, Any]:
    return {"alias": 5, "double_value": value}


DEVICE_BIRTH = {"name": "Speed/RMS", "alias": 5, "datatype": DataType.DOUBLE, "double_value": 1.0}


@pytest.fixture
def node() -> EdgeNode:
    """A node that was born, and its device fan too."""
    born = EdgeNode(reorder_timeout_s=2.0)
    born.take(topic("NBIRTH"), birth(), NOW_US, 0.0)
    born.take(topic("DBIRTH", "fan"), payload(1, DEVICE_BIRTH), NOW_US, 0.0)
    return born


def said(news: list[Reading | Stale]) -> list[float | str | None]:
    return [item.value for item in news if isinstance(item, Reading)]


def test_a_birth_says_values_and_gives_aliases_their_names(node: EdgeNode) -> None:
    (reading,) = node.take(topic("DDATA", "fan"), payload(2, speed(2.5)), NOW_US, 0.0)
    assert reading == Reading("fan", "Speed/RMS", AT_MS * 1000, 2.5, Quality.GOOD)


def test_a_metrics_own_time_comes_before_its_payloads(node: EdgeNode) -> None:
    (reading,) = node.take(topic("DDATA", "fan"), payload(2, speed(1) | {"timestamp": 5}), NOW_US, 0.0)
    (without,) = node.take(topic("DDATA", "fan"), payload(3, speed(1), timestamp=0), NOW_US, 0.0)
    assert (reading.time_us, without.time_us) == (5_000, NOW_US)


def test_messages_that_changed_places_are_put_in_order(node: EdgeNode) -> None:
    assert node.take(topic("DDATA", "fan"), payload(3, speed(3)), NOW_US, 0.0) == []
    assert said(node.take(topic("DDATA", "fan"), payload(2, speed(2)), NOW_US, 0.5)) == [2.0, 3.0]
    assert (node.gaps, node.asks_for_rebirth(10.0)) == (0, False)


def test_a_message_that_never_comes_is_waited_for_then_a_rebirth_asked(node: EdgeNode) -> None:
    node.take(topic("DDATA", "fan"), payload(4, speed(4)), NOW_US, 1.0)
    assert node.tick(2.9) == []
    assert not node.asks_for_rebirth(2.9)
    assert said(node.tick(3.0)) == [4.0]
    assert node.gaps == 2
    assert node.asks_for_rebirth(3.0)
    assert not node.asks_for_rebirth(3.1)
    assert said(node.take(topic("DDATA", "fan"), payload(5, speed(5)), NOW_US, 3.2)) == [5.0]


def test_a_rebirth_is_asked_at_most_every_ten_seconds() -> None:
    node = EdgeNode(2.0)
    asked = []
    for second in range(25):
        node.take(topic("NDATA"), payload(second), NOW_US, float(second))
        asked.append(node.asks_for_rebirth(float(second)))
    assert [second for second, is_asked in enumerate(asked) if is_asked] == [0, 10, 20]


def test_sequence_numbers_wrap_after_255(node: EdgeNode) -> None:
    heard = [
        value
        for number in range(2, 600)
        for value in said(node.take(topic("DDATA", "fan"), payload(number % 256, speed(number)), NOW_US, 0.0))
    ]
    assert heard == [float(number) for number in range(2, 600)]
    assert node.gaps == 0


def test_a_death_with_the_births_number_makes_all_stale(node: EdgeNode) -> None:
    assert node.take(topic("NDEATH"), death(6), NOW_US, 0.0) == []
    assert node.take(topic("NDEATH"), death(7), NOW_US, 0.0) == [Stale(None, NOW_US)]
    assert node.take(topic("DDATA", "fan"), payload(2, speed(2)), NOW_US, 0.0) == []
    assert node.asks_for_rebirth(100.0)


def test_a_devices_death_makes_it_stale_at_the_payloads_time(node: EdgeNode) -> None:
    assert node.take(topic("DDEATH", "fan"), payload(2), NOW_US, 0.0) == [Stale("fan", AT_MS * 1000)]


def test_a_birth_of_another_session_makes_stale_what_was_before(node: EdgeNode) -> None:
    assert node.take(topic("NBIRTH"), birth(bd_seq=7), NOW_US, 0.0) == []
    assert node.take(topic("NBIRTH"), birth(bd_seq=8), NOW_US, 0.0) == [Stale(None, NOW_US)]


def test_a_metric_without_a_birth_asks_for_one(node: EdgeNode) -> None:
    assert node.take(topic("DDATA", "fan"), payload(2, {"alias": 99, "double_value": 1.0}), NOW_US, 0.0) == []
    assert node.asks_for_rebirth(100.0)


def test_null_stale_and_historical_are_what_they_say(node: EdgeNode) -> None:
    null, stale, old = {"alias": 5, "is_null": True}, speed(1), speed(2) | {"is_historical": True}
    message = payload(2, null, stale, old)
    quality = message.metrics[1].properties
    quality.keys.append("Quality")
    quality.values.add(type=DataType.INT32, int_value=500)
    first, second, third = node.take(topic("DDATA", "fan"), message, NOW_US, 0.0)
    assert isinstance(first, Reading)
    assert isinstance(second, Reading)
    assert isinstance(third, Reading)
    assert (first.value, first.quality) == (None, Quality.BAD)
    assert (second.value, second.quality) == (None, Quality.BAD)
    assert (third.value, third.is_historical) == (2.0, True)


def test_a_type_that_no_sample_can_hold_is_bad(node: EdgeNode) -> None:
    (reading,) = node.take(
        topic("DDATA", "fan"), payload(2, {"alias": 5, "datatype": 17, "bytes_value": b"wave"}), NOW_US, 0.0
    )
    assert isinstance(reading, Reading)
    assert (reading.quality, reading.is_decodable) == (Quality.BAD, False)


@given(
    kinds=st.sampled_from(["NDATA", "DDATA", "DBIRTH", "DDEATH", "NBIRTH", "NDEATH"]).flatmap(
        lambda kind: st.tuples(st.just(kind), st.integers(0, 2**64 - 1), st.binary(max_size=30))
    )
)
def test_no_message_brings_a_node_down(kinds: tuple[str, int, bytes]) -> None:
    kind, seq, body = kinds
    node = EdgeNode(1.0)
    node.take(topic("NBIRTH"), birth(), NOW_US, 0.0)
    message = payload(seq, {"name": "m", "datatype": seq % 40, "bytes_value": body})
    node.take(topic(kind, "fan"), message, NOW_US, 0.0)
    node.tick(10.0)
    assert said(node.take(topic("NBIRTH"), birth(), NOW_US, 11.0)) == []


@given(number=st.integers(-(2**31), 2**31 - 1))
def test_signed_numbers_travel_as_twos_complement(number: int) -> None:
    (unsigned,) = struct.unpack("<I", struct.pack("<i", number))
    assert value_of(Payload.Metric(int_value=unsigned), DataType.INT32) == number
    assert value_of(Payload.Metric(long_value=number & (2**64 - 1)), DataType.INT64) == number


@pytest.mark.parametrize("bits", [0xFFFF_FFFF, 0xFF])
def test_a_small_negative_is_understood_in_both_spellings(bits: int) -> None:
    assert value_of(Payload.Metric(int_value=bits), DataType.INT8) == -1


@pytest.mark.parametrize(
    ("metric", "kind", "value"),
    [
        ({"boolean_value": True}, DataType.BOOLEAN, 1.0),
        ({"string_value": "open"}, DataType.STRING, "open"),
        ({"float_value": 0.5}, DataType.FLOAT, 0.5),
        ({"int_value": 4_000_000_000}, DataType.UINT32, 4e9),
        ({"long_value": 1_500}, DataType.DATETIME, "1970-01-01T00:00:01.500000+00:00"),
    ],
)
def test_each_basic_type_has_a_value(metric: dict[str, Any], kind: DataType, value: float | str) -> None:
    assert value_of(Payload.Metric(**metric), kind) == value


def test_topics_of_nodes_are_told_from_others() -> None:
    assert Topic.parse("spBv1.0/g/DDATA/n/d") == Topic("g", "DDATA", "n", "d")
    assert Topic.parse("spBv1.0/STATE/athanor") is None
    assert Topic.parse("park/air/1/x") is None
