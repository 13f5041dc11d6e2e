"""The running plant answers the clients that other people's libraries bring."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import numpy as np
import pytest
from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient

from athanor.demo.plant_process import free_port, settings_from
from athanor.demo.servers.broker import EmbeddedBroker
from athanor.demo.wiring import OPCUA_NAMESPACE_INDEX, REGISTERS, ModbusAddress, Table, Wiring, WordOrder, wire
from athanor.kernel.plant.model import Plant
from athanor.kernel.wire.sparkplug_b_pb2 import Payload

FURNACE = "smelter.smelting.bath.furnace"
DEADLINE_S = 20.0


@dataclass
class Running:
    """The plant's process and where it says that it listens."""

    process: subprocess.Popen[str]
    addresses: dict[str, Any]
    state: Path

    @property
    def mqtt(self) -> dict[str, Any]:
        parts = urlsplit(self.addresses["mqtt_url"])
        return {"hostname": parts.hostname, "port": parts.port}


def started(state: Path, *arguments: str) -> Running:
    process = subprocess.Popen(
        [sys.executable, "-m", "athanor.demo", "--state", str(state), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return Running(process, json.loads(process.stdout.readline()), state)


def ended(running: Running) -> int:
    for stream in (running.process.stdin, running.process.stdout):
        assert stream is not None
        stream.close()
    return running.process.wait(DEADLINE_S)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = started(tmp_path_factory.mktemp("demo") / "state.json")
    yield running
    assert ended(running) == 0


@pytest.fixture(scope="module")
def wiring(plant: Plant) -> Wiring:
    return wire(plant)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds; fail at the deadline."""
    deadline = monotonic() + DEADLINE_S
    while not condition():
        assert monotonic() < deadline, "the condition never held"
        await asyncio.sleep(0.02)


def test_the_process_says_on_one_line_where_it_listens_and_only_on_loopback(running: Running) -> None:
    assert running.addresses["ready"] is True
    assert urlsplit(running.addresses["opcua_url"]).hostname == "127.0.0.1"
    assert running.addresses["modbus_host"] == "127.0.0.1"
    assert urlsplit(running.addresses["mqtt_url"]).hostname == "127.0.0.1"


# OPC UA


class Changes:
    """What a subscription brings."""

    def __init__(self) -> None:
        self.values: list[ua.DataValue] = []

    def datachange_notification(self, _node: object, _value: object, data: Any) -> None:
        self.values.append(data.monitored_item.Value)


async def test_opcua_values_change_each_second_and_carry_its_time(running: Running) -> None:
    async with Client(running.addresses["opcua_url"]) as client:
        changes = Changes()
        subscription = await client.create_subscription(200, changes)
        await subscription.subscribe_data_change(
            client.get_node(f"ns={OPCUA_NAMESPACE_INDEX};s={FURNACE}.bath_temperature")
        )
        await until(lambda: len(changes.values) >= 4)
        await subscription.delete()
    times = [value.SourceTimestamp for value in changes.values[1:]]
    assert all(time is not None and time.microsecond == 0 for time in times)
    assert {(later - time).total_seconds() for time, later in pairwise(times)} <= {1.0, 2.0}
    assert abs((datetime.now(UTC) - times[-1].replace(tzinfo=UTC)).total_seconds()) < 10
    assert all(1100 < value.Value.Value < 1300 for value in changes.values)


async def test_opcua_folders_follow_the_plant_and_every_wired_node_is_readable(
    running: Running, wiring: Wiring
) -> None:
    async with Client(running.addresses["opcua_url"]) as client:
        folder = client.get_node(f"ns={OPCUA_NAMESPACE_INDEX};s={FURNACE}")
        names = {(await child.read_browse_name()).Name for child in await folder.get_children()}
        assert {"bath_temperature", "lance_1"} <= names
        nodes = [client.get_node(f"ns={OPCUA_NAMESPACE_INDEX};s={name}") for name in wiring.opcua.values()]
        answers = await client.read_attributes(nodes)
    kinds = {answer.Value.VariantType for answer in answers if answer.StatusCode.is_good()}
    assert kinds == {ua.VariantType.Double, ua.VariantType.Int32, ua.VariantType.String}
    assert len(answers) == len(wiring.opcua)


async def test_opcua_nodes_cannot_be_written(running: Running) -> None:
    async with Client(running.addresses["opcua_url"]) as client:
        node = client.get_node(f"ns={OPCUA_NAMESPACE_INDEX};s={FURNACE}.bath_temperature")
        with pytest.raises(ua.UaStatusCodeError):
            await node.write_value(ua.DataValue(ua.Variant(1.0, ua.VariantType.Double)))


# Modbus


def decoded(words: list[int], address: ModbusAddress) -> float:
    """As a client of the maker's manual would do it."""
    order = {WordOrder.ABCD: (1, 1), WordOrder.CDAB: (-1, 1), WordOrder.BADC: (1, -1), WordOrder.DCBA: (-1, -1)}
    by_word, by_byte = order[address.word_order]
    raw = np.array(words, ">u2").view(np.uint8).reshape(-1, 2)[::by_word, ::by_byte].tobytes()
    return float(np.frombuffer(raw, np.dtype(address.type).newbyteorder(">"))[0]) * address.scale


async def read(client: AsyncModbusTcpClient, address: ModbusAddress) -> float:
    reads = {
        Table.HOLDING: client.read_holding_registers,
        Table.INPUT: client.read_input_registers,
        Table.COIL: client.read_coils,
        Table.DISCRETE: client.read_discrete_inputs,
    }
    answer = await reads[address.table](address.register, count=REGISTERS[address.type], device_id=address.unit_id)
    assert not answer.isError(), answer
    return float(answer.bits[0]) if address.type == "bool" else decoded(answer.registers, address)


@pytest.fixture
async def meters(running: Running) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(running.addresses["modbus_host"], port=running.addresses["meters_port"])
    await client.connect()
    yield client
    client.close()


async def test_every_modbus_address_of_both_servers_answers_within_its_tags_range(
    plant: Plant, running: Running, wiring: Wiring, meters: AsyncModbusTcpClient
) -> None:
    plc = AsyncModbusTcpClient(running.addresses["modbus_host"], port=running.addresses["plc_port"])
    await plc.connect()
    for client, tags in ((meters, wiring.meters), (plc, wiring.plc)):
        for path, address in tags.items():
            factor = 1000 if address.unit == "W" else 1
            value, tag = await read(client, address) / factor, plant.tag(path)
            assert (tag.low or 0) - 1e-6 <= value <= (tag.high or 0) + 1e-6, path
    plc.close()


async def test_a_meters_register_follows_the_load(wiring: Wiring, meters: AsyncModbusTcpClient) -> None:
    address = wiring.meters["smelter.power.substation.main.total_power"]
    seen: set[float] = set()
    deadline = monotonic() + DEADLINE_S
    while len(seen) < 2 and monotonic() < deadline:
        seen.add(await read(meters, address))
        await asyncio.sleep(0.1)
    assert len(seen) == 2
    assert all(10_000 < value < 40_000 for value in seen)


async def test_modbus_registers_can_be_neither_written_nor_read_beyond_the_map(meters: AsyncModbusTcpClient) -> None:
    assert (await meters.write_register(0, 1, device_id=2)).exception_code == 1
    assert (await meters.read_holding_registers(9000, count=2, device_id=2)).exception_code == 2


# MQTT


async def sparkplug_messages(running: Running, count: int, *, rebirth: bool) -> list[tuple[str, Payload]]:
    """From the smelter's node; from a birth on that we ask for."""
    messages: list[tuple[str, Payload]] = []
    async with asyncio.timeout(DEADLINE_S), aiomqtt.Client(**running.mqtt) as client:
        await client.subscribe("spBv1.0/jinluan/+/smelter/#")
        if rebirth:
            command = Payload()
            command.metrics.add(name="Node Control/Rebirth", boolean_value=True)
            await client.publish("spBv1.0/jinluan/NCMD/smelter", command.SerializeToString(), qos=1)
        async for message in client.messages:
            kind = str(message.topic).split("/")[2]
            if kind == "NCMD" or (rebirth and not messages and kind != "NBIRTH"):
                continue
            assert isinstance(message.payload, bytes)
            messages.append((str(message.topic), Payload.FromString(message.payload)))
            if len(messages) == count:
                break
    return messages


async def test_a_rebirth_brings_the_node_and_all_its_sensors_in_order(running: Running, wiring: Wiring) -> None:
    devices = {address.device for address in wiring.sparkplug.values() if address.node == "smelter"}
    births = await sparkplug_messages(running, 1 + len(devices), rebirth=True)
    assert [payload.seq for _, payload in births] == list(range(len(births)))
    topic, node = births[0]
    assert topic == "spBv1.0/jinluan/NBIRTH/smelter"
    assert {metric.name for metric in node.metrics} == {"bdSeq", "Node Control/Rebirth"}
    assert {topic for topic, _ in births[1:]} == {f"spBv1.0/jinluan/DBIRTH/smelter/{device}" for device in devices}
    aliases = [metric.alias for _, payload in births[1:] for metric in payload.metrics]
    assert len(set(aliases)) == len(aliases) == sum(address.node == "smelter" for address in wiring.sparkplug.values())


async def test_sensor_data_comes_by_alias_with_times_and_without_a_gap(running: Running) -> None:
    messages = await sparkplug_messages(running, 30, rebirth=True)
    sequence = [payload.seq for _, payload in messages]
    assert sequence == [number % 256 for number in range(sequence[0], sequence[0] + len(sequence))]
    data = [payload for topic, payload in messages if "/DDATA/" in topic]
    assert data
    assert all(
        metric.alias and not metric.name and metric.timestamp % 10_000 == 0
        for payload in data
        for metric in payload.metrics
    )


async def test_json_topics_carry_what_the_wiring_says(plant: Plant, running: Running, wiring: Wiring) -> None:
    contents: dict[str, Any] = {}
    topics = {address.topic for address in wiring.json.values()}
    async with asyncio.timeout(DEADLINE_S), aiomqtt.Client(**running.mqtt) as client:
        await client.subscribe("park/#")
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            contents[str(message.topic)] = json.loads(message.payload)
            if set(contents) == topics:
                break

    def at(content: Any, place: str) -> Any:
        for step in place.split("."):
            content = content[step]
        return content

    for path, address in wiring.json.items():
        content = contents[address.topic]
        value, quality = at(content, address.value), "good" if address.quality is None else at(content, address.quality)
        assert (value is None) == (quality == "bad"), path
        time = at(content, address.time)
        match address.time_format:
            case "iso":
                seconds = datetime.fromisoformat(time).timestamp()
            case "epoch_ms":
                seconds = time / 1000
            case _:
                seconds = time
        assert abs(seconds - datetime.now(UTC).timestamp()) < 120, path
    pressure = contents["park/weather"]["pressure"]
    assert 80 < pressure < 100  # kPa on the wire, hPa at the tag


async def test_a_broker_of_ones_own_serves_as_well(tmp_path: Path) -> None:
    broker = EmbeddedBroker("127.0.0.1", free_port("127.0.0.1"))
    await broker.start()
    running = await asyncio.to_thread(started, tmp_path / "state.json", "--mqtt", broker.url)
    assert running.addresses["mqtt_url"] == broker.url
    kinds: set[str] = set()
    async with asyncio.timeout(DEADLINE_S), aiomqtt.Client(**running.mqtt) as client:
        await client.subscribe("spBv1.0/jinluan/+/carbon/#", qos=1)
        async for message in client.messages:
            kinds.add(str(message.topic).split("/")[2])
            if "DBIRTH" in kinds and running.process.poll() is None:
                running.process.send_signal(signal.SIGTERM)
            if "NDEATH" in kinds:
                break
    assert await asyncio.to_thread(ended, running) == 0
    await broker.stop()


# Life and death of the process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_cleanly_with_its_state_saved(
    plant: Plant, tmp_path: Path, number: signal.Signals
) -> None:
    running = started(tmp_path / "state.json")
    running.process.send_signal(number)
    assert ended(running) == 0
    saved = json.loads(running.state.read_text())
    assert abs(saved["at_us"] / 1e6 - datetime.now(UTC).timestamp()) < 30
    assert list(tmp_path.iterdir()) == [running.state]


def test_the_process_ends_with_the_one_that_started_it_and_goes_on_where_it_was(tmp_path: Path) -> None:
    first = started(tmp_path / "state.json")
    assert ended(first) == 0  # its standard input closed
    before = json.loads(first.state.read_text())
    second = started(tmp_path / "state.json")
    assert ended(second) == 0
    after = json.loads(second.state.read_text())
    assert after["timeline"] == before["timeline"]
    register = "park.energy"
    assert after["memory"][register] > before["memory"][register]


def test_a_damaged_state_ends_the_process_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{")
    result = subprocess.run(
        [sys.executable, "-m", "athanor.demo", "--state", str(tmp_path / "state.json")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert "state.json holds no state of the demo" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_command_line_names_situations_and_ports() -> None:
    settings, watches = settings_from(["--without", "steam-leak", "--opcua-port", "4840", "--detached"])
    assert settings.demo.without == {"steam-leak"}
    assert settings.opcua_port == 4840
    assert not watches
    with pytest.raises(SystemExit):
        settings_from(["--without", "steam-leek"])
