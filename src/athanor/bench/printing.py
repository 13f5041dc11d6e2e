"""A report for people and for programs."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from athanor.bench.figures import Report


def as_table(report: Report) -> Table:
    """One row a figure; a column for each peer that was measured too."""
    heads, rows = _cells(report)
    table = Table(*heads)
    for row in rows:
        table.add_row(*row)
    return table


def as_markdown(report: Report, machine: str) -> str:
    """The same for a page of the manual."""
    heads, rows = _cells(report)
    lines = [heads, ["---"] * len(heads), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n\n".join([f"{machine}:", table, "\n".join(f"- {note}" for note in report.notes)]).rstrip() + "\n"


def as_json(report: Report, machine: str) -> Mapping[str, Any]:
    """What `--json` gives."""
    return {"machine": machine, "figures": report.figures, "notes": report.notes}


def _cells(report: Report) -> tuple[list[str], list[list[str]]]:
    """Heads of the columns, and what stands in each row."""
    peers = list(dict.fromkeys(name for figure in report.figures for name in figure.peers))
    rows = []
    for one in report.figures:
        holds = "" if one.holds is None else "yes" if one.holds else "NO"
        beside = [written(one.peers.get(peer)) for peer in peers]
        rows.append([one.name, written(one.value), one.unit, written(one.target), holds, *beside, one.compared_with])
    return ["figure", "value", "unit", "target", "holds", *peers, "compared with"], rows


def written(value: float | None) -> str:
    """A number with three digits or more, all that are before the point."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
