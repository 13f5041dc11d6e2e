"""Which tag is served by which protocol at which address: one table, from which servers and the edge's file are made.

It depends on the plant file alone, so both sides derive the same addresses without talking to each other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from athanor.kernel.plant.model import Node, Plant, Tag, TagKind

SPARKPLUG_GROUP = "jinluan"
HOST_ID = "athanor"
OPCUA_NAMESPACE = "urn:athanor:demo:dcs"
OPCUA_NAMESPACE_INDEX = 2  # the first that a server registers


class Table(StrEnum):
    """The four tables of a Modbus device."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"


class WordOrder(StrEnum):
    """How the bytes A (most significant) to D of a 32-bit value lie in its two registers."""

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"


REGISTERS = {"bool": 1, "int16": 1, "uint16": 1, "int32": 2, "uint32": 2, "float32": 2, "float64": 4}


@dataclass(frozen=True, slots=True)
class ModbusAddress:
    """Value at the tag = number × scale, in `unit`. `register` counts on the wire, from 0; of a bit in bit tables."""

    unit_id: int
    table: Table
    register: int
    type: str
    word_order: WordOrder
    scale: float
    unit: str | None  # None: the tag's own


@dataclass(frozen=True, slots=True)
class SparkplugAddress:
    """A metric of a device at an edge node of the demo's group."""

    node: str
    device: str
    metric: str

    @property
    def name(self) -> str:
        """As the edge's file writes it."""
        return f"{SPARKPLUG_GROUP}/{self.node}/{self.device}/{self.metric}"


@dataclass(frozen=True, slots=True)
class JsonAddress:
    """A place in a topic's JSON: dotted paths to value, time and quality."""

    topic: str
    value: str
    time: str
    time_format: str  # iso, epoch_ms or epoch_s
    unit: str | None = None  # None: the tag's own
    quality: str | None = None


@dataclass(frozen=True)
class Wiring:
    """Every tag exactly once, by path. OPC UA tags map to the identifier of their node in the demo's namespace."""

    opcua: Mapping[str, str]
    meters: Mapping[str, ModbusAddress]
    plc: Mapping[str, ModbusAddress]
    sparkplug: Mapping[str, SparkplugAddress]
    json: Mapping[str, JsonAddress]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers listen."""

    opcua_url: str
    modbus_host: str
    meters_port: int
    plc_port: int
    mqtt_url: str


# Where the path begins so, the meters' gateway answers with this unit id.
_METER_UNITS: tuple[tuple[str, int], ...] = (
    *(
        (f"smelter.power.substation.feeder_{name}.", unit_id)
        for unit_id, name in enumerate(
            (
                "oxygen",
                "smelting",
                "converting",
                "slag",
                "tankhouse_1",
                "tankhouse_2",
                "acid_1",
                "acid_2",
                "heat",
                "yard",
                "water",
                "services",
            ),
            1,
        )
    ),
    ("smelter.power.", 20),
    ("smelter.utilities.gas.", 31),
    ("smelter.utilities.oxygen.", 32),
    ("smelter.utilities.water.", 33),
    ("smelter.utilities.steam.", 34),
    ("smelter.utilities.air.", 35),
    ("syngas.power.", 40),
    ("syngas.synthesis.circulation.", 41),
)
_PLC_UNITS: tuple[tuple[str, int], ...] = (
    ("carbon.activation.", 1),
    ("carbon.milling.", 2),
    ("carbon.finishing.", 3),
    ("carbon.power.", 4),
)
_JSON_SITES = ("commons.", "syngas.tank_farm.")
_POLLED_EVERY_S = 5  # all Modbus devices; no tag of theirs is due more often
_GAP = 2  # unused registers after each asset, as real maps have


def wire(plant: Plant) -> Wiring:
    """The wiring of a plant."""
    opcua: dict[str, str] = {}
    sparkplug: dict[str, SparkplugAddress] = {}
    json: dict[str, JsonAddress] = {}
    meters, plc = _RegisterMap(_METER_UNITS), _RegisterMap(_PLC_UNITS)
    for node in plant.nodes.values():
        for tag in node.tags:
            if node.type == "vibration_sensor":
                sparkplug[tag.path] = _sparkplug(tag.path)
            elif tag.path.startswith(_JSON_SITES):
                json[tag.path] = _json(node, tag)
            elif not (meters.place(tag) or plc.place(tag)):
                opcua[tag.path] = tag.path
        meters.leave_gap()
        plc.leave_gap()
    return Wiring(opcua, meters.placed, plc.placed, sparkplug, json)


@dataclass
class _RegisterMap:
    """Hands out registers in the plant's order."""

    units: tuple[tuple[str, int], ...]
    placed: dict[str, ModbusAddress] = field(default_factory=dict)
    _next: dict[tuple[int, Table], int] = field(default_factory=dict)

    def place(self, tag: Tag) -> bool:
        """Give the tag a place, if one of these devices serves it."""
        unit_id = next((unit_id for prefix, unit_id in self.units if tag.path.startswith(prefix)), None)
        if unit_id is None:
            return False
        table, type_, scale, unit = _encoding(tag, unit_id)
        register = self._next.get((unit_id, table), 0)
        order = tuple(WordOrder)[unit_id % 4]
        self.placed[tag.path] = ModbusAddress(unit_id, table, register, type_, order, scale, unit)
        self._next[unit_id, table] = register + REGISTERS[type_]
        return True

    def leave_gap(self) -> None:
        for unit_id, table in self._next:
            if table in (Table.HOLDING, Table.INPUT):
                self._next[unit_id, table] += _GAP


def _encoding(tag: Tag, unit_id: int) -> tuple[Table, str, float, str | None]:
    """Table, type, scale and unit on the wire, as makers of meters would choose them."""
    table = Table.INPUT if unit_id % 2 else Table.HOLDING
    scale = float(f"1e-{tag.decimals}")
    if tag.kind is TagKind.STATE and len(tag.states) == 2:
        return (Table.DISCRETE if unit_id % 2 else Table.COIL), "bool", 1.0, None
    if tag.unit == "kW" and unit_id % 3 == 0:
        return table, "float32", 1.0, "W"
    type_ = _number_type((tag.low or 0.0) / scale, (tag.high or 0.0) / scale, prefers_float=unit_id % 3 != 1)
    return table, type_, 1.0 if type_.startswith("float") else scale, None


def _number_type(low: float, high: float, *, prefers_float: bool) -> str:
    """The shortest integer that holds the range; where it takes two registers, some makers prefer a float."""
    if low >= 0 and high < 2**16:
        return "uint16"
    if low >= -(2**15) and high < 2**15:
        return "int16"
    if high >= 2**32:
        return "float64"
    if high >= 2**24:  # more than a float32 tells apart
        return "uint32"
    return "float32" if prefers_float else "int32"


def _sparkplug(path: str) -> SparkplugAddress:
    site, *place, _sensor, metric = path.split(".")
    return SparkplugAddress(site, "-".join(place), metric)


def _json(node: Node, tag: Tag) -> JsonAddress:
    """Four shapes of message, as four makers of stations would send them."""
    _, area, unit, asset = node.path.split(".")
    id_ = tag.path.rpartition(".")[2]
    if unit == "air":
        wire_unit = "mg/m3" if (asset, id_) == ("station_2", "so2") else None
        return JsonAddress(
            f"park/air/{asset}", f"readings.{id_}.value", "ts", "iso", wire_unit, f"readings.{id_}.status"
        )
    if unit == "weather":
        wire_unit = "kPa" if id_ == "pressure" else None
        return JsonAddress("park/weather", id_, "time", "epoch_ms", wire_unit)
    if unit == "gates":
        return JsonAddress(f"park/gates/{asset}/{id_}", "v", "t", "epoch_s")
    return JsonAddress(f"park/{area}/{unit}/{asset}", f"data.{id_}", "meta.time", "iso", None, f"meta.quality.{id_}")


def edge_config(wiring: Wiring, addresses: Addresses, server_url: str) -> dict[str, Any]:
    """The edge's configuration file, as plain data, for servers at these addresses."""
    return {
        "edge": "demo-edge",
        "uplink": {"url": server_url, "token_env": "ATHANOR_EDGE_TOKEN"},
        "buffer": {"path": "buffer.sqlite", "max_bytes": 2_000_000_000},
        "sources": [
            {
                "id": "dcs",
                "protocol": "opcua",
                "url": addresses.opcua_url,
                "publishing_interval_s": 1.0,
                "tags": {path: {"node": f"ns={OPCUA_NAMESPACE_INDEX};s={name}"} for path, name in wiring.opcua.items()},
            },
            _modbus_source("meters", addresses.modbus_host, addresses.meters_port, wiring.meters),
            _modbus_source("carbon-plc", addresses.modbus_host, addresses.plc_port, wiring.plc),
            {
                "id": "vibration",
                "protocol": "sparkplug",
                "url": addresses.mqtt_url,
                "groups": [SPARKPLUG_GROUP],
                "host_id": HOST_ID,
                "tags": {path: {"metric": address.name} for path, address in wiring.sparkplug.items()},
            },
            {
                "id": "environment",
                "protocol": "mqtt",
                "url": addresses.mqtt_url,
                "tags": {path: _given(address) for path, address in wiring.json.items()},
            },
        ],
    }


def _modbus_source(source_id: str, host: str, port: int, tags: Mapping[str, ModbusAddress]) -> dict[str, Any]:
    return {
        "id": source_id,
        "protocol": "modbus",
        "host": host,
        "port": port,
        "period_s": _POLLED_EVERY_S,
        "tags": {path: _given(address) for path, address in tags.items()},
    }


def _given(address: ModbusAddress | JsonAddress) -> dict[str, Any]:
    """The address's fields that are set, as plain data."""
    names: Iterable[str] = address.__slots__
    fields = {name: getattr(address, name) for name in names}
    return {
        name: str(value) if isinstance(value, StrEnum) else value for name, value in fields.items() if value is not None
    }
