"""The list of alarm rules: what there is, what is wrong with it, how many alarms each makes."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.alarms.pages import rules_words as words
from athanor.apps.alarms.pages.tabs import tabs
from athanor.apps.alarms.services import rules as services
from athanor.kernel.alarms.rulebook import CONFIGURE, HOUSE
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Level
from athanor.kernel.plant.running import RunningPlant
from athanor.web import severity
from athanor.web.components import Cell, Choice, Column, TablePage, TableQuery, data_table, link, region
from athanor.web.components.data_table import Row, page_of
from athanor.web.formatting import date_time, number
from athanor.web.language import _, current_language, text_of


async def rules(request: Request, viewer: User, alarms: Alarms, plant: RunningPlant) -> None:
    """All that the viewer sees, searched and narrowed."""
    tabs("/alarms/rules", viewer)
    zone = ZoneInfo(plant.model.timezone)
    names = ("priority", "category", "kind", "state", "area")
    wish = services.Wish(**{name: request.query_params.get(name, "")[:400] for name in names})

    async def rows(query: TableQuery) -> TablePage:
        found = await services.listed(alarms.rules, viewer, replace(wish, text=query.text))
        return page_of([_row(one, plant, zone, viewer) for one in found], replace(query, text=""))

    with region("ath-card", "section"):
        with region("ath-toolbar"):
            _choices(wish, plant)
            region("ath-space")
            _actions(viewer)
        table = data_table(
            rows,
            [
                Column("name", _("Rule"), is_wide=True),
                Column("priority", _("Priority")),
                Column("kind", _("When it is abnormal")),
                Column("about", _("About"), is_wide=True),
                Column("alarms", _("Alarms"), is_number=True),
                Column("state", _("State")),
                Column("category", _("Category")),
                Column("changed", _("Changed"), is_number=True),
            ],
            caption=_("Alarm rules"),
            nothing=_("No rule is like that. Show all, or make one."),
            export_name="alarm-rules" if viewer.may("alarms.export") else "",
        )
    await table.refresh()


def _choices(wish: services.Wish, plant: RunningPlant) -> None:
    places = [node for node in plant.model.nodes.values() if node.level is not Level.ASSET]
    options: dict[str, tuple[str, Mapping[str, str]]] = {
        "priority": (_("Priority"), {str(int(one)): text for one, text in severity.priorities().items()}),
        "category": (_("Category"), {str(one): text for one, text in severity.categories().items()}),
        "kind": (_("When it is abnormal"), words.kinds()),
        "area": (_("Area"), {node.path: _indented(node.path, text_of(node.name)) for node in places}),
        "state": (_("State"), {"enabled": _("enabled"), "disabled": _("disabled"), "faulty": _("faulty")}),
    }
    fields: dict[str, Choice[str]] = {}
    for name, (label, some) in options.items():
        fields[name] = Choice(label, {"": _("all"), **some}, getattr(wish, name), lambda: _narrow(fields), name=name)


def _indented(path: str, name: str) -> str:
    return "\u2007" * 2 * path.count(".") + name


def _narrow(choices: Mapping[str, "Choice[str]"]) -> None:
    chosen = urlencode({name: one.value for name, one in choices.items() if one.value})
    ui.navigate.to(f"/alarms/rules?{chosen}" if chosen else "/alarms/rules")


def _actions(viewer: User) -> None:
    if viewer.may("alarms.export"):
        language = current_language()
        link(_("Export as Excel"), f"/api/v1/alarms/rules/export?language={language}", "ath-button")
    if viewer.may(CONFIGURE):
        link(_("Import…"), "/alarms/rules/import", "ath-button")
        link(_("Add a rule"), "/alarms/rules/new", "ath-button is-main")


def _row(one: services.Listed, plant: RunningPlant, zone: ZoneInfo, viewer: User) -> Row:
    kept, rule = one.kept, one.kept.rule
    about, path = words.about(rule, plant)
    tenant = plant.model.tenants.get(kept.tenant or "")
    whose = "" if viewer.tenant is not None or tenant is None else f" · {text_of(tenant.name)}"
    by = "" if kept.changed_by == HOUSE else kept.changed_by
    return {
        "name": Cell(text_of(rule.name), note=f"{kept.key}{whose}", address=f"/alarms/rules/{kept.id}"),
        "priority": Cell(
            severity.priorities()[rule.priority], sort=int(rule.priority), state=severity.priority_state(rule.priority)
        ),
        "kind": words.kinds()[rule.condition.kind],
        "about": Cell(about, note=path),
        "alarms": Cell(number(one.alarms), sort=one.alarms),
        "state": _state(one),
        "category": severity.categories()[rule.category],
        "changed": Cell(date_time(kept.changed_at, zone), note=by, sort=kept.changed_at.timestamp()),
    }


def _state(one: services.Listed) -> Cell:
    if one.faults:
        note = words.faults_text(one.faults[0])
        return Cell(_("faulty"), note=note[:120], state="is-warn", sort="0")
    return Cell(_("enabled"), sort="2") if one.kept.is_enabled else Cell(_("disabled"), sort="1")
