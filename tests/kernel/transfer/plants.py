"""A small plant of two enterprises for imports: tags of every kind, some with the same name."""

from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant

TEMPERATURE, POWER, FLOW = "smelter.bath.temperature", "smelter.bath.power", "smelter.gas.flow"
VALVE, LOT, OTHERS = "smelter.gas.valve", "smelter.gas.lot", "carbon.kiln.temperature"
ZONE = "Asia/Shanghai"


def plant(*, version: int = 1) -> RunningPlant:
    """The plant; ids are 10, 11 … in the order of the tags."""
    bath = Node(
        "smelter.bath",
        Level.ASSET,
        {"en": "Bath furnace", "zh_CN": "熔炼炉"},
        "copper",
        tags=(
            Tag(TEMPERATURE, {"en": "Temperature", "zh_CN": "温度"}, "degC", low=0.0, high=1500.0),
            Tag(POWER, {"en": "Power", "zh_CN": "功率"}, "kW"),
        ),
    )
    gas = Node(
        "smelter.gas",
        Level.ASSET,
        {"en": "Off-gas", "zh_CN": "烟气"},
        "copper",
        tags=(
            Tag(FLOW, {"en": "Gas flow", "zh_CN": "烟气流量"}, "Nm3/h"),
            Tag(
                VALVE,
                {"en": "Valve", "zh_CN": "阀门"},
                "1",
                TagKind.STATE,
                states={0: {"en": "Closed", "zh_CN": "关"}, 1: {"en": "Open", "zh_CN": "开"}},
            ),
            Tag(LOT, {"en": "Lot", "zh_CN": "批号"}, "1", TagKind.TEXT),
        ),
    )
    kiln = Node(
        "carbon.kiln",
        Level.ASSET,
        {"en": "Kiln", "zh_CN": "炭化炉"},
        "carbon",
        tags=(Tag(OTHERS, {"en": "Temperature", "zh_CN": "温度"}, "degC"),),
    )
    nodes = {
        "smelter": Node("smelter", Level.SITE, {"en": "Smelter", "zh_CN": "冶炼厂"}, "copper"),
        bath.path: bath,
        gas.path: gas,
        "carbon": Node("carbon", Level.SITE, {"en": "Carbon works", "zh_CN": "碳素厂"}, "carbon"),
        kiln.path: kiln,
    }
    tenants = {key: Tenant(key, {"en": key}) for key in ("copper", "carbon")}
    model = Plant("park", {"en": "Park"}, ZONE, tenants, nodes)
    return RunningPlant(model, version, {path: TagId(10 + place) for place, path in enumerate(model.tags)})
