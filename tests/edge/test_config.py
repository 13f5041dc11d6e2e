from pathlib import Path

import pytest

from athanor.edge.config import BadEdgeConfigError, EdgeConfig, ModbusSource, MqttSource, load_edge_config

COMPLETE = """
edge: demo-edge
uplink: {url: http://127.0.0.1:8080, token_env: ATHANOR_EDGE_TOKEN}
buffer: {path: waiting/buffer.sqlite, max_bytes: 2000000000}
sources:
  - id: dcs
    protocol: opcua
    url: opc.tcp://127.0.0.1:4840/
    publishing_interval_s: 1.0
    tags: {smelter.furnace.bath_temperature: {node: "ns=2;s=Furnace.Bath", unit: null}}
  - id: meters-1
    protocol: modbus
    host: 127.0.0.1
    port: 5020
    period_s: 5
    tags:
      park.feeder_1.power: {unit_id: 1, table: holding, register: 0, type: float32, word_order: CDAB, unit: kW}
      park.feeder_1.closed: {table: coil, register: 3}
  - id: vibration
    protocol: sparkplug
    url: mqtt://127.0.0.1:1883
    groups: [jinluan]
    host_id: athanor
    tags: {smelter.fan.vibration: {metric: jinluan/node/fan/Velocity/RMS}}
  - id: environment
    protocol: mqtt
    url: mqtts://broker
    tags: {park.air.pm25: {topic: park/air/1, value: pm25.value, time: ts, time_format: epoch_ms, unit: ug/m3}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "edge.yaml"


def load(file: Path, text: str) -> EdgeConfig:
    file.write_text(text, encoding="utf-8")
    return load_edge_config(file)


def refusal(file: Path, text: str) -> str:
    with pytest.raises(BadEdgeConfigError) as refused:
        load(file, text)
    return str(refused.value)


def test_the_buffer_lies_beside_the_file_that_names_it(file: Path) -> None:
    config = load(file, COMPLETE)
    assert config.buffer.path == file.parent / "waiting" / "buffer.sqlite"


def test_what_is_left_out_has_its_default(file: Path) -> None:
    modbus, mqtt = load(file, COMPLETE).sources[1::2]
    assert isinstance(modbus, ModbusSource)
    assert isinstance(mqtt, MqttSource)
    assert modbus.tags["park.feeder_1.closed"].type == "bool"
    assert (mqtt.host, mqtt.port, mqtt.is_encrypted) == ("broker", 8883, True)


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("perod_s: 5", "period_s: 5", "sources > 1 > modbus: unknown key 'perod_s'; did you mean 'period_s'?"),
        ("uplnk: {", "uplink: {", "the file: unknown key 'uplnk'; did you mean 'uplink'?"),
        ("regster: 0", "register: 0", "unknown key 'regster'; did you mean 'register'?"),
        ("unit: kWx", "unit: kW", "'kWx' is no unit of measure that Athanor knows"),
        ("table: holdin", "table: holding", "Input should be 'holding', 'input', 'coil' or 'discrete'; got 'holdin'"),
        ("id: dcs\n    id: dcs", "id: dcs", "the key 'id' is given twice"),
        ("id: dcs", "id: meters-1", "two sources have the id 'dcs'; give each its own."),
        ("park.air.pm25", "smelter.fan.vibration", "tag 'park.air.pm25' is mapped by two sources"),
        ("opc.tcp://user:secret@plc/", "opc.tcp://127.0.0.1:4840/", "sources > 0 > opcua > url"),
        ("register: 65535", "register: 0", "float32 at register 65535 reaches beyond register 65535."),
        ("type: bool", "type: float32", "type bool in a register needs bit (0 to 15)"),
        ("topic: park/#", "topic: park/air/1", "sources > 3 > mqtt > tags > park.air.pm25 > topic"),
        ("protocol: opcuaa", "protocol: opcua", "sources > 0: Input tag 'opcuaa'"),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_cure(file: Path, wrong: str, right: str, said: str) -> None:
    text = COMPLETE.replace(right, wrong)
    assert text != COMPLETE
    message = refusal(file, text)
    assert message.startswith(f"{file} cannot be used")
    assert said in message


def test_a_key_that_is_missing_is_named(file: Path) -> None:
    assert "edge: this key is missing; add it." in refusal(file, COMPLETE.replace("edge: demo-edge", ""))


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(BadEdgeConfigError, match="it cannot be read"):
        load_edge_config(file)


def test_no_source_at_all_is_refused(file: Path) -> None:
    assert "there is no source" in refusal(file, "edge: e\nuplink: {url: http://server}\nsources: []\n")


def test_twenty_mistakes_are_not_all_told_at_once(file: Path) -> None:
    tags = "".join(f"\n      a.t{number}: {{table: holding}}" for number in range(20))
    text = (
        f"edge: e\nuplink: {{url: http://s}}\nsources:\n  - id: m\n    protocol: modbus\n    host: h\n    tags:{tags}\n"
    )
    assert "and 10 more." in refusal(file, text)
