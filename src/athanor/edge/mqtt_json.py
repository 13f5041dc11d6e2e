"""MQTT with JSON payloads: a mapping says where in a topic's payload a tag's value, time and quality are."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from athanor.edge.clock import microseconds, now_microseconds
from athanor.edge.config import MqttSource, MqttTag
from athanor.edge.mqtt import broker
from athanor.edge.source import Sink, SourceStatus
from athanor.kernel.errors import AthanorError
from athanor.kernel.telemetry import Quality

_WORDS = {"good": Quality.GOOD, "uncertain": Quality.UNCERTAIN, "bad": Quality.BAD}
_PER_UNIT_US = {"epoch_ms": 1_000, "epoch_s": 1_000_000}


class UndecodablePayloadError(AthanorError):
    """A payload does not hold what the mapping says."""

    code = "edge.undecodable-payload"

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}. Correct the tag's mapping (value, time, type), or the device that publishes.")


class MqttJsonConnector:
    """Subscribes the mapped topics of one broker; a payload that makes no sense gives bad samples without value."""

    def __init__(self, config: MqttSource) -> None:
        self._config = config
        self._tags: dict[str, list[tuple[str, MqttTag]]] = defaultdict(list)
        for path, tag in config.tags.items():
            self._tags[tag.topic].append((path, tag))

    async def run(self, sink: Sink, status: SourceStatus) -> None:
        """See `Connector`."""
        async with broker(self._config) as client:
            await client.subscribe([(topic, 1) for topic in self._tags])
            status.connected()
            async for message in client.messages:
                self.take(str(message.topic), message.payload, sink, status)

    def take(self, topic: str, payload: bytes, sink: Sink, status: SourceStatus) -> None:
        """Pass on what one message says about its tags."""
        now_us = now_microseconds()
        try:
            content = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            status.trouble(topic, UndecodablePayloadError(f"The payload is no JSON ({error})"))
            for path, _ in self._tags[topic]:
                _undecodable(path, now_us, sink, status)
            return
        status.well(topic)
        for path, tag in self._tags[topic]:
            try:
                time_us = _time_us(content, tag, now_us)
                sink.add(path, time_us, _value(content, tag), _quality(content, tag), tag.unit)
            except UndecodablePayloadError as error:
                status.trouble(path, error)
                _undecodable(path, now_us, sink, status)
            else:
                status.well(path)


def _undecodable(path: str, now_us: int, sink: Sink, status: SourceStatus) -> None:
    status.counters.undecodable += 1
    sink.add(path, now_us, None, Quality.BAD)


def look_up(content: Any, place: str) -> Any:
    """What is at `place`, written like `pm25.value` or `channels.0`. Raises UndecodablePayloadError."""
    for step in place.split(".") if place else ():
        if isinstance(content, dict) and step in content:
            content = content[step]
        elif isinstance(content, Sequence) and not isinstance(content, str) and _is_index_of(step, content):
            content = content[int(step)]
        else:
            raise UndecodablePayloadError(f"There is no {step!r} on the way to {place!r}")
    return content


def _is_index_of(step: str, content: Sequence[Any]) -> bool:
    return step.isascii() and step.isdigit() and int(step) < len(content)


def _value(content: Any, tag: MqttTag) -> float | str | None:
    value = look_up(content, tag.value)
    if value is None:
        return None
    if tag.type == "text":
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    if isinstance(value, bool | int | float):
        return float(value)  # 64 bits at most: orjson refuses longer integers
    raise UndecodablePayloadError(f"At {tag.value or 'the top'!r} a number is expected, and there is {value!r:.80}")


def _quality(content: Any, tag: MqttTag) -> Quality:
    """Good where the mapping names no place, unless there is no value."""
    if look_up(content, tag.value) is None:
        return Quality.BAD
    if tag.quality is None:
        return Quality.GOOD
    word = look_up(content, tag.quality)
    if isinstance(word, bool):
        return Quality.GOOD if word else Quality.BAD
    if isinstance(word, int | float):
        return quality_of_da(word)
    if isinstance(word, str) and word.lower() in _WORDS:
        return _WORDS[word.lower()]
    raise UndecodablePayloadError(f"{word!r:.80} at {tag.quality!r} is no quality")


def quality_of_da(number: float) -> Quality:
    """Quality after OPC DA: 192 to 255 good, 64 to 191 uncertain, all else bad."""
    if 192 <= number <= 255:
        return Quality.GOOD
    return Quality.UNCERTAIN if 64 <= number < 192 else Quality.BAD


def _time_us(content: Any, tag: MqttTag, now_us: int) -> int:
    """Microseconds since 1970 UTC. A text without time zone is UTC."""
    if tag.time is None:
        return now_us
    stamp = look_up(content, tag.time)
    try:
        if tag.time_format == "iso" and isinstance(stamp, str):
            return microseconds(datetime.fromisoformat(stamp))
        if tag.time_format != "iso" and isinstance(stamp, int | float) and not isinstance(stamp, bool):
            return round(float(stamp) * _PER_UNIT_US[tag.time_format])
    except (ValueError, OverflowError):
        pass  # said below, as for a stamp of another type
    raise UndecodablePayloadError(f"{stamp!r:.80} at {tag.time!r} is no time in {tag.time_format}")
