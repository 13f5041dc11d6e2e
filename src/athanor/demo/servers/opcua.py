"""The distributed control system: an OPC UA server whose nodes carry value, status and source time."""

from datetime import UTC, datetime

from asyncua import Node, Server, ua

from athanor.demo.servers.port import Instant
from athanor.demo.wiring import OPCUA_NAMESPACE, OPCUA_NAMESPACE_INDEX
from athanor.kernel.plant.model import Plant, Tag, TagKind
from athanor.kernel.telemetry import Quality

_STATUS = {
    Quality.GOOD: ua.StatusCode(ua.StatusCodes.Good),
    Quality.UNCERTAIN: ua.StatusCode(ua.StatusCodes.UncertainSensorNotAccurate),
    Quality.BAD: ua.StatusCode(ua.StatusCodes.BadSensorFailure),
}


class OpcUaServer:
    """Serves tags as variables below the folders of their sites, areas, units and assets; read-only, no security."""

    def __init__(self, plant: Plant, tags: dict[str, str], host: str, port: int) -> None:
        self._plant = plant
        self._tags = tags
        self.url = f"opc.tcp://{host}:{port}/"
        self._server = Server()
        self._nodes: dict[str, ua.NodeId] = {}

    async def start(self, first: Instant) -> None:
        """See `Server`."""
        server = self._server
        await server.init()
        server.set_endpoint(self.url)
        server.set_server_name("Athanor reference plant: DCS")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        index = await server.register_namespace(OPCUA_NAMESPACE)
        if index != OPCUA_NAMESPACE_INDEX:
            raise RuntimeError(f"The namespace has index {index}; the wiring says {OPCUA_NAMESPACE_INDEX}.")
        await self._build()
        await self._write(first, list(self._tags))
        await server.start()

    async def show(self, instant: Instant) -> None:
        """See `Server`."""
        await self._write(instant, [path for path in self._tags if instant.is_due(path)])

    async def stop(self) -> None:
        """See `Server`."""
        await self._server.stop()

    async def _build(self) -> None:
        folders: dict[str | None, Node] = {None: self._server.nodes.objects}
        for path, name in self._tags.items():
            tag = self._plant.tag(path)
            parent = await self._folder(tag.node_path, folders)
            node_id = ua.NodeId(name, OPCUA_NAMESPACE_INDEX)
            browse_name = ua.QualifiedName(path.rpartition(".")[2], OPCUA_NAMESPACE_INDEX)
            kind = _variant_type(tag)
            await parent.add_variable(node_id, browse_name, "" if kind is ua.VariantType.String else 0, kind)
            self._nodes[path] = node_id

    async def _folder(self, path: str, folders: dict[str | None, Node]) -> Node:
        """The folder of a plant node, made with all above it where it is new."""
        if path not in folders:
            parent_path = path.rpartition(".")[0] or None
            parent = folders[None] if parent_path is None else await self._folder(parent_path, folders)
            name = ua.QualifiedName(path.rpartition(".")[2], OPCUA_NAMESPACE_INDEX)
            folders[path] = await parent.add_object(ua.NodeId(path, OPCUA_NAMESPACE_INDEX), name)
        return folders[path]

    async def _write(self, instant: Instant, paths: list[str]) -> None:
        source_time = datetime.fromtimestamp(instant.time_us / 1e6, UTC)
        now = datetime.now(UTC)
        for path in paths:
            status = _STATUS[instant.quality_of(path)]
            variant = _variant(instant.value(path), _variant_type(self._plant.tag(path)))
            value = ua.DataValue(variant, status, SourceTimestamp=source_time, ServerTimestamp=now)
            await self._server.write_attribute_value(self._nodes[path], value)


def _variant_type(tag: Tag) -> ua.VariantType:
    match tag.kind:
        case TagKind.TEXT:
            return ua.VariantType.String
        case TagKind.STATE:
            return ua.VariantType.Int32
        case _:
            return ua.VariantType.Double


def _variant(value: float | str | None, kind: ua.VariantType) -> ua.Variant:
    if value is None:
        return ua.Variant(None, ua.VariantType.Null)
    return ua.Variant(round(value) if kind is ua.VariantType.Int32 and not isinstance(value, str) else value, kind)
