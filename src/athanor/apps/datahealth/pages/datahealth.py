"""Can the numbers be believed: sources, refused data, and values that are old or bad."""

from datetime import UTC, datetime

from athanor.apps.datahealth.pages import rows, tables, wording
from athanor.apps.datahealth.pages.tabs import tabs
from athanor.apps.datahealth.services import health as services
from athanor.kernel.current import CurrentValues
from athanor.kernel.identity.user import User
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Status, TablePage, TableQuery, Words, kpi, kpi_strip, region, status
from athanor.web.components.data_table import page_of
from athanor.web.formatting import number, percent
from athanor.web.language import _
from athanor.web.live import every_second

HEALTHY_ENOUGH = 0.99


def datahealth(
    plant: RunningPlant, current: CurrentValues, quarantine: Quarantine, sources: SourceStates, viewer: User
) -> None:
    """What the sources send, what was refused, what is missing."""
    tabs("/datahealth")
    with kpi_strip():
        healthy, connected = kpi(_("Data fresh and good")), kpi(_("Sources connected"))
        rate, waiting, refused = kpi(_("Samples per second")), kpi(_("Waiting at the edges")), kpi(_("Quarantined"))

    with region("ath-card ath-notice", role="status") as loss_notice:
        status(_("Samples lost"), Status.WARN)
        lost = Words(tag="p")
    loss_notice.set_visibility(False)

    def source_rows(query: TableQuery) -> TablePage:
        now = datetime.now(UTC)
        return page_of(
            [
                rows.source_row(edge, source, services.newest_of(source, plant, current), now)
                for edge, source in services.reported(sources, viewer)
            ],
            query,
        )

    async def quarantine_rows(query: TableQuery) -> TablePage:
        now = datetime.now(UTC)
        return page_of(
            [rows.quarantine_row(one, now) for one in await services.quarantined(quarantine, plant, viewer)], query
        )

    def troubled_rows(query: TableQuery) -> TablePage:
        return page_of(
            [rows.troubled_row(one) for one in services.health_of(plant, current, datetime.now(UTC)).troubled], query
        )

    shown = [tables.sources(source_rows), tables.quarantine(quarantine_rows), tables.troubled(troubled_rows)]

    async def refresh() -> None:
        now = datetime.now(UTC)
        health = services.health_of(plant, current, now)
        share = health.healthy / health.tags if health.tags else float("nan")
        note = _("{n} of {total} tags").format(n=number(health.healthy), total=number(health.tags))
        healthy.set(percent(share), note=note, state="is-warn" if share < HEALTHY_ENOUGH else "")
        states = services.reported(sources, viewer)
        working = sum(source.state == "connected" and not edge.is_silent(now) for edge, source in states)
        connected.set(
            _("{n} of {total}").format(n=working, total=len(states)), state="is-warn" if working < len(states) else ""
        )
        rate.set(number(sum(source.samples_per_s for edge, source in states if not edge.is_silent(now)), 0))
        backlog = sum({edge.edge: edge.backlog.rows for edge, _source in states}.values())
        waiting.set(number(backlog), _("samples"))
        losses = [text for edge in services.with_losses(sources, viewer) for text in wording.losses(edge)]
        lost.show(" ".join(losses))
        loss_notice.set_visibility(bool(losses))
        entries = await services.quarantined(quarantine, plant, viewer)
        count = sum(entry.count for entry in entries)
        refused.set(number(count), _("samples"), state="is-uncertain" if count else "")
        for table in shown:
            await table.refresh()

    every_second(refresh)
