"""A report as a workbook: a sheet for each section, numbers as numbers, ready to be sorted and summed."""

import io
import math
import re

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from athanor.apps.alarms.services.report_content import Content, Heading, Kind, Section

_FORMATS = {Kind.TEXT: "@", Kind.COUNT: "#,##0", Kind.NUMBER: "0.00", Kind.SHARE: "0.00%", Kind.SECONDS: "#,##0.0"}
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_LONGEST_NAME = 31


def to_excel(content: Content) -> bytes:
    """The workbook's file. Lengths of time are in seconds; text is text, whatever it begins with."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True})
        formats = {kind: book.add_format({"num_format": text}) for kind, text in _FORMATS.items()}
        _first(book.add_worksheet(_name(content.title, set())), content, bold)
        used = {_name(content.title, set())}
        for section in content.sections:
            name = _name(section.title, used)
            used.add(name)
            _sheet(book.add_worksheet(name), section, bold, formats)
        _days(book.add_worksheet(_name(content.days_title, used)), content, bold)
    return file.getvalue()


def _first(sheet: Worksheet, content: Content, bold: Format) -> None:
    sheet.set_column(0, 0, 42)
    sheet.set_column(1, 1, 40)
    sheet.write_string(0, 0, content.title, bold)
    for row, text in enumerate((content.whose, content.period, content.made), 1):
        sheet.write_string(row, 0, text)
    for row, (name, value) in enumerate(content.summary, 5):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, value)


def _sheet(sheet: Worksheet, section: Section, bold: Format, formats: dict[Kind, Format]) -> None:
    sheet.write_string(0, 0, section.how)
    for column, heading in enumerate(section.headings):
        sheet.set_column(column, column, max(10, 8 * heading.width))
        sheet.write_string(2, column, _titled(heading), bold)
    for row, values in enumerate(section.rows, 3):
        for column, (value, heading) in enumerate(zip(values, section.headings, strict=True)):
            if isinstance(value, str):
                sheet.write_string(row, column, value)
            elif math.isfinite(value):
                sheet.write_number(row, column, value, formats[heading.kind])
    if section.rows:
        sheet.autofilter(2, 0, 2 + len(section.rows), len(section.headings) - 1)
    sheet.freeze_panes(3, 0)


def _days(sheet: Worksheet, content: Content, bold: Format) -> None:
    sheet.write_string(0, 0, content.days_title, bold)
    for row, (day, count) in enumerate(content.days, 1):
        sheet.write_string(row, 0, day)
        sheet.write_number(row, 1, count)


def _titled(heading: Heading) -> str:
    return f"{heading.title} [s]" if heading.kind is Kind.SECONDS else heading.title


def _name(title: str, used: set[str]) -> str:
    """A name that a sheet may have, and none has yet."""
    plain = _FORBIDDEN.sub(" ", title)[:_LONGEST_NAME]
    return plain if plain not in used else f"{plain[: _LONGEST_NAME - 4]} ({len(used)})"
