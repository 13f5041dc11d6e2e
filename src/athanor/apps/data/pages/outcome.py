"""What an import, or its trial, came to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from athanor.apps.data.pages import wording
from athanor.kernel.jobs.port import Job
from athanor.web.components import Cell, Column, data_table, kpi, kpi_strip, region
from athanor.web.components.data_table import Row
from athanor.web.formatting import number, percent
from athanor.web.language import _

_EXAMPLES = 3


def outcome(job: Job) -> None:
    """Figures, refusals by reason with examples, and samples by tag."""
    summary = job.summary
    refused = sum(summary["refused"].values())
    with kpi_strip():
        kpi(_("Rows read")).set(number(summary["rows"]))
        good = kpi(_("Samples that can be stored") if summary["is_trial"] else _("Samples stored"))
        good.set(
            number(summary["samples" if summary["is_trial"] else "stored"]),
            note=_("{n} tags").format(n=number(summary["tags"])),
        )
        kpi(_("Refused")).set(
            number(refused), note=share_of_refused(summary) if refused else "", state="is-warn" if refused else ""
        )
        uncertain = summary["uncertain"]
        kpi(_("Outside their range")).set(number(uncertain), state="is-uncertain" if uncertain else "")
        kpi(_("Empty cells")).set(number(summary["empty"]))
    with region("ath-cards"):
        if refused:
            _refusals(summary)
        if summary["by_tag"]:
            _tags(summary)


def share_of_refused(summary: Mapping[str, Any]) -> str:
    """Refused cells as a share of all that say something; empty where nothing was refused."""
    refused = sum(summary["refused"].values())
    return percent(refused / (refused + summary["samples"]), 2) if refused else ""


def span_text(summary: Mapping[str, Any], zone: Any) -> str:
    """First and last time on the site's clock; empty where there are none."""
    if summary["first"] is None or summary["last"] is None:
        return ""
    first, last = (datetime.fromisoformat(summary[name]).astimezone(zone) for name in ("first", "last"))
    return f"{first:%Y-%m-%d %H:%M:%S} – {last:%Y-%m-%d %H:%M:%S}"


def _refusals(summary: Mapping[str, Any]) -> None:
    texts = wording.reasons()
    rows: list[Row] = [
        {
            "reason": Cell(texts.get(reason, reason), state="is-warn"),
            "count": Cell(number(count), sort=float(count)),
            "examples": " · ".join(_example(one) for one in summary["examples"].get(reason, [])[:_EXAMPLES]),
        }
        for reason, count in sorted(summary["refused"].items(), key=lambda item: -item[1])
    ]
    columns = [
        Column("reason", _("Why"), is_wide=True),
        Column("count", _("Cells"), is_number=True),
        Column("examples", _("Such as"), is_sortable=False, is_wide=True),
    ]
    with region("ath-card", "section"):
        data_table(rows, columns, caption=_("Refused"), page_size=25, is_searchable=False)


def _tags(summary: Mapping[str, Any]) -> None:
    rows: list[Row] = [
        {"tag": path, "count": Cell(number(count), sort=float(count))} for path, count in summary["by_tag"].items()
    ]
    columns = [Column("tag", _("Tag"), is_wide=True), Column("count", _("Samples"), is_number=True)]
    with region("ath-card", "section"):
        data_table(rows, columns, caption=_("Samples by tag"), page_size=25)


def _example(one: Mapping[str, Any]) -> str:
    """Row and words of a refused cell."""
    text = one["value"] or one["time"]
    return _("row {row}: {text}").format(row=number(one["row"]), text=text[:40])
