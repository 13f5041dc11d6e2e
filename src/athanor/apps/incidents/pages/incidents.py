"""The list of cases: what is open, mine, overdue, to be verified, closed; and how long dealing with them takes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.incidents.pages import wording
from athanor.kernel.cases.flow import State
from athanor.kernel.cases.opening import Opening
from athanor.kernel.cases.records import Case
from athanor.kernel.cases.seeing import Filter, Span
from athanor.kernel.cases.service import Cases
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Cell,
    Choice,
    Column,
    Dialog,
    Said,
    TablePage,
    TableQuery,
    Words,
    button,
    data_table,
    dialog_form,
    form_choice,
    form_line,
    form_lines,
    link,
    page_title,
    region,
)
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, date_time, duration
from athanor.web.language import _, text_of
from athanor.web.live import every_second
from athanor.web.severity import categories, priorities, priority_state

_LOOK_EVERY = 5  # beats
_TIMES_OVER = timedelta(days=30)
_OPEN_STATES = tuple(one for one in State if one is not State.CLOSED)


class CaseRefusedHereError(AthanorError):
    """A case that a person would open lacks something."""

    code = "incidents.no-title"

    def __init__(self) -> None:
        super().__init__("The incident has no title. Say in a few words what has happened.")


async def incidents_page(request: Request, plant: RunningPlant, cases: Cases, viewer: User, view: str = "open") -> None:
    """The cases that the viewer sees; `view` is one of the tabs."""
    address = request.client.host if request.client else ""
    await _Page(plant, cases, viewer, view, address).build()


class _Page:
    def __init__(self, plant: RunningPlant, cases: Cases, viewer: User, view: str, address: str) -> None:
        self._plant, self._cases, self._viewer, self._address = plant, cases, viewer, address
        self._zone = ZoneInfo(plant.model.timezone)
        self._view = view if view in self._views() else "open"
        self._beats = 0

    async def build(self) -> None:
        counts = await self._cases.seeing.counts(self._viewer)
        with page_title(_("Incidents")):
            region("ath-space")
            if self._viewer.may("incidents.operate"):
                button(_("Report an incident…"), self._ask_to_open, glyph="add", classes="is-main")
        self._dialog = Dialog()
        numbers = {
            "open": counts.open, "mine": counts.mine, "overdue": counts.overdue, "verify": counts.to_verify,
        }  # fmt: skip
        with region("ath-tabs", "nav", aria_label=_("Lists")):
            for one, title in self._views().items():
                count = f" ({numbers[one]})" if one in numbers else ""
                tab = link(f"{title}{count}", f"/incidents?view={one}")
                if one == self._view:
                    tab.props["aria-current"] = "page"
        with region("ath-card", "section"):
            with region("ath-choices ath-form"):
                levels = {"": _("All priorities")} | {
                    str(int(level)): _("{priority} and above").format(priority=text) if level > 1 else text
                    for level, text in priorities().items()
                    if level < 4  # the least is everything
                }
                self._priority = Choice(_("Priority"), levels, "", self._narrowed, name="priority")
            self._table = data_table(
                self._page,
                self._columns(),
                caption=self._views()[self._view],
                nothing=self._nothing(),
                export_name="incidents",
            )
        await self._times()
        every_second(self._look)

    def _views(self) -> dict[str, str]:
        return {
            "open": _("Open incidents"),
            "mine": _("My incidents"),
            "overdue": _("Overdue"),
            "verify": _("To be verified"),
            "closed": _("Closed"),
        }

    def _nothing(self) -> str:
        return {
            "open": _("Nothing has to be dealt with. Alarms of high priority open an incident by themselves."),
            "mine": _("Nothing is yours."),
            "overdue": _("Nothing is overdue."),
            "verify": _("Nothing waits to be verified."),
            "closed": _("Nothing was closed yet."),
        }[self._view]

    def _narrowed(self) -> None:
        self._table.look_again()

    async def _look(self) -> None:
        self._beats += 1
        if self._beats % _LOOK_EVERY == 0:
            await self._table.refresh()

    def _wanted(self, text: str) -> Filter:
        priority = int(self._priority.value) if self._priority.value else None
        match self._view:
            case "mine":
                return Filter(_OPEN_STATES, owner=self._viewer.login, priority=priority, text=text)
            case "overdue":
                return Filter(priority=priority, text=text, is_overdue=True)
            case "verify":
                return Filter((State.RESOLVED,), priority=priority, text=text)
            case "closed":
                return Filter((State.CLOSED,), priority=priority, text=text)
        return Filter(_OPEN_STATES, priority=priority, text=text)

    def _columns(self) -> list[Column]:
        columns = [
            Column("title", _("Incident"), is_wide=True, is_sortable=False),
            Column("priority", _("Priority"), is_sortable=False),
            Column("state", _("State"), is_sortable=False),
            Column("owner", _("Owner"), is_sortable=False),
            Column("due", _("Due"), is_sortable=False),
            Column("since", _("Since"), is_sortable=False),
        ]
        if self._viewer.tenant is None:
            columns.insert(3, Column("tenant", _("Enterprise"), is_sortable=False))
        return columns

    async def _page(self, query: TableQuery) -> TablePage:
        found = await self._cases.seeing.page(
            self._viewer, self._wanted(query.text), start=query.offset, most=query.limit
        )
        now = datetime.now(UTC)
        return TablePage([self._row(one, now) for one in found.cases], found.total)

    def _row(self, one: Case, now: datetime) -> Row:
        text, state = wording.state_of(one.state)
        if one.state is State.CLOSED:
            text = wording.dispositions().get(one.disposition, text)
        is_late = one.is_overdue(now)
        tenant = self._plant.model.tenants.get(one.tenant or "")
        return {
            "title": Cell(
                text_of(one.title),
                note=f"#{one.id} · {wording.place_of(self._plant, one.path) or NOTHING}",
                address=f"/incidents/{one.id}",
            ),
            "priority": Cell(
                priorities()[one.priority],
                state=priority_state(one.priority) if not one.state.is_over else "",
            ),
            "tenant": text_of(tenant.name) if tenant else NOTHING,
            "state": Cell(text, state=str(state)),
            "owner": Cell(one.owner or NOTHING, note=one.team),
            "due": Cell(
                NOTHING if one.due_at is None or one.state.is_over else date_time(one.due_at, self._zone),
                state="is-urgent" if is_late else "",
                note=_("overdue") if is_late else "",
            ),
            "since": date_time(one.occurred_at, self._zone),
        }

    # ---- how long it takes

    async def _times(self) -> None:
        now = datetime.now(UTC)
        times = await self._cases.seeing.times(self._viewer, now - _TIMES_OVER, now)
        if not times.cases:
            return
        rows = [
            _span_row(_("until detected"), times.detect),
            _span_row(_("until somebody was told"), times.notify),
            _span_row(_("until acknowledged"), times.acknowledge),
            _span_row(_("until dealt with"), times.dispose),
            _span_row(_("until closed"), times.close),
        ]
        columns = [
            Column("step", _("From its beginning"), is_sortable=False),
            Column("median", _("Median"), is_number=True, is_sortable=False),
            Column("p90", _("Nine of ten within"), is_number=True, is_sortable=False),
            Column("count", _("Count"), is_number=True, is_sortable=False),
        ]
        text = _("The last 30 days: {n} incidents, {closed} closed, {late} overdue, {up} given further up.")
        with region("ath-card", "section", aria_label=_("How long it takes")):
            data_table(rows, columns, caption=_("How long it takes"), export_name="incident-times", is_searchable=False)
            with region("ath-form-foot"):
                Words(text.format(n=times.cases, closed=times.closed, late=times.overdue, up=times.escalated), "p")

    # ---- opening one

    async def _ask_to_open(self) -> None:
        async def open_one(said: Said) -> None:
            title = said.get("title", "").strip()[:200]
            if not title:
                raise CaseRefusedHereError
            path = said.get("place", "")
            node = self._plant.model.nodes.get(path)
            case = await self._cases.open(
                Opening(
                    {"en": title, "zh_CN": title},
                    node.tenant if node is not None else self._viewer.tenant,
                    datetime.now(UTC),
                    path=path if node is not None else "",
                    priority=int(said.get("priority", "3")),
                    category=said.get("category", "process"),
                    by=self._viewer.login,
                    text=said.get("text", "").strip()[:4000],
                ),
                address=self._address,
            )
            ui.navigate.to(f"/incidents/{case.id}")

        areas = {"": _("the whole plant")} | {
            path: wording.place_of(self._plant, path)
            for path, node in self._plant.model.nodes.items()
            if node.level != "asset" and self._plant.owns(path)
        }
        with (
            self._dialog.filling(_("Report an incident")),
            dialog_form(open_one, _("Report"), on_cancel=self._dialog.close),
        ):
            form_line(_("What has happened"), "title")
            form_choice(_("Where"), "place", areas, "")
            levels = {str(int(level)): text for level, text in priorities().items()}
            form_choice(_("Priority"), "priority", levels, "3")
            form_choice(_("Kind"), "category", categories(), "safety")
            form_lines(_("What is known so far"), "text")


def _span_row(step: str, span: Span) -> Row:
    return {
        "step": step,
        "median": NOTHING if span.median_s is None else duration(span.median_s),
        "p90": NOTHING if span.p90_s is None else duration(span.p90_s),
        "count": str(span.count),
    }
