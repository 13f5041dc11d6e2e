"""JSON over MQTT against amqtt, and against Mosquitto where it is installed."""

import asyncio
import json
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.edge.config import MqttSource
from athanor.edge.mqtt_json import UndecodablePayloadError, look_up, quality_of_da
from athanor.edge.source import SourceState
from athanor.kernel.telemetry import Quality

from .peers import Edge, free_port, mqtt_broker, until

TOPIC = "park/air/1"


def source(port: int, tags: dict[str, Any] | None = None) -> MqttSource:
    pm25 = {"topic": TOPIC, "value": "pm25.value", "time": "ts", "quality": "pm25.quality", "unit": "ug/m3"}
    return MqttSource.model_validate(
        {"id": "air", "protocol": "mqtt", "url": f"mqtt://127.0.0.1:{port}", "tags": tags or {"a.pm25": pm25}}
    )


def payload(value: Any, *, time: Any = "2026-06-01T20:00:00+08:00", quality: Any = "good") -> str:
    return json.dumps({"ts": time, "pm25": {"value": value, "quality": quality}})


async def publish(port: int, *messages: tuple[str, bytes | str]) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for topic, body in messages:
            await client.publish(topic, body, qos=1)


@asynccontextmanager
async def mosquitto(program: Path, port: int, *options: str) -> AsyncIterator[None]:
    command = [str(program), *(options or ("-p", str(port)))]
    process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def test_a_value_arrives_with_time_quality_and_unit(edge: Edge) -> None:
    port = free_port()
    async with mqtt_broker(port):
        status = edge.run(source(port))
        await until(lambda: status.state is SourceState.CONNECTED)
        await publish(port, (TOPIC, payload(35.5, quality="uncertain")))
        heard = await edge.hears("a.pm25")
    assert (heard.value, heard.quality, heard.unit) == (35.5, Quality.UNCERTAIN, "ug/m3")
    assert heard.time == datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (payload(35.5)[:-9], "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (payload("much"), "a number is expected, and there is 'much'"),
        (payload([35.5]), "a number is expected"),
        (json.dumps({"ts": "2026-06-01T12:00:00Z"}), "There is no 'pm25'"),
        (json.dumps([1, 2]), "There is no"),
        (payload(35.5, time="yesterday"), "is no time in iso"),
        (payload(35.5, time=12), "is no time in iso"),
        (payload(35.5, quality="fine"), "is no quality"),
        (b"[" * 5000, "no JSON"),
    ],
)
async def test_a_payload_that_makes_no_sense_is_bad_counted_and_said(edge: Edge, body: bytes | str, said: str) -> None:
    port = free_port()
    async with mqtt_broker(port):
        status = edge.run(source(port))
        await until(lambda: status.state is SourceState.CONNECTED)
        await publish(port, (TOPIC, body))
        bad = await edge.hears("a.pm25")
        assert status.error is not None
        assert said in status.error
        await publish(port, (TOPIC, payload(35.5)))
        good = await edge.hears("a.pm25", lambda sample: sample.quality is Quality.GOOD)
        assert status.counters.undecodable == 1
        assert status.error is None
    assert (bad.value, bad.quality) == (None, Quality.BAD)
    assert good.value == 35.5


async def test_a_broker_that_comes_back_is_subscribed_again(edge: Edge) -> None:
    port = free_port()
    async with mqtt_broker(port):
        status = edge.run(source(port))
        await until(lambda: status.state is SourceState.CONNECTED)
    await until(lambda: status.state is SourceState.FAILED)
    assert (await edge.hears("a.pm25")).quality is Quality.BAD
    async with mqtt_broker(port):
        await until(lambda: status.state is SourceState.CONNECTED)
        await publish(port, (TOPIC, payload(40)))
        assert (await edge.hears("a.pm25", lambda sample: sample.value == 40)).quality is Quality.GOOD


async def test_several_tags_of_one_topic_and_payloads_without_structure(edge: Edge) -> None:
    tags = {
        "a.plain": {"topic": "plain"},
        "a.second": {"topic": "list", "value": "1", "time": "0", "time_format": "epoch_ms"},
        "a.seconds": {"topic": "list", "value": "2", "time": "3", "time_format": "epoch_s"},
        "a.word": {"topic": "list", "value": "4", "type": "text"},
        "a.null": {"topic": "list", "value": "5"},
    }
    port = free_port()
    async with mqtt_broker(port):
        status = edge.run(source(port, tags))
        await until(lambda: status.state is SourceState.CONNECTED)
        await publish(port, ("plain", "12.5"), ("list", b'[1500, true, 3, 1.5, "open", null]'))
        assert (await edge.hears("a.plain")).value == 12.5
        second, seconds = await edge.hears("a.second"), await edge.hears("a.seconds")
        word, null = await edge.hears("a.word"), await edge.hears("a.null")
    assert second.time == seconds.time == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
    assert (second.value, seconds.value) == (1.0, 3.0)
    assert word.value == "open"
    assert (null.value, null.quality) == (None, Quality.BAD)


@pytest.mark.mosquitto
async def test_mosquitto_serves_as_well(edge: Edge, require_mosquitto: Path) -> None:
    port = free_port()
    async with mosquitto(require_mosquitto, port):
        status = edge.run(source(port))
        await until(lambda: status.state is SourceState.CONNECTED)
        await publish(port, (TOPIC, payload(35.5)))
        assert (await edge.hears("a.pm25", lambda sample: sample.quality is Quality.GOOD)).value == 35.5


@pytest.mark.mosquitto
async def test_a_broker_that_does_not_let_us_in_is_said_as_such(
    edge: Edge, require_mosquitto: Path, tmp_path: Path
) -> None:
    port = free_port()
    settings = tmp_path / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\n")
    async with mosquitto(require_mosquitto, port, "-c", str(settings)):
        status = edge.run(source(port))
        await until(lambda: "refuses this edge" in (status.error or ""))
    assert status.state is SourceState.FAILED


def test_a_place_leads_through_objects_and_lists() -> None:
    assert look_up({"a": [{"b": 7}]}, "a.0.b") == 7
    assert look_up(7, "") == 7
    with pytest.raises(UndecodablePayloadError, match="There is no 'c' on the way"):
        look_up({"a": "c"}, "a.c")


@given(number=st.floats(allow_nan=False))
def test_every_number_is_some_quality_after_opc_da(number: float) -> None:
    expected = Quality.GOOD if 192 <= number <= 255 else Quality.UNCERTAIN if 64 <= number < 192 else Quality.BAD
    assert quality_of_da(number) is expected
