"""The occurrences that a figure counts: the list behind a number."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import Request

from athanor.apps.alarms.domain.log import NEVER
from athanor.apps.alarms.pages.tabs import tabs
from athanor.apps.alarms.pages.wording import priorities
from athanor.apps.alarms.services.performance_counted import ACKNOWLEDGED, RETURNED, counted
from athanor.apps.alarms.services.performance_names import Named, named
from athanor.apps.alarms.services.performance_period import BadPeriodError, Period, period_of, written
from athanor.apps.alarms.services.performance_record import Record, Wish, read
from athanor.apps.alarms.services.performance_wording import HOME, alarm_text, figure_texts, place_text, seconds
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import moment
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Cell,
    Column,
    TablePage,
    TableQuery,
    Words,
    data_table,
    empty_state,
    link,
    region,
)
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, date_time
from athanor.web.language import _


async def occurrences(plant: RunningPlant, db: Database, viewer: User, request: Request) -> None:
    """The occurrences of a period, by the figure and the alarm that the address names."""
    tabs(HOME, viewer)
    said = dict(request.query_params)
    zone = ZoneInfo(plant.model.timezone)
    try:
        start, end = period_of(Period.MONTH, datetime.now(UTC), zone)
        if "from" in said or "to" in said:
            start, end = written(said.get("from", ""), said.get("to", ""))
    except BadPeriodError as error:
        empty_state(_("There is no such period"), str(error), action=(_("Performance"), HOME))
        return
    wish = Wish(start, end, said.get("tenant"), said.get("area"), said.get("position"))
    record = await read(db, plant, wish)
    text = said.get("alarm", "")
    alarm = int(text) if text.isdigit() and len(text) < 10 else None
    rows = np.flatnonzero(await asyncio.to_thread(counted, record, said.get("figure", ""), alarm))
    await _list(plant, db, record, rows, _title(said.get("figure", "")))


async def _list(plant: RunningPlant, db: Database, record: Record, rows: np.ndarray, title: str) -> None:
    wish, zone = record.wish, record.zone
    texts = priorities()

    async def page(query: TableQuery) -> TablePage:
        place = rows if query.is_descending or query.sort is None else rows[::-1]
        some = place[::-1][query.offset : query.offset + query.limit]
        names = await named(db, plant.model, record, record.log.alarm[some].tolist())
        return TablePage([_row(record, int(row), names, texts) for row in some], len(rows))

    with region("ath-card", "section"):
        with region("ath-toolbar"):
            link(_("Performance"), HOME, "ath-button")
            Words(f"{date_time(wish.start, zone)} – {date_time(wish.end, zone)}", "span", "ath-note")
        table = data_table(
            page,
            [
                Column("alarm", _("Alarm"), is_wide=True, is_sortable=False),
                Column("raised", _("Raised")),
                Column("priority", _("Priority"), is_sortable=False),
                Column("acknowledged", _("Acknowledged after"), is_number=True, is_sortable=False),
                Column("stood", _("Stood"), is_number=True, is_sortable=False),
            ],
            caption=title,
            nothing=_("No occurrence counts here."),
            export_name="alarm-occurrences",
            is_searchable=False,
        )
    await table.refresh()


def _row(record: Record, row: int, names: dict[int, Named], texts: Mapping[int, str]) -> Row:
    log = record.log
    raised, cleared, acknowledged = int(log.raised_us[row]), int(log.cleared_us[row]), int(log.acknowledged_us[row])
    one = names.get(int(log.alarm[row]))
    return {
        "alarm": Cell(alarm_text(one), note=place_text(one), address=f"/alarms/occurrences/{int(record.ids[row])}"),
        "raised": date_time(moment(raised), record.zone),
        "priority": texts.get(int(log.priority[row]), NOTHING),
        "acknowledged": NOTHING if acknowledged == NEVER else seconds((acknowledged - raised) / 1e6),
        "stood": _("still stands") if cleared == NEVER else seconds((cleared - raised) / 1e6),
    }


def _title(figure: str) -> str:
    known = {str(one): text for one, text in figure_texts().items()}
    known |= {ACKNOWLEDGED: _("Acknowledged"), RETURNED: _("Back to normal")}
    return known.get(figure, _("Announced alarms"))
