"""A plant of two enterprises for rules: pumps of a type that extends another, limits, states and texts."""

from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import AlarmLimits, EquipmentType, Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant

ENGINEER = User(1, "li.na", "Li Na", ("administrator",))
COPPER = User(2, "wang.wei", "Wang Wei", ("administrator",), tenant="copper")
GAS = User(3, "zhao.min", "Zhao Min", ("administrator",), tenant="gas")
VIEWER = User(4, "chen.yu", "Chen Yu", ("viewer",), tenant="copper")

_LIMITS = AlarmLimits(low=1150, high=1250, high_high=1280)


def plant(*, version: int = 1, pumps: int = 3, without: str = "") -> RunningPlant:
    """`pumps` of the copper works, one of gas; `without` leaves a tag out."""
    nodes = [
        Node("copper", Level.SITE, {"en": "Copper"}, "copper"),
        _node("copper.furnace", "copper", "furnace", _furnace("copper.furnace")),
        *(_pump(f"copper.pump{number}", "copper") for number in range(pumps)),
        Node("gas", Level.SITE, {"en": "Gas"}, "gas"),
        _pump("gas.pump", "gas"),
    ]
    kept = [
        Node(n.path, n.level, n.name, n.tenant, n.type, tags=tuple(t for t in n.tags if t.path != without))
        for n in nodes
    ]
    model = Plant(
        "park",
        {"en": "Park"},
        "Asia/Shanghai",
        {key: Tenant(key, {"en": key}) for key in ("copper", "gas")},
        {node.path: node for node in kept},
        {
            "pump": EquipmentType("pump", {"en": "Pump"}),
            "centrifugal_pump": EquipmentType("centrifugal_pump", {"en": "Centrifugal pump"}, extends="pump"),
            "furnace": EquipmentType("furnace", {"en": "Furnace"}),
        },
    )
    return RunningPlant(model, version, {path: TagId(10 + place) for place, path in enumerate(model.tags)})


def _furnace(path: str) -> tuple[Tag, ...]:
    return (
        Tag(f"{path}.temperature", {"en": "T"}, "degC", low=800, high=1500, alarm_limits=_LIMITS, period_s=1),
        Tag(f"{path}.setpoint", {"en": "SP"}, "degC", TagKind.SETPOINT),
        Tag(f"{path}.mode", {"en": "Mode"}, "1", TagKind.STATE, states={0: {"en": "Off"}, 1: {"en": "On"}}),
        Tag(f"{path}.grade", {"en": "Grade"}, "1", TagKind.TEXT),
    )


def _pump(path: str, tenant: str) -> Node:
    flow = Tag(f"{path}.flow", {"en": "Flow"}, "m3/h", low=0, high=200, alarm_limits=AlarmLimits(low=20))
    running = Tag(f"{path}.running", {"en": "Runs"}, "1", TagKind.STATE)
    return _node(path, tenant, "centrifugal_pump", (flow, running))


def _node(path: str, tenant: str, of_type: str, tags: tuple[Tag, ...]) -> Node:
    return Node(path, Level.ASSET, {"en": path}, tenant, of_type, tags=tags)
