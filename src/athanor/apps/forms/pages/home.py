"""What waits for me, what I sent, and all that I see."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.apps.forms.pages import wording
from athanor.kernel.forms.building import BUILD
from athanor.kernel.forms.definition import Definition
from athanor.kernel.forms.records import Entry
from athanor.kernel.forms.seeing import Found, Waits
from athanor.kernel.forms.service import Forms
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Cell, Column, Words, data_table, empty_state, icon, link, page_title, region
from athanor.web.formatting import date_time
from athanor.web.language import _, text_of

_VIEWS = ("waiting", "mine", "all")


async def home(forms: Forms, park: RunningPlant, viewer: User, view: str = "waiting", form: int = 0) -> None:
    """Entries in three lists, and the forms to fill in."""
    zone = ZoneInfo(park.model.timezone)
    published = [one for one in await forms.definitions.all(viewer) if one.version and not one.is_retired]
    waiting, mine = await forms.seeing.waiting(viewer), await forms.seeing.made(viewer)
    found = await forms.seeing.all(viewer, form or None)
    with page_title(_("Forms")):
        region("ath-space")
        if viewer.may(BUILD):
            with link("", "/forms/build", "ath-button"):
                icon("construction")
                Words(_("Build forms"))
    if published:
        with region("ath-form-starts", "section", aria_label=_("Fill in")):
            for one in published:
                _start(one.id, one.definition)
    elif not found.total:
        action = (_("Build forms"), "/forms/build") if viewer.may(BUILD) else None
        empty_state(
            _("There is no form yet"),
            _("An administrator builds forms without code."),
            glyph="fact_check",
            action=action,
        )
        return
    view = view if view in _VIEWS else "waiting"
    _tabs(view, len(waiting), mine.total, found.total)
    with region("ath-card", "section"):
        if view == "waiting":
            _waiting(waiting, zone)
        elif view == "mine":
            _entries(mine, zone, _("What I filled in"), _("You have filled in nothing yet."))
        else:
            _narrow([(one.id, text_of(one.definition.title)) for one in await forms.definitions.all(viewer)], form)
            _entries(found, zone, _("All entries"), _("There is no entry that you may see."))
            if form:
                _exports(form)


def _start(form_id: int, definition: Definition) -> None:
    with link("", f"/forms/new/{form_id}", "ath-form-start"):
        icon("post_add")
        with region(tag="span"):
            Words(text_of(definition.title), "strong")
            if text_of(definition.description):
                Words(text_of(definition.description), "small")


def _tabs(view: str, waiting: int, mine: int, total: int) -> None:
    titles = {"waiting": _("Waiting for me"), "mine": _("Mine"), "all": _("All")}
    counts = {"waiting": waiting, "mine": mine, "all": total}
    with region("ath-tabs", "nav", aria_label=_("Lists")):
        for one, title in titles.items():
            tab = link(f"{title} ({counts[one]})", f"/forms?view={one}")
            if one == view:
                tab.props["aria-current"] = "page"


def _narrow(choices: Sequence[tuple[int, str]], form: int) -> None:
    with region("ath-choices ath-form"), region("ath-choice", "label"):
        Words(_("Form"))
        with region("", "select", name="form") as field:
            for number, title in [(0, _("All forms")), *choices]:
                option = Words(title, "option")
                option.props["value"] = str(number)
                if number == form:
                    option.props["selected"] = True
    field.on(
        "change", js_handler="(event) => { location.href = `/forms?view=all&form=${Number(event.target.value)}`; }"
    )


def _exports(form: int) -> None:
    with region("ath-form-foot"):
        Words(_("With every field:"))
        link("CSV", f"/api/v1/forms/definitions/{form}/entries.csv", "ath-button").props["download"] = True
        link("Excel", f"/api/v1/forms/definitions/{form}/entries.xlsx", "ath-button").props["download"] = True


def _waiting(waiting: Sequence[Waits], zone: ZoneInfo) -> None:
    if not waiting:
        empty_state(_("Nothing waits for you"), _("What others send for your decision comes here."), glyph="task_alt")
        return
    now = datetime.now(UTC)
    rows = []
    for one in waiting:
        due_at = one.asked.due_at
        is_late = due_at is not None and due_at <= now
        rows.append(
            _row(one.entry, zone)
            | {
                "step": wording.step_title(one.asked.step),
                "due": Cell(
                    "" if due_at is None else date_time(due_at, zone),
                    sort=float("inf") if due_at is None else due_at.timestamp(),
                    state="is-urgent" if is_late else "",
                    note=_("overdue") if is_late else "",
                ),
            }
        )
    columns = [
        Column("form", _("Form")),
        Column("step", _("Flow step")),
        Column("author", _("Filled in by")),
        Column("due", _("Due")),
        Column("changed", _("Changed")),
    ]
    data_table(rows, columns, caption=_("Waiting for me"), export_name="forms-waiting")


def _entries(found: Found, zone: ZoneInfo, caption: str, nothing: str) -> None:
    columns = [
        Column("form", _("Form")),
        Column("state", _("State")),
        Column("author", _("Filled in by")),
        Column("changed", _("Changed")),
    ]
    rows = [_row(one, zone) for one in found.entries]
    data_table(rows, columns, caption=caption, nothing=nothing, export_name="forms")
    if found.total > len(found.entries):
        with region("ath-form-foot"):
            Words(_("The newest {n} of {total}.").format(n=len(found.entries), total=found.total))


def _row(entry: Entry, zone: ZoneInfo) -> dict[str, Cell | str]:
    text, state = wording.state_of(entry.state)
    return {
        "form": Cell(
            text_of(entry.definition.title), note=f"#{entry.id}", address=f"/forms/entries/{entry.id}", sort=None
        ),
        "state": Cell(text, state=str(state)),
        "author": entry.author,
        "changed": Cell(date_time(entry.changed_at, zone), sort=entry.changed_at.timestamp()),
    }


def to_home() -> None:
    """Go to the lists."""
    ui.navigate.to("/forms?view=mine")
