"""Entries of a form as a table: for CSV and Excel, in the reader's language; nothing in it is run as a formula."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter

from athanor.kernel.forms.definition import Definition, FormField, Kind, Text
from athanor.kernel.forms.records import Entry
from athanor.kernel.transfer.plain_cells import plain_cell

Cell = str | float | None
Say = Callable[[Text], str]  # a text in the reader's language
_LEFT_OUT = frozenset({Kind.NOTE, Kind.SIGNATURE})


def header(definition: Definition, say: Say, titles: Sequence[str]) -> list[str]:
    """`titles` are those of number, state, author, sent and ended; then one for each field, with its unit."""
    return [*titles, *(_title(one, say) for one in _columns(definition))]


def rows(definition: Definition, entries: Sequence[Entry], say: Say, zone: ZoneInfo) -> Iterator[list[Cell]]:
    """A row for each entry, whatever version it is of: by the fields of this one."""
    for entry in entries:
        moments = [
            "" if moment is None else moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")
            for moment in (entry.sent_at, entry.ended_at)
        ]
        cells = [_cell(one, entry.values.get(one.id), say) for one in _columns(definition)]
        yield [float(entry.id), entry.state.value, entry.author, *moments, *cells]


def as_csv(head: Sequence[str], body: Iterator[list[Cell]]) -> bytes:
    """UTF-8 with the mark that Excel looks for."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([plain_cell(one) for one in head])
    writer.writerows([plain_cell(one) if isinstance(one, str) else _plain(one) for one in row] for row in body)
    return ("\ufeff" + file.getvalue()).encode()


def as_excel(head: Sequence[str], body: Iterator[list[Cell]]) -> bytes:
    """One sheet; texts stay texts."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, head, book.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(body, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell)
                elif cell is not None:
                    sheet.write_number(number, column, cell)
    return file.getvalue()


def _columns(definition: Definition) -> list[FormField]:
    return [one for one in definition.fields if one.kind not in _LEFT_OUT]


def _title(one: FormField, say: Say) -> str:
    label = say(one.label) or one.id
    return f"{label} [{one.unit}]" if one.unit else label


def _plain(number: float | None) -> str:
    return "" if number is None else f"{number:.12g}"


def _cell(one: FormField, value: Any, say: Say) -> Cell:
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if one.kind in (Kind.CHOICE, Kind.CHOICES):
        labels = {option.value: say(option.label) or option.value for option in one.options}
        chosen = value if isinstance(value, list) else [value]
        return "; ".join(labels.get(str(each), str(each)) for each in chosen)
    if isinstance(value, list):
        return " | ".join(_item(one, item, say) for item in value)
    if isinstance(value, dict) and one.kind is Kind.POSITION:
        return f"{value.get('lat')}, {value.get('lon')} ±{value.get('accuracy_m')} m"
    return str(value)


def _item(one: FormField, item: Any, say: Say) -> str:
    if not isinstance(item, dict):
        return str(item)
    if one.kind is Kind.PHOTO:
        return str(item.get("name", ""))
    return "; ".join(
        f"{say(column.label) or column.id}: {item[column.id]} {column.unit}".strip()
        for column in one.columns
        if item.get(column.id) not in (None, "")
    )
