"""A report for people and for programs."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from athanor.bench.figures import Report


def as_table(report: Report) -> Table:
    """One row a figure; a column for each peer that was measured too."""
    peers = list(dict.fromkeys(name for figure in report.figures for name in figure.peers))
    table = Table("figure", "value", "unit", "target", "holds", *peers, "compared with")
    for one in report.figures:
        holds = "" if one.holds is None else "yes" if one.holds else "NO"
        beside = [written(one.peers.get(peer)) for peer in peers]
        table.add_row(one.name, written(one.value), one.unit, written(one.target), holds, *beside, one.compared_with)
    return table


def as_json(report: Report, machine: str) -> Mapping[str, Any]:
    """What `--json` gives."""
    return {"machine": machine, "figures": report.figures, "notes": report.notes}


def written(value: float | None) -> str:
    """A number with three digits or more, all that are before the point."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
