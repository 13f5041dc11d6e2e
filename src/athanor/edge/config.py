"""The edge's configuration: one YAML file, checked whole before anything starts. docs/edge.md shows every key."""

import difflib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from athanor.edge.modbus_decode import NumberType, WordOrder
from athanor.kernel.errors import AthanorError
from athanor.kernel.units import UnknownUnitError, check_unit


class BadEdgeConfigError(AthanorError):
    """The edge's file cannot be used."""

    code = "edge.bad-config"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be used as an edge's configuration: {reason} docs/edge.md shows every key.")


class ConfigSection(BaseModel):
    """A part of the file. Frozen; an unknown key is an error that names the nearest valid one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _know_every_key(cls, section: Any) -> Any:
        if isinstance(section, dict):
            valid = [field.alias or name for name, field in cls.model_fields.items()]
            unknown = next((key for key in section if key not in valid), None)
            if unknown is not None:
                raise ValueError(f"unknown key {unknown!r}; {_nearest(str(unknown), valid)}")
        return section


def _nearest(key: str, valid: list[str]) -> str:
    close = difflib.get_close_matches(key, valid, n=1)
    return f"did you mean {close[0]!r}?" if close else f"valid are {', '.join(sorted(valid))}."


def _known_unit(unit: str) -> str:
    try:
        check_unit(unit)
    except UnknownUnitError as error:
        raise ValueError(str(error)) from error
    return unit


Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
TagPath = Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")]
Unit = Annotated[str, AfterValidator(_known_unit)]
SOURCE_ID = Field(description="The source's name, unique in the edge.")
UNIT = Field(None, description="What the source measures in; without it, the tag's own unit.")


class UplinkConfig(ConfigSection):
    """Where samples go."""

    url: str = Field(pattern=r"^https?://[^@]+$", description="The server, such as https://athanor.example:8443")
    ca_file: Path | None = Field(
        None, description="Certificate (PEM) of the authority, or of the server itself, that https is believed of."
    )
    token_env: str = Field("ATHANOR_EDGE_TOKEN", description="Environment variable that holds the edge's token.")
    timeout_s: float = Field(30.0, gt=0, le=300, description="Longest wait for one answer. [s]")
    max_rows_per_s: int | None = Field(
        None, gt=0, description="Delivery's speed limit, for a thin line; above the plant's own rate. [1/s]"
    )


class BufferConfig(ConfigSection):
    """Where samples wait until the server has them."""

    path: Path = Field(Path("buffer.sqlite"), description="File, relative to this configuration's folder.")
    max_bytes: int = Field(2_000_000_000, ge=1_000_000, description="Room for samples; beyond it the oldest go. [B]")


class CollectorConfig(ConfigSection):
    """How samples become batches."""

    flush_interval_s: float = Field(0.25, gt=0, le=60, description="Longest wait in memory before the buffer. [s]")
    max_rows: int = Field(20_000, gt=0, le=1_000_000, description="Rows that end a batch before its time.")


class OpcUaTag(ConfigSection):
    """One node."""

    node: str = Field(pattern=r"^(ns=\d+;)?[isgb]=.+$", description='Node id, such as "ns=2;s=Furnace.Bath".')
    unit: Unit | None = UNIT


class OpcUaSource(ConfigSection):
    """An OPC UA server, read by subscription."""

    protocol: Literal["opcua"]
    id: Id = SOURCE_ID
    url: str = Field(pattern=r"^opc\.tcp://[^@]+$", description="Endpoint, such as opc.tcp://plc7:4840/")
    publishing_interval_s: float = Field(1.0, gt=0, le=3600, description="How often the server reports changes. [s]")
    trigger: Literal["timestamp", "value"] = Field(
        "timestamp", description="A node is reported with every new source time, or only when value or status change:"
    )
    queue_size: int = Field(10, ge=1, le=10_000, description="Changes of one node that the server keeps in between.")
    timeout_s: float = Field(5.0, gt=0, le=60, description="Longest wait for one answer. [s]")
    user: str | None = Field(None, description="User name, where the server asks for one.")
    password_env: str | None = Field(None, description="Environment variable that holds the password.")
    tags: dict[TagPath, OpcUaTag] = Field(min_length=1, description="Tag path to node.")

    @property
    def address(self) -> str:
        return self.url


class ModbusTag(ConfigSection):
    """One value in a device's registers or bits. value = number × scale + offset."""

    unit_id: int = Field(1, ge=0, le=255, description="Device behind the address.")
    table: Literal["holding", "input", "coil", "discrete"] = Field(description="Where the value is:")
    first: int = Field(
        alias="register", ge=0, le=65_535, description="Address on the wire, from 0: 40001 in a manual is holding 0."
    )
    type: NumberType = Field(NumberType.UINT16, description="What the registers hold; a coil or discrete holds bool.")
    word_order: WordOrder = Field(WordOrder.ABCD, description="Order of the bytes A to D of a 32-bit number.")
    scale: float = Field(1.0, description="Factor from the number to the value.")
    offset: float = Field(0.0, description="Added after the factor, in the value's unit.")
    unit: Unit | None = UNIT
    bit: int | None = Field(None, ge=0, le=15, description="This bit of the register, 0 the lowest; type bool.")

    @model_validator(mode="before")
    @classmethod
    def _bits_are_bool(cls, section: Any) -> Any:
        if isinstance(section, dict) and section.get("table") in ("coil", "discrete"):
            return {"type": "bool", **section}
        return section

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.is_bit_table and (self.type is not NumberType.BOOL or self.bit is not None):
            raise ValueError(f"a {self.table} holds one bit: type must be bool, and bit left out.")
        if not self.is_bit_table and (self.type is NumberType.BOOL) != (self.bit is not None):
            raise ValueError("type bool in a register needs bit (0 to 15), and bit needs type bool.")
        if self.first + self.width > 65_536:
            raise ValueError(f"{self.type} at register {self.first} reaches beyond register 65535.")
        return self

    @property
    def is_bit_table(self) -> bool:
        return self.table in ("coil", "discrete")

    @property
    def width(self) -> int:
        """Registers, or bits of a bit table, that the value takes."""
        return self.type.words


class ModbusSource(ConfigSection):
    """A Modbus TCP device or gateway, polled."""

    protocol: Literal["modbus"]
    id: Id = SOURCE_ID
    host: str = Field(min_length=1, description="Name or address of the device or gateway.")
    port: int = Field(502, ge=1, le=65_535, description="Its TCP port.")
    period_s: float = Field(5.0, gt=0, le=86_400, description="How often all tags are read. [s]")
    timeout_s: float = Field(3.0, gt=0, le=60, description="Longest wait for one answer. [s]")
    max_gap: int = Field(8, ge=0, le=120, description="Unused registers that one read may span to join two tags.")
    tags: dict[TagPath, ModbusTag] = Field(min_length=1, description="Tag path to registers.")

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


class MqttBroker(ConfigSection):
    """What both MQTT protocols need to reach their broker."""

    url: str = Field(pattern=r"^mqtts?://[^@/]+/?$", description="Broker: mqtt://host:1883, or mqtts://host:8883 (TLS)")
    user: str | None = Field(None, description="User name, where the broker asks for one.")
    password_env: str | None = Field(None, description="Environment variable that holds the password.")

    @property
    def address(self) -> str:
        return self.url

    @property
    def is_encrypted(self) -> bool:
        return self.url.startswith("mqtts:")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or (8883 if self.is_encrypted else 1883)


class SparkplugTag(ConfigSection):
    """One metric."""

    metric: str = Field(
        pattern=r"^[^/+#]+/[^/+#]+/.+$",
        description="group/node/device/metric name; group/node//metric name for one of the node itself.",
    )
    unit: Unit | None = UNIT


class SparkplugSource(MqttBroker):
    """Edge nodes that speak Sparkplug B; Athanor is a host application of theirs."""

    protocol: Literal["sparkplug"]
    id: Id = SOURCE_ID
    groups: tuple[Annotated[str, Field(pattern=r"^[^/+#]+$")], ...] = Field(
        min_length=1, description="Groups of edge nodes to listen to."
    )
    host_id: str = Field("athanor", pattern=r"^[^/+#]+$", description="Name in spBv1.0/STATE/<host_id>.")
    reorder_timeout_s: float = Field(2.0, gt=0, le=60, description="Wait for a late message before a rebirth. [s]")
    tags: dict[TagPath, SparkplugTag] = Field(min_length=1, description="Tag path to metric.")


class MqttTag(ConfigSection):
    """One value in the JSON that a topic carries. Places in it are written like `pm25.value` or `channels.0`."""

    topic: str = Field(pattern=r"^[^+#]+$", description="Exact topic, without wildcards.")
    value: str = Field("", description="Where the value is; empty when the payload is the value.")
    type: Literal["number", "text"] = Field("number", description="What the value is:")
    time: str | None = Field(None, description="Where the source's time is; without it, the time of receipt.")
    time_format: Literal["iso", "epoch_ms", "epoch_s"] = Field("iso", description="How it is written:")
    quality: str | None = Field(None, description="Where the quality is: good/uncertain/bad, true/false, or 0 to 192.")
    unit: Unit | None = UNIT


class MqttSource(MqttBroker):
    """Devices that publish JSON."""

    protocol: Literal["mqtt"]
    id: Id = SOURCE_ID
    tags: dict[TagPath, MqttTag] = Field(min_length=1, description="Tag path to topic and place.")


Source = Annotated[OpcUaSource | ModbusSource | SparkplugSource | MqttSource, Field(discriminator="protocol")]


class EdgeConfig(ConfigSection):
    """One edge: its sources, its buffer and its server."""

    edge: Id = Field(description="The edge's name, unique in the park.")
    uplink: UplinkConfig = Field(description="The server.")
    buffer: BufferConfig = Field(
        default_factory=lambda: BufferConfig.model_validate({}), description="The store on disk."
    )
    collector: CollectorConfig = Field(
        default_factory=lambda: CollectorConfig.model_validate({}), description="How samples become batches."
    )
    sources: tuple[Source, ...] = Field(description="What is read, one entry a device, server or broker.")

    @field_validator("sources")
    @classmethod
    def _each_once(cls, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        if not sources:
            raise ValueError("there is no source; add at least one.")
        source = _first_repeated(source.id for source in sources)
        if source is not None:
            raise ValueError(f"two sources have the id {source!r}; give each its own.")
        tag = _first_repeated(tag for source in sources for tag in source.tags)
        if tag is not None:
            raise ValueError(f"tag {tag!r} is mapped by two sources; a tag has one origin.")
        return sources


def _first_repeated(names: Iterator[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


def load_edge_config(path: Path) -> EdgeConfig:
    """The configuration in a YAML file, with paths made absolute. Raises BadEdgeConfigError."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _StrictLoader)  # noqa: S506  # a SafeLoader's child
        config = EdgeConfig.model_validate(content)
    except (OSError, UnicodeDecodeError) as error:
        raise BadEdgeConfigError(path, f"it cannot be read ({error}). Check path and permission.") from error
    except yaml.YAMLError as error:
        raise BadEdgeConfigError(path, f"it is no valid YAML ({error}). Correct the line named.") from error
    except ValidationError as error:
        raise BadEdgeConfigError(path, _problems(error)) from error
    buffer = config.buffer.model_copy(update={"path": (path.parent / config.buffer.path).resolve()})
    uplink = config.uplink
    if uplink.ca_file is not None:
        uplink = uplink.model_copy(update={"ca_file": (path.parent / uplink.ca_file).resolve()})
    return config.model_copy(update={"buffer": buffer, "uplink": uplink})


def _problems(error: ValidationError) -> str:
    """Each problem as `key.path: what is wrong`, at most ten of them."""
    problems = error.errors(include_url=False)
    lines = [f"{_key_path(problem['loc'])}: {_said(problem)}" for problem in problems[:10]]
    if len(problems) > 10:
        lines.append(f"and {len(problems) - 10} more.")
    return "; ".join(lines)


def _key_path(location: tuple[int | str, ...]) -> str:
    return " > ".join(str(part) for part in location) or "the file"


def _said(problem: Any) -> str:
    text = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return str(text)
    if problem["type"] == "missing":
        return "this key is missing; add it."
    return f"{text}; got {problem['input']!r:.80}."


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error: the first would vanish without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)
