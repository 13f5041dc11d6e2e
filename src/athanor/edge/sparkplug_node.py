"""What a Sparkplug B host knows of one edge node: births, order, aliases, deaths. No I/O, no clock: times come in.

After the Sparkplug Specification 3.0.0. Payloads are `athanor.kernel.wire.sparkplug_b_pb2.Payload`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

from athanor.edge.mqtt_json import quality_of_da
from athanor.kernel.telemetry import Quality
from athanor.kernel.wire.sparkplug_b_pb2 import Payload

NAMESPACE = "spBv1.0"
REBIRTH = "Node Control/Rebirth"
_BD_SEQ = "bdSeq"
_SEQUENCES = 256
_MAX_HELD = 128  # messages that wait for a missing one; half of the sequence, beyond which order means nothing
_REBIRTH_EVERY_S = 10.0


class DataType(IntEnum):
    """The basic types (6.4.16); others carry nothing that one sample could hold."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15


_SIGNED_BITS = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}


@dataclass(frozen=True, slots=True)
class Topic:
    """`spBv1.0/<group>/<kind>/<node>[/<device>]`."""

    group: str
    kind: str  # NBIRTH, NDATA, NDEATH, DBIRTH, DDATA, DDEATH …
    node: str
    device: str = ""

    @classmethod
    def parse(cls, topic: str) -> "Topic | None":
        """None for what is no topic of an edge node, such as a host's STATE."""
        parts = topic.split("/")
        if parts[0] != NAMESPACE or len(parts) not in (4, 5):
            return None
        return cls(*parts[1:])


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric's news. `value` is None where there is none: null, stale or of a type that no sample can hold."""

    device: str  # empty for the node itself
    name: str
    time_us: int
    value: float | str | None
    quality: Quality
    is_historical: bool = False
    is_decodable: bool = True


@dataclass(frozen=True, slots=True)
class Stale:
    """From `time_us` on nobody knows the metrics of this device; of all devices and the node itself for None."""

    device: str | None
    time_us: int


@dataclass(frozen=True, slots=True)
class _Metric:
    """What a birth declared."""

    name: str
    datatype: int


@dataclass
class EdgeNode:
    """One edge node as its messages tell. Feed it with `take` in order of arrival, and with `tick` now and then."""

    reorder_timeout_s: float
    is_online: bool = False
    gaps: int = 0  # messages that never came
    _bd_seq: int | None = None
    _next_seq: int = 0
    _metrics: dict[tuple[str, str], _Metric] = field(default_factory=dict)  # by device and name
    _aliases: dict[int, tuple[str, _Metric]] = field(default_factory=dict)  # to device and metric
    _held: dict[int, tuple[Topic, Payload, int]] = field(default_factory=dict)  # out of order, by seq
    _held_since_s: float = 0.0
    _rebirth_asked_at_s: float | None = None
    _wants_rebirth: bool = False

    def take(self, topic: Topic, payload: Payload, received_us: int, now_s: float) -> list[Reading | Stale]:
        """What a message says, and what those say that waited for it. `now_s` is any clock that only grows. [s]"""
        if topic.kind == "NBIRTH":
            return list(self._born(payload, received_us))
        if topic.kind == "NDEATH":
            return list(self._died(payload, received_us))
        if topic.kind not in ("NDATA", "DBIRTH", "DDATA", "DDEATH"):
            return []
        if not self.is_online:
            self._wants_rebirth = True  # we came later than its birth, and know neither names nor types
            return []
        if payload.seq % _SEQUENCES != self._next_seq:
            self._hold(topic, payload, received_us, now_s)
            return self._give_up_waiting() if len(self._held) > _MAX_HELD else []
        return [*self._in_order(topic, payload, received_us), *self._held_in_order()]

    def tick(self, now_s: float) -> list[Reading | Stale]:
        """What is said by messages that waited longer than the reorder timeout for a missing one."""
        if self._held and now_s - self._held_since_s >= self.reorder_timeout_s:
            return self._give_up_waiting()
        return []

    def asks_for_rebirth(self, now_s: float) -> bool:
        """Whether to send the node a rebirth command now; at most one in ten seconds."""
        if not self._wants_rebirth:
            return False
        if self._rebirth_asked_at_s is not None and now_s - self._rebirth_asked_at_s < _REBIRTH_EVERY_S:
            return False
        self._wants_rebirth = False
        self._rebirth_asked_at_s = now_s
        return True

    def declared(self, device: str) -> set[str]:
        """Names of the metrics that the device's last birth listed; the node's own for the empty name."""
        return {name for of_device, name in self._metrics if of_device == device}

    def _born(self, payload: Payload, received_us: int) -> Iterator[Reading | Stale]:
        bd_seq = _bd_seq_of(payload)
        if self.is_online and bd_seq != self._bd_seq:
            yield Stale(None, received_us)  # it died, and the news of that never reached us
        self.is_online = True
        self._wants_rebirth = False
        self._bd_seq = bd_seq
        self._next_seq = (payload.seq + 1) % _SEQUENCES
        self._metrics.clear()
        self._aliases.clear()
        self._held.clear()
        yield from self._declared("", payload, received_us)

    def _died(self, payload: Payload, received_us: int) -> Iterator[Stale]:
        """A death whose bdSeq is not that of the birth belongs to a session before this one."""
        if not self.is_online or _bd_seq_of(payload) != self._bd_seq:
            return
        self.is_online = False
        self._held.clear()
        yield Stale(None, received_us)

    def _hold(self, topic: Topic, payload: Payload, received_us: int, now_s: float) -> None:
        if not self._held:
            self._held_since_s = now_s
        self._held[payload.seq % _SEQUENCES] = (topic, payload, received_us)

    def _held_in_order(self) -> Iterator[Reading | Stale]:
        while self._next_seq in self._held:
            yield from self._in_order(*self._held.pop(self._next_seq))

    def _give_up_waiting(self) -> list[Reading | Stale]:
        """Take what is there, in order, and ask for a birth: a missing message may have been one."""
        self._wants_rebirth = True
        news: list[Reading | Stale] = []
        while self._held:
            missing = min((seq - self._next_seq) % _SEQUENCES for seq in self._held)
            self.gaps += missing
            self._next_seq = (self._next_seq + missing) % _SEQUENCES
            news.extend(self._held_in_order())
        return news

    def _in_order(self, topic: Topic, payload: Payload, received_us: int) -> Iterator[Reading | Stale]:
        self._next_seq = (payload.seq + 1) % _SEQUENCES
        if topic.kind == "DDEATH":
            yield Stale(topic.device, _time_us(payload, None, received_us))
        elif topic.kind == "DBIRTH":
            yield from self._declared(topic.device, payload, received_us)
        else:
            yield from self._readings(topic.device, payload, received_us)

    def _declared(self, device: str, payload: Payload, received_us: int) -> Iterator[Reading]:
        for metric in payload.metrics:
            if not metric.name or metric.name == _BD_SEQ:
                continue
            declared = _Metric(metric.name, metric.datatype)
            self._metrics[device, metric.name] = declared
            if metric.HasField("alias"):
                self._aliases[metric.alias] = (device, declared)
        yield from self._readings(device, payload, received_us)

    def _readings(self, device: str, payload: Payload, received_us: int) -> Iterator[Reading]:
        for metric in payload.metrics:
            if metric.name == _BD_SEQ:
                continue
            if metric.name:
                declared = self._metrics.get((device, metric.name))
            else:
                device, declared = self._aliases.get(metric.alias, (device, None))
            if declared is None:
                self._wants_rebirth = True  # its birth never reached us
                continue
            yield _reading(device, declared, metric, _time_us(payload, metric, received_us))


def _reading(device: str, declared: _Metric, metric: Payload.Metric, time_us: int) -> Reading:
    quality = _quality_of(metric)
    if metric.is_null or quality is Quality.BAD:
        return Reading(device, declared.name, time_us, None, Quality.BAD, metric.is_historical)
    try:
        value = value_of(metric, metric.datatype or declared.datatype)
    except (ValueError, OverflowError, OSError):  # the last two from a DateTime that is no date
        return Reading(device, declared.name, time_us, None, Quality.BAD, metric.is_historical, is_decodable=False)
    return Reading(device, declared.name, time_us, value, quality, metric.is_historical)


def value_of(metric: Payload.Metric, datatype: int) -> float | str:
    """The metric's value after its datatype. Raises ValueError for types that no sample can hold, and for none."""
    kind = DataType(datatype)
    raw = getattr(metric, metric.WhichOneof("value") or "", None)
    if kind in (DataType.STRING, DataType.TEXT, DataType.UUID):
        if isinstance(raw, str):
            return raw
    elif isinstance(raw, bool | int | float):
        if kind is DataType.DATETIME:
            return datetime.fromtimestamp(raw / 1000, UTC).isoformat()
        return float(_signed(int(raw), _SIGNED_BITS[kind]) if kind in _SIGNED_BITS else raw)
    raise ValueError(f"{metric.WhichOneof('value')} cannot hold a {kind.name}")


def _signed(number: int, bits: int) -> int:
    """Two's complement: the lowest `bits` of an unsigned number, the highest of them the sign."""
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


def _quality_of(metric: Payload.Metric) -> Quality:
    """The property Quality: 192 good, 0 bad, 500 stale; good without it (6.4.20)."""
    for key, value in zip(metric.properties.keys, metric.properties.values, strict=False):
        if key.lower() == "quality":
            return quality_of_da(value.int_value or value.long_value)
    return Quality.GOOD


def _time_us(payload: Payload, metric: Payload.Metric | None, received_us: int) -> int:
    """The metric's own time, else its payload's, else that of receipt."""
    milliseconds = (metric.timestamp if metric is not None else 0) or payload.timestamp
    return milliseconds * 1000 if milliseconds else received_us


def _bd_seq_of(payload: Payload) -> int | None:
    """The number of the session; None where there is none, or something that is no whole number."""
    for metric in payload.metrics:
        if metric.name == _BD_SEQ:
            number = getattr(metric, metric.WhichOneof("value") or "", None)
            return number if isinstance(number, int) else None
    return None
