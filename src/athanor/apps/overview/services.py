"""What the overview answers: the state of every enterprise, now and over the last hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np

from athanor.apps.overview.domain.freshness import healthy_share
from athanor.apps.overview.domain.limits import Crossing, by_severity, crossings, limits_crossed
from athanor.apps.overview.domain.selection import spread
from athanor.kernel.current import CurrentValues
from athanor.kernel.freshness import is_stale
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.gaps import hold
from athanor.kernel.historian.port import Historian, microseconds
from athanor.kernel.plant.model import Node, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality
from athanor.kernel.units import conversion

POWER = "tenant.power"
PRODUCTION = "tenant.production"
HEALTHY_ENOUGH = 0.99  # share of tags; below it the data's health is marked
URGENT = abs(Crossing.HIGH_HIGH)
KEY_VALUES = 8  # process values on an enterprise's card
SPARK_SPAN = timedelta(hours=1)
SPARK_STEP = timedelta(seconds=30)
_POWER_HOLDS = hold(timedelta(minutes=5))
_US = timedelta(microseconds=1)
_WEATHER_UNIT = "weather"  # id of the units whose tags say what the weather is like
_AIR_STATION = "air_station"  # type of the assets that say what the air is like
_ENVIRONMENT_MOST = 14


@dataclass(frozen=True, slots=True)
class OutsideLimits:
    """A tag whose value is beyond an alarm limit."""

    tag: Tag
    asset: Node
    tenant: Tenant
    crossing: Crossing
    value: float
    limit: float
    is_stale: bool


@dataclass(frozen=True, slots=True)
class TenantState:
    """How an enterprise does right now."""

    tags: int
    outside: int
    urgent: int  # of those outside, how many are beyond HH or LL
    healthy: float  # share of tags that are fresh and good, 0 to 1


@dataclass(frozen=True, slots=True)
class ParkState:
    """How the park does right now, as far as the viewer sees it."""

    tenants: Mapping[str, TenantState]
    outside: Sequence[OutsideLimits]  # the most severe first
    healthy: float


class ParkView:
    """A viewer's plant as columns, made once and asked every second."""

    def __init__(self, plant: RunningPlant) -> None:
        self.plant = plant
        self._tags = [(node, tag) for node in plant.model.nodes.values() for tag in node.tags]
        self._ids = plant.ids_of(tag.path for _node, tag in self._tags)
        limits = [tag.alarm_limits for _node, tag in self._tags]
        self._limits = tuple(
            np.array([getattr(one, name) for one in limits], np.float64)
            for name in ("low_low", "low", "high", "high_high")
        )
        self._period_s = np.array([tag.period_s for _node, tag in self._tags], np.float64)
        order = {tenant: index for index, tenant in enumerate(plant.model.tenants)}
        self._tenant = np.array([order[node.tenant] for node, _tag in self._tags], np.intp)
        self._answer: tuple[tuple[CurrentValues, int, datetime], ParkState] | None = None

    @cached_property
    def tenants(self) -> Sequence[Tenant]:
        """The enterprises that have tags, in the plant's order."""
        owners = {node.tenant for node, _tag in self._tags}
        return [tenant for tenant in self.plant.model.tenants.values() if tenant.id in owners]

    def state(self, current: CurrentValues, now: datetime) -> ParkState:
        """How the park does; computed once a second at most, however many look."""
        moment = (current, current.version, now.replace(microsecond=0))
        if self._answer is None or self._answer[0] != moment:
            self._answer = (moment, self._state(current, now))
        return self._answer[1]

    def _state(self, current: CurrentValues, now: datetime) -> ParkState:
        value = current.numbers(self._ids)
        stale = is_stale(current.ages_s(self._ids, now), self._period_s)
        good = current.qualities(self._ids) == Quality.GOOD
        crossing = crossings(value, *self._limits)
        limit = limits_crossed(crossing, *self._limits)
        tenants = {}
        for index, tenant in enumerate(self.plant.model.tenants.values()):
            mine = self._tenant == index
            beyond = crossing[mine]
            tenants[tenant.id] = TenantState(
                tags=int(mine.sum()),
                outside=int(np.count_nonzero(beyond)),
                urgent=int(np.count_nonzero(np.abs(beyond) == Crossing.HIGH_HIGH)),
                healthy=healthy_share(stale[mine], good[mine]),
            )
        outside = [
            self._outside(int(index), Crossing(int(crossing[index])), value, limit, stale)
            for index in by_severity(crossing, value, limit)
        ]
        return ParkState(tenants, outside, healthy_share(stale, good))

    def _outside(
        self, index: int, crossing: Crossing, value: np.ndarray, limit: np.ndarray, stale: np.ndarray
    ) -> OutsideLimits:
        node, tag = self._tags[index]
        tenant = self.plant.model.tenants[node.tenant]
        return OutsideLimits(tag, node, tenant, crossing, float(value[index]), float(limit[index]), bool(stale[index]))

    def with_role(self, tenant: str, role: str) -> list[Tag]:
        """The tenant's tags that play this role."""
        return [tag for node, tag in self._tags if node.tenant == tenant and tag.role == role]

    def key_values(self, tenant: str) -> list[Tag]:
        """A few process values that stand for the tenant's plant: with alarm limits, spread over its units."""
        limited = [
            (node, tag)
            for node, tag in self._tags
            if node.tenant == tenant and tag.kind is TagKind.ANALOG and not tag.role and _has_limits(tag)
        ]
        chosen = spread(limited, lambda one: _unit(one[0]), KEY_VALUES)
        return [tag for _node, tag in chosen]

    def environment(self) -> list[Tag]:
        """Weather and air: all that the weather units measure, and the first quantity of each air-quality station."""
        analog = [(node, tag) for node, tag in self._tags if tag.kind is TagKind.ANALOG]
        weather = [tag for node, tag in analog if _unit(node).rpartition(".")[2] == _WEATHER_UNIT]
        stations = [one for one in analog if one[0].type == _AIR_STATION]
        first = {node.path: tag for node, tag in reversed(stations)}
        return [*weather, *reversed(first.values())][:_ENVIRONMENT_MOST]


_views: dict[int, ParkView] = {}  # by the identity of the plant, which its view keeps alive
_MOST_VIEWS = 64


def view_of(plant: RunningPlant) -> ParkView:
    """The view of this plant; everybody who sees the same plant shares it."""
    view = _views.get(id(plant))
    if view is None:
        if len(_views) >= _MOST_VIEWS:
            _views.clear()
        view = _views[id(plant)] = ParkView(plant)
    return view


async def power_of_last_hour(
    historian: Historian, ids: Sequence[TagId], now: datetime
) -> Mapping[TagId, tuple[list[int], list[float]]]:
    """Half-minute means of these tags over the last hour: times [ms since 1970] and values."""
    end_us = microseconds(now.replace(microsecond=0))
    span_us, step_us = SPARK_SPAN // _US, SPARK_STEP // _US
    edges = np.arange(end_us - span_us, end_us + 1, step_us)
    table = await historian.resample(ids, edges, Measure.MEAN, _POWER_HOLDS)
    tag, value = table.column("tag").to_numpy(), table.column("value").to_numpy()
    time_ms = table.column("time").cast("int64").to_numpy() // 1000
    return {one: (time_ms[tag == one].tolist(), value[tag == one].tolist()) for one in ids}


def total_power_kw(
    plant: RunningPlant, tags: Sequence[Tag], current: CurrentValues, now: datetime
) -> tuple[float, int]:
    """The sum of the newest good values of these power tags [kW], and how many have none or only a stale one."""
    ids = plant.ids_of(tag.path for tag in tags)
    value = current.numbers(ids)
    factors = [conversion(tag.unit, "kW").scale for tag in tags]
    stale = is_stale(current.ages_s(ids, now), np.array([tag.period_s for tag in tags], np.float64))
    return float(np.nansum(value * factors)), int(np.count_nonzero(np.isnan(value) | stale))


def crossing_of(tag: Tag, value: float | None) -> Crossing:
    """The worst limit of the tag that this value is beyond."""
    limits = tag.alarm_limits
    columns = (value, limits.low_low, limits.low, limits.high, limits.high_high)
    return Crossing(int(crossings(*(np.array([one], np.float64) for one in columns))[0]))


def _has_limits(tag: Tag) -> bool:
    limits = tag.alarm_limits
    return any(limit is not None for limit in (limits.low_low, limits.low, limits.high, limits.high_high))


def _unit(node: Node) -> str:
    """The unit that a node is in: site, area and unit of its path."""
    return ".".join(node.path.split(".")[:3])
