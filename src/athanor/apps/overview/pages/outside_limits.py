"""The tags outside their alarm limits, the most severe first."""

from collections.abc import Sequence

from athanor.apps.overview import services
from athanor.apps.overview.pages.process_values import FLAGS
from athanor.kernel.plant.model import Tenant
from athanor.kernel.units import display_unit
from athanor.web.components import Cell, Column, TablePage, TableQuery, button, data_table, region
from athanor.web.components.data_table import DataTable, Row, page_of
from athanor.web.formatting import value_text
from athanor.web.language import _, text_of


class OutsideLimitsTable:
    """The table; it may be narrowed to one enterprise."""

    def __init__(self) -> None:
        self._outside: Sequence[services.OutsideLimits] = ()
        self._only: Tenant | None = None
        self._table: DataTable | None = None

    def build(self) -> None:
        """Place it here on the page."""
        with region("ath-card", "section", id="outside"):
            self._everyone = button(_("Show all enterprises"), lambda: self.show_only(None))
            self._everyone.classes("ath-show-all")
            self._everyone.set_visibility(False)
            self._table = data_table(
                self._page,
                [
                    Column("tag", _("Tag"), is_wide=True),
                    Column("tenant", _("Enterprise")),
                    Column("value", _("Value"), is_number=True),
                    Column("limit", _("Limit"), is_number=True),
                    Column("beyond", _("Beyond by"), is_number=True),
                ],
                caption=_("Outside alarm limits"),
                nothing=_("Every value is within its alarm limits."),
                export_name="outside-limits",
                page_size=10,
            )

    async def refresh(self, outside: Sequence[services.OutsideLimits]) -> None:
        """Show these; only rows that changed are sent."""
        self._outside = outside
        if self._table is not None:
            await self._table.refresh()

    async def show_only(self, tenant: Tenant | None) -> None:
        """Narrow the table to one enterprise, and bring it into view; None for all."""
        self._only = tenant
        self._everyone.set_visibility(tenant is not None)
        if self._table is not None:
            await self._table.refresh()
            self._table.client.run_javascript("document.getElementById('outside').scrollIntoView({behavior: 'smooth'})")

    def _page(self, query: TableQuery) -> TablePage:
        return page_of(
            [_row(one) for one in self._outside if self._only is None or one.tenant.id == self._only.id], query
        )


def _row(one: services.OutsideLimits) -> Row:
    unit = display_unit(one.tag.unit)
    state = "is-urgent" if abs(one.crossing) == services.URGENT else "is-warn"
    beyond = abs(one.value - one.limit)
    return {
        "tag": Cell(
            text_of(one.tag.name),
            note=text_of(one.asset.name),
            address=f"/trends?tags={one.tag.path}",
            state=state,
            mark=FLAGS[one.crossing],
        ),
        "tenant": text_of(one.tenant.name),
        "value": Cell(
            f"{value_text(one.tag, one.value)} {unit}", sort=one.value, state="is-stale" if one.is_stale else state
        ),
        "limit": Cell(f"{value_text(one.tag, one.limit)} {unit}", sort=one.limit),
        "beyond": Cell(f"{value_text(one.tag, beyond)} {unit}", sort=beyond),
    }
