"""OPC UA: a subscription with a monitored item for each tag. Times and quality are the server's own."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from itertools import count

from asyncua import Client, ua
from asyncua.common.subscription import DataChangeEvent, OverflowPolicy, StatusChangeEvent, Subscription

from athanor.edge.clock import microseconds, now_microseconds
from athanor.edge.config import OpcUaSource, OpcUaTag
from athanor.edge.source import Sink, SourceRefusedError, SourceStatus, SourceUnreachableError
from athanor.kernel.errors import AthanorError
from athanor.kernel.telemetry import Quality

_ITEMS_PER_REQUEST = 500
_WAITING_CHANGES = 200_000  # between asyncua and us; when they are used up we reconnect, and so get every value anew
_SEVERITY = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.BAD)  # bits 31 and 30 of a StatusCode
_FILTERS = {
    "timestamp": ua.DataChangeFilter(Trigger=ua.DataChangeTrigger.StatusValueTimestamp),
    "value": None,  # what a server does of itself (Part 4, 7.22.2)
}
_FILTER_REFUSED = (
    ua.StatusCodes.BadMonitoredItemFilterInvalid,
    ua.StatusCodes.BadMonitoredItemFilterUnsupported,
    ua.StatusCodes.BadFilterNotAllowed,
)


class NodeRefusedError(AthanorError):
    """The server does not let us monitor a node."""

    code = "edge.node-refused"

    def __init__(self, node: str, reason: object) -> None:
        super().__init__(
            f"Node {node} cannot be read ({reason}). Correct the tag's node id, or its access rights on the server; "
            "Athanor asks again when it next connects."
        )


class TriggerRefusedError(AthanorError):
    """The server does not report confirmed values; its nodes are read all the same."""

    code = "edge.trigger-refused"

    def __init__(self, nodes: int, reason: object) -> None:
        super().__init__(
            f"The server reports only changes of {nodes} nodes ({reason}): a value that stays the same looks old. Set "
            "`trigger: value` for this source, and in the plant model no period_s for its tags that seldom change."
        )


class OpcUaConnector:
    """Subscribes the mapped nodes of one server; a bad value is passed on as bad, never dropped."""

    def __init__(self, config: OpcUaSource) -> None:
        self._config = config
        self._handles = count(1)  # by which the server names monitored items

    async def run(self, sink: Sink, status: SourceStatus) -> None:
        """See `Connector`."""
        client = self._client()
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def on_lost(reason: Exception) -> None:
            if not lost.done():
                lost.set_exception(SourceUnreachableError(self._config.url, reason))

        client.connection_lost_callback = on_lost
        try:
            await client.connect()
            try:
                await self._read(client, sink, status, lost)
            finally:
                await client.disconnect()
        except (ua.uaerrors.BadUserAccessDenied, ua.uaerrors.BadIdentityTokenRejected) as error:
            raise SourceRefusedError(self._config.url, error) from error
        except (OSError, TimeoutError, ua.UaError) as error:
            raise SourceUnreachableError(self._config.url, error) from error

    def _client(self) -> Client:
        config = self._config
        client = Client(config.url, timeout=config.timeout_s)
        if config.user is not None:
            client.set_user(config.user)
            client.set_password(os.environ.get(config.password_env or "", ""))
        return client

    async def _read(self, client: Client, sink: Sink, status: SourceStatus, lost: "asyncio.Future[None]") -> None:
        """Subscribe, then pass changes on until the connection is lost."""
        subscription = await client.create_subscription(
            self._config.publishing_interval_s * 1000,
            queue_maxsize=_WAITING_CHANGES,
            overflow=OverflowPolicy.DISCONNECT,
        )
        tags = await self._monitor(subscription, sink, status)
        status.connected()
        changes = asyncio.create_task(self._pass_on(subscription, tags, sink, status))
        try:
            await asyncio.wait({changes, lost}, return_when=asyncio.FIRST_COMPLETED)
            await (changes if changes.done() else lost)
        finally:
            changes.cancel()
            lost.cancel()

    async def _monitor(
        self, subscription: Subscription, sink: Sink, status: SourceStatus
    ) -> dict[ua.NodeId, list[tuple[str, OpcUaTag]]]:
        """Have every node monitored, without filter where it refuses ours. Returns the tags of each that is."""
        tags = self._tags_by_node(sink, status)
        refusals = await self._ask(subscription, list(tags), _FILTERS[self._config.trigger])
        unfiltered = {node: code.name for node, code in refusals.items() if code.value in _FILTER_REFUSED}
        refusals = {node: code for node, code in refusals.items() if node not in unfiltered}
        refusals |= await self._ask(subscription, list(unfiltered), None)
        for node, code in refusals.items():
            _refuse(tags.pop(node), code.name, sink, status)
        if unfiltered:
            status.trouble("trigger", TriggerRefusedError(len(unfiltered), next(iter(unfiltered.values()))))
        return tags

    async def _ask(
        self, subscription: Subscription, nodes: Sequence[ua.NodeId], change_filter: ua.DataChangeFilter | None
    ) -> dict[ua.NodeId, ua.StatusCode]:
        """Have nodes monitored. Returns those that the server refuses, and why."""
        refusals: dict[ua.NodeId, ua.StatusCode] = {}
        for first in range(0, len(nodes), _ITEMS_PER_REQUEST):
            some = nodes[first : first + _ITEMS_PER_REQUEST]
            answers = await subscription.create_monitored_items([self._item(node, change_filter) for node in some])
            asked = zip(some, answers, strict=True)
            refusals |= {node: answer for node, answer in asked if isinstance(answer, ua.StatusCode)}
        return refusals

    def _item(self, node: ua.NodeId, change_filter: ua.DataChangeFilter | None) -> ua.MonitoredItemCreateRequest:
        parameters = ua.MonitoringParameters(
            ClientHandle=next(self._handles),
            SamplingInterval=self._config.publishing_interval_s * 1000,
            QueueSize=self._config.queue_size,
            DiscardOldest=True,
        )
        if change_filter is not None:
            parameters.Filter = change_filter
        return ua.MonitoredItemCreateRequest(
            ua.ReadValueId(node, ua.AttributeIds.Value), ua.MonitoringMode.Reporting, parameters
        )

    def _tags_by_node(self, sink: Sink, status: SourceStatus) -> dict[ua.NodeId, list[tuple[str, OpcUaTag]]]:
        tags: dict[ua.NodeId, list[tuple[str, OpcUaTag]]] = defaultdict(list)
        for path, tag in self._config.tags.items():
            try:
                tags[ua.NodeId.from_string(tag.node)].append((path, tag))
            except (ua.UaError, ValueError) as error:
                _refuse([(path, tag)], error, sink, status)
        return tags

    async def _pass_on(
        self,
        subscription: Subscription,
        tags: dict[ua.NodeId, list[tuple[str, OpcUaTag]]],
        sink: Sink,
        status: SourceStatus,
    ) -> None:
        async for event in subscription:
            if isinstance(event, DataChangeEvent):
                value = event.data.monitored_item.Value
                for path, tag in tags.get(event.node.nodeid, ()):
                    _take(path, tag, value, sink, status)
            elif isinstance(event, StatusChangeEvent) and event.notification.Status.is_bad():
                raise SourceUnreachableError(self._config.url, event.notification.Status.name)
        raise SourceUnreachableError(self._config.url, "the server ended the subscription")


def _refuse(tags: list[tuple[str, OpcUaTag]], reason: object, sink: Sink, status: SourceStatus) -> None:
    for path, tag in tags:
        status.trouble(path, NodeRefusedError(tag.node, reason))
        sink.add(path, now_microseconds(), None, Quality.BAD)


def _take(path: str, tag: OpcUaTag, data: ua.DataValue, sink: Sink, status: SourceStatus) -> None:
    """Pass on one value as the server says it; one of a type that telemetry has no room for becomes bad."""
    moment = data.SourceTimestamp or data.ServerTimestamp
    time_us = microseconds(moment) if moment is not None else now_microseconds()
    quality = quality_of(data.StatusCode)
    if quality is Quality.BAD:
        sink.add(path, time_us, None, quality)
        return
    try:
        sink.add(path, time_us, plain_value(data.Value.Value if data.Value is not None else None), quality, tag.unit)
    except TypeError as error:
        status.counters.undecodable += 1
        status.trouble(path, error)
        sink.add(path, time_us, None, Quality.BAD)
    else:
        status.well(path)


def quality_of(code: ua.StatusCode | None) -> Quality:
    """The severity of a StatusCode; no code at all says good (Part 4, 7.11)."""
    return Quality.GOOD if code is None else _SEVERITY[code.value >> 30]


def plain_value(value: object) -> float | str | None:
    """An OPC UA value as telemetry carries it. Raises TypeError for arrays and structures."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, ua.LocalizedText):
        value = value.Text
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"A value of type {type(value).__name__} is no number and no text. Map its elements one by one.")
