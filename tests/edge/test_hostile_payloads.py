"""Whatever bytes come over MQTT, the connectors go on, and what they pass on makes a sound batch."""

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from athanor.edge.buffer import Buffer
from athanor.edge.collector import Collector
from athanor.edge.config import CollectorConfig, MqttSource, SparkplugSource
from athanor.edge.mqtt_json import MqttJsonConnector
from athanor.edge.sink import SourceSink
from athanor.edge.source import SourceStatus
from athanor.edge.sparkplug import SparkplugConnector
from athanor.kernel.telemetry import decode
from athanor.kernel.wire.sparkplug_b_pb2 import Payload

MQTT = MqttSource.model_validate(
    {
        "id": "air",
        "protocol": "mqtt",
        "url": "mqtt://broker",
        "tags": {
            "a.number": {"topic": "t", "value": "v", "time": "t", "time_format": "epoch_ms", "quality": "q"},
            "a.text": {"topic": "t", "value": "v", "type": "text", "time": "t"},
            "a.plain": {"topic": "t"},
        },
    }
)
SPARKPLUG = SparkplugSource.model_validate(
    {
        "id": "vibration",
        "protocol": "sparkplug",
        "url": "mqtt://broker",
        "groups": ["g"],
        "tags": {"a.node": {"metric": "g/n/m"}, "a.device": {"metric": "g/n/d/m"}},
    }
)
KINDS = ["NBIRTH", "NDEATH", "NDATA", "DBIRTH/d", "DDEATH/d", "DDATA/d", "NCMD", "STATE", "X"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("vtq"), inner, max_size=3),
    max_leaves=8,
)
uint64 = st.integers(0, 2**64 - 1)
metrics = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["m", "bdSeq", "", "other"]),
        "alias": st.integers(0, 3),
        "timestamp": uint64,
        "datatype": st.integers(0, 40),
        "is_null": st.booleans(),
        "long_value": uint64,
        "double_value": st.floats(),
        "string_value": st.text(st.characters(codec="utf-8"), max_size=5),
    },
)


@st.composite
def sparkplug_payloads(draw: st.DrawFn) -> bytes:
    payload = Payload(timestamp=draw(uint64), seq=draw(st.integers(0, 3) | uint64))
    for metric in draw(st.lists(metrics, max_size=4)):
        payload.metrics.add(**metric)
    return bytes(payload.SerializeToString())


class Hearing:
    """A source's way to the buffer."""

    def __init__(self, buffer: Buffer) -> None:
        self.status = SourceStatus("s", "p", "a", 3)
        self._buffer = buffer
        self._collector = Collector(buffer, CollectorConfig.model_validate({}))
        self.sink = SourceSink(self._collector, self.status)

    async def check(self) -> None:
        """All that was heard reaches the buffer as batches that decode."""
        await self._collector.flush()
        for batch in await self._buffer.read(0, 10**9, 10**9):
            assert decode(batch.body).num_rows == batch.rows


@given(bodies=st.lists(st.binary() | json_values.map(lambda value: json.dumps(value).encode()), max_size=20))
async def test_any_json_payload(tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("json")
    buffer = await Buffer.open(folder / "b.sqlite", 10_000_000)
    hearing, connector = Hearing(buffer), MqttJsonConnector(MQTT)
    for body in bodies:
        connector.take("t", body, hearing.sink, hearing.status)
    await hearing.check()
    await buffer.close()
    assert hearing.status.counters.samples == 3 * len(bodies)


@example(messages=[("NBIRTH", Payload(metrics=[{"name": "bdSeq", "string_value": ""}]).SerializeToString())])
@example(messages=[("NBIRTH", Payload(metrics=[{"name": "bdSeq", "double_value": math.nan}]).SerializeToString())])
@given(messages=st.lists(st.tuples(st.sampled_from(KINDS), st.binary() | sparkplug_payloads()), max_size=20))
async def test_any_sparkplug_payload(
    tmp_path_factory: pytest.TempPathFactory, messages: list[tuple[str, bytes]]
) -> None:
    folder = tmp_path_factory.mktemp("sparkplug")
    buffer = await Buffer.open(folder / "b.sqlite", 10_000_000)
    hearing, connector = Hearing(buffer), SparkplugConnector(SPARKPLUG)
    for second, (kind, body) in enumerate(messages):
        place, _, device = kind.partition("/")
        topic = f"spBv1.0/g/{place}/n" + (f"/{device}" if device else "")
        connector.take(topic, body, hearing.sink, hearing.status, float(second))
        connector.tick(hearing.sink, hearing.status, float(second))
    await hearing.check()
    await buffer.close()
