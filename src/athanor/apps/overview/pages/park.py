"""The park at a glance."""

from collections.abc import Sequence
from datetime import UTC, datetime

from athanor.apps.overview import services
from athanor.apps.overview.pages.enterprise_card import EnterpriseCard
from athanor.apps.overview.pages.outside_limits import OutsideLimitsTable
from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.port import Historian
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Status, Words, empty_state, kpi, kpi_strip, page_title, region, status
from athanor.web.formatting import number, percent, read
from athanor.web.language import _, text_of
from athanor.web.live import every_second


async def park(plant: RunningPlant, current: CurrentValues, historian: Historian, sources: SourceStates) -> None:
    """Power, production, limits and data health of every enterprise, changing every second."""
    view = services.view_of(plant)
    title = page_title(_("Park overview"))
    if not view.tenants:
        empty_state(
            _("The plant is empty"),
            _(
                "Athanor shows what the plant model describes, and it describes nothing yet. Load one with "
                "`athanor serve --plant plant.yaml`, or look at the reference plant with `athanor demo`."
            ),
            glyph="factory",
        )
        return
    with title:
        chip = status("", address="/datahealth")
    strip = _Strip(view)
    table = OutsideLimitsTable()
    with region("ath-cards"):
        cards = [EnterpriseCard(view, tenant, table.show_only) for tenant in view.tenants]
    _environment(view, current)
    table.build()

    async def refresh() -> None:
        now = datetime.now(UTC)
        state = view.state(current, now)
        _show_sources(chip, sources, now)
        strip.refresh(state, current, sources, now)
        for card in cards:
            card.refresh(state, current, now)
        await table.refresh(state.outside)

    await _load_sparks(view, cards, historian)
    every_second(refresh)


async def _load_sparks(view: services.ParkView, cards: Sequence[EnterpriseCard], historian: Historian) -> None:
    ids = [view.plant.id_of(card.power.path) for card in cards if card.power]
    lines = await services.power_of_last_hour(historian, ids, datetime.now(UTC))
    for card in cards:
        if card.power:
            card.load_spark(*lines[view.plant.id_of(card.power.path)])


class _Strip:
    """The park's own numbers, above the cards."""

    def __init__(self, view: services.ParkView) -> None:
        self._power_tags = [tag for tenant in view.tenants for tag in view.with_role(tenant.id, services.POWER)]
        self._plant = view.plant
        with kpi_strip():
            self._power = kpi(_("Total power"))
            self._outside = kpi(_("Outside limits"))
            self._health = kpi(_("Data fresh and good"))
            self._rate = kpi(_("Samples per second"))

    def refresh(self, state: services.ParkState, current: CurrentValues, sources: SourceStates, now: datetime) -> None:
        """Show what changed."""
        total, missing = services.total_power_kw(self._plant, self._power_tags, current, now)
        note = _("{n} meters without a fresh, good value").format(n=missing) if missing else ""
        self._power.set(number(total), "kW", note=note, state="is-uncertain" if missing else "")
        urgent = sum(one.urgent for one in state.tenants.values())
        self._outside.set(
            number(len(state.outside)),
            _("tags"),
            note=_("{n} of them urgent").format(n=urgent) if urgent else "",
            state="is-urgent" if urgent else "is-warn" if state.outside else "",
        )
        is_healthy = state.healthy >= services.HEALTHY_ENOUGH
        self._health.set(percent(state.healthy), state="" if is_healthy else "is-warn")
        heard = [edge for edge in sources.edges() if not edge.is_silent(now)]
        self._rate.set(number(sum(source.samples_per_s for edge in heard for source in edge.sources)))


def _show_sources(chip: Words, sources: SourceStates, now: datetime) -> None:
    states = ["silent" if edge.is_silent(now) else source.state for edge in sources.edges() for source in edge.sources]
    connected = states.count("connected")
    if not states:
        chip.show(_("No source has reported yet"), f"ath-status {Status.UNSURE}")
    else:
        state = Status.NORMAL if connected == len(states) else Status.WARN
        text = _("{n} of {total} sources connected").format(n=connected, total=len(states))
        chip.show(text, f"ath-status {state}".strip())


def _environment(view: services.ParkView, current: CurrentValues) -> None:
    tags = view.environment()
    if not tags:
        return
    with region("ath-card"):
        with region("ath-card-head"):
            Words(_("Weather and air"), "h2")
        with region("ath-tiles"):
            tiles = [(tag, kpi(text_of(tag.name), is_small=True)) for tag in tags]

    def refresh() -> None:
        now = datetime.now(UTC)
        for tag, tile in tiles:
            asset = view.plant.model.node(tag.node_path)
            tile.read(read(tag, current.get(view.plant.id_of(tag.path)), now), note=text_of(asset.name))

    every_second(refresh)
