"""One enterprise's card: power, production, limits, data health, and the process values that stand for its plant."""

from collections.abc import Callable
from datetime import datetime, timedelta

from athanor.apps.overview import services
from athanor.apps.overview.pages.process_values import ProcessValues
from athanor.kernel.current import CurrentValues
from athanor.kernel.plant.model import Tenant
from athanor.web.components import Kpi, Status, Words, kpi, region
from athanor.web.components.status import StatusChip
from athanor.web.formatting import number, percent, read
from athanor.web.language import _, text_of

_MS = timedelta(milliseconds=1)


class EnterpriseCard:
    """Built once, refreshed every second; pressing its chip shows which of its tags are outside their limits."""

    def __init__(self, view: services.ParkView, tenant: Tenant, show_outside: Callable[[Tenant], object]) -> None:
        self.tenant = tenant
        self._plant = view.plant
        self.power = next(iter(view.with_role(tenant.id, services.POWER)), None)
        self._production = view.with_role(tenant.id, services.PRODUCTION)
        self._spark_at: datetime | None = None
        key_values = view.key_values(tenant.id)
        with region("ath-card ath-enterprise", "section", aria_label=text_of(tenant.name)):
            with region("ath-card-head"):
                Words(text_of(tenant.name), "h2")
                region("ath-space")
                self._chip = StatusChip("", Status.NORMAL, "button")
                self._chip.props["type"] = "button"
                self._chip.on("click", lambda _event: show_outside(tenant), args=[])
            with region("ath-enterprise-body"):
                with region("ath-enterprise-kpis"):
                    self._power_kpi = kpi(text_of(self.power.name), with_spark=True) if self.power else None
                    self._production_kpis: list[Kpi] = [
                        kpi(text_of(tag.name), is_small=True) for tag in self._production
                    ]
                    self._health = kpi(_("Data fresh and good"), is_small=True)
                self._values = ProcessValues(view.plant, key_values, label=_("Key process values"))

    def load_spark(self, times_ms: list[int], values: list[float]) -> None:
        """The last hour's power."""
        if self._power_kpi and self._power_kpi.spark:
            self._power_kpi.spark.load(times_ms, values, services.SPARK_SPAN // _MS)

    def refresh(self, state: services.ParkState, current: CurrentValues, now: datetime) -> None:
        """Show what changed."""
        mine = state.tenants[self.tenant.id]
        self._show_limits(mine)
        is_healthy = mine.healthy >= services.HEALTHY_ENOUGH
        self._health.set(
            percent(mine.healthy),
            note=_("of {n} tags").format(n=number(mine.tags)),
            state="" if is_healthy else "is-warn",
        )
        for tag, shown in zip(self._production, self._production_kpis, strict=True):
            asset = self._plant.model.node(tag.node_path)
            shown.read(read(tag, current.get(self._plant.id_of(tag.path)), now), note=text_of(asset.name))
        self._show_power(current, now)
        self._values.refresh(current, now)

    def _show_limits(self, mine: services.TenantState) -> None:
        if not mine.outside:
            self._chip.set(_("All within limits"))
            return
        state = Status.URGENT if mine.urgent else Status.WARN
        self._chip.set(_("{n} outside limits").format(n=mine.outside), state)

    def _show_power(self, current: CurrentValues, now: datetime) -> None:
        if self.power is None or self._power_kpi is None:
            return
        value = current.get(self._plant.id_of(self.power.path))
        self._power_kpi.read(read(self.power, value, now))
        is_due = self._spark_at is None or now - self._spark_at >= services.SPARK_STEP
        if is_due and self._power_kpi.spark and value is not None and isinstance(value.value, float):
            self._power_kpi.spark.append(int(value.time.timestamp() * 1000), value.value)
            self._spark_at = now
