"""The master alarm database as a sheet: rules out to Excel and in again, each broken row explained with its cure.

A trial changes nothing: it says what each row would do. Only what a person then confirms is kept.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import xlsxwriter
from pydantic import ValidationError

from athanor.kernel.alarms.faults import Fault, Problem
from athanor.kernel.alarms.rule import Rule
from athanor.kernel.alarms.rule_errors import BadRuleError, FaultyRuleError
from athanor.kernel.alarms.rulebook import KeptRule
from athanor.kernel.alarms.sheet_columns import COLUMNS, Content, SheetColumn, cell_of, content_of_cells, invalid
from athanor.kernel.spelling import suggestion
from athanor.kernel.transfer.errors import BadFileError
from athanor.kernel.transfer.plain_cells import plain_cell
from athanor.kernel.transfer.plan import FilePlan
from athanor.kernel.transfer.reading import chunks_of, head_of

MOST_ROWS = 50_000

_TOLD = (  # only told, of what is there; heeded by no import
    ("revision", "Revision", "版本"),
    ("changed_by", "Changed by", "修改人"),
    ("changed_at", "Changed at", "修改时间"),
    ("tenant", "Enterprise", "企业"),
)
_BY_TITLE = {name.casefold(): column for column in COLUMNS for name in (column.id, column.english, column.chinese)}
_TOLD_TITLES = frozenset(title.casefold() for told in _TOLD for title in told)
_COLUMN_OF_PROBLEM = {
    Problem.NO_NODE: "node",
    Problem.NO_TYPE: "type",
    Problem.NOTHING_OF_TYPE: "tag",
    Problem.NOT_A_NUMBER: "kind",
    Problem.NOT_A_STATE: "kind",
    Problem.NO_SUCH_STATE: "states",
    Problem.NEEDS_A_TAG: "tag",
    Problem.OTHER_UNIT: "reference",
    Problem.NO_LIMIT: "at",
    Problem.BEYOND_RANGE: "at",
    Problem.NO_PERIOD: "after_s",
    Problem.BAD_FORMULA: "formula",
}


class What(StrEnum):
    """What an import does with a row."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class SheetRule:
    """A row that can be kept. `row` is its number in the sheet; the header is row 1."""

    row: int
    key: str
    rule: Rule
    is_enabled: bool
    what: What


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that cannot: where, and the cure. `column` is the header as it stands in the sheet, or empty."""

    row: int
    column: str
    text: str


@dataclass(frozen=True, slots=True)
class SheetTrial:
    """What an import would do."""

    rules: Sequence[SheetRule]
    faults: Sequence[RowFault]

    def count(self, what: What) -> int:
        return sum(one.what is what for one in self.rules)


Check = Callable[[str, Rule], None]  # raises BadRuleError, FaultyRuleError


def as_excel(rules: Iterable[KeptRule], *, is_chinese: bool) -> bytes:
    """All that is known of these rules; texts stay texts, and none is run as a formula."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    titles = [column.chinese if is_chinese else column.english for column in COLUMNS]
    titles += [chinese if is_chinese else english for _id, english, chinese in _TOLD]
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet("报警规则" if is_chinese else "Alarm rules")
        sheet.write_row(0, 0, titles, book.add_format({"bold": True}))
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(titles) - 1, 16)
        number = 0
        for number, kept in enumerate(rules, start=1):
            _write(sheet, number, kept)
        sheet.autofilter(0, 0, number, len(titles) - 1)
    return file.getvalue()


def _write(sheet: Any, number: int, kept: KeptRule) -> None:
    content: Content = kept.rule.model_dump(mode="json", exclude_none=True)
    content |= {"key": kept.key, "enabled": kept.is_enabled}
    cells = [cell_of(column, content) for column in COLUMNS]
    cells += [float(kept.revision), kept.changed_by, kept.changed_at.isoformat(timespec="seconds"), kept.tenant or ""]
    for place, cell in enumerate(cells):
        if isinstance(cell, float):
            sheet.write_number(number, place, cell)
        elif cell:
            sheet.write_string(number, place, plain_cell(cell))


def read_trial(path: Path, name: str, known: Mapping[str, KeptRule], check: Check) -> SheetTrial:
    """What importing this file would do; `known` are the rules by key that are there. Changes nothing.

    Raises BadFileError for what is no such sheet.
    """
    rows = _rows(path, name)
    first = next(rows, None)
    if first is None:
        raise BadFileError(name, "it is empty. Export the rules, fill in that sheet, and import it.")
    columns = _columns(name, first[1])
    rules: list[SheetRule] = []
    faults: list[RowFault] = []
    seen: dict[str, int] = {}
    for number, cells in rows:
        if number > MOST_ROWS:
            raise BadFileError(name, f"it has more than {MOST_ROWS:,} rows. Divide it.")
        if not any(cell.strip() for cell in cells):
            continue
        found = _read_row(number, cells, columns, known, check, seen)
        if isinstance(found, SheetRule):
            rules.append(found)
        else:
            faults += found
    return SheetTrial(rules, faults)


@dataclass(frozen=True, slots=True)
class _Header:
    """Which column stands where, and what it is called in this sheet."""

    columns: Mapping[int, SheetColumn]
    titles: Mapping[str, str]

    def title(self, column: str) -> str:
        return self.titles.get(column, column)


def _rows(path: Path, name: str) -> Iterator[tuple[int, list[str]]]:
    """Every row with its number, the header's is 1."""
    head = head_of(path, name)
    width = max(len(row) for row in head.cells)
    plan = FilePlan(dialect=head.dialect, first_row=1)
    for read in chunks_of(path, name, plan, [str(place) for place in range(width)]):
        columns = [column.to_pylist() for column in read.chunk.columns.values()]
        for number, row in zip(read.chunk.row.tolist(), zip(*columns, strict=True), strict=True):
            yield number, ["" if cell is None else str(cell) for cell in row]


def _columns(name: str, cells: Sequence[str]) -> _Header:
    columns: dict[int, SheetColumn] = {}
    titles: dict[str, str] = {}
    for place, cell in enumerate(cells):
        title = cell.strip().removeprefix("\ufeff")
        column = _BY_TITLE.get(title.casefold())
        if column is None:
            if title and title.casefold() not in _TOLD_TITLES:
                hint = suggestion(title, [one.english for one in COLUMNS])
                raise BadFileError(name, f"there is no column {title[:60]!r}. {hint}")
        elif column.id in titles:
            raise BadFileError(name, f"the column {title!r} is there twice. Remove one.")
        else:
            columns[place], titles[column.id] = column, title
    if "key" not in titles:
        raise BadFileError(name, "it has no column 'Key' in its first row. Export the rules to see how a sheet looks.")
    return _Header(columns, titles)


def _read_row(
    number: int,
    cells: Sequence[str],
    header: _Header,
    known: Mapping[str, KeptRule],
    check: Check,
    seen: dict[str, int],
) -> SheetRule | list[RowFault]:
    content, unread = content_of_cells((column, cells[place]) for place, column in header.columns.items())
    faults = [RowFault(number, header.title(column), text) for column, text in unread.items()]
    key, is_enabled = str(content.pop("key", "")), content.pop("enabled", True)
    if not key:
        faults.append(RowFault(number, header.title("key"), "The key is empty. Give each rule one of its own."))
    elif key in seen:
        text = f"The key {key[:60]!r} stands in row {seen[key]} already. Give this row another one, or remove it."
        faults.append(RowFault(number, header.title("key"), text))
    if faults:
        return faults
    seen[key] = number
    try:
        rule = Rule.model_validate(content)
        check(key, rule)
    except ValidationError as error:
        found = [invalid(one) for one in error.errors(include_url=False)]
        return [RowFault(number, header.title(column), text) for column, text in found]
    except FaultyRuleError as error:
        return [_faulty(number, header, rule, one) for one in error.faults[:3]]
    except BadRuleError as error:
        return [RowFault(number, header.title("key"), str(error))]
    return SheetRule(number, key, rule, is_enabled, _what(known.get(key), rule, is_enabled))


def _what(known: KeptRule | None, rule: Rule, is_enabled: bool) -> What:  # noqa: FBT001 it is what is compared
    if known is None:
        return What.NEW
    return What.SAME if known.rule == rule and known.is_enabled == is_enabled else What.CHANGED


def _faulty(number: int, header: _Header, rule: Rule, fault: Fault) -> RowFault:
    return RowFault(number, header.title(_column_of(rule, fault)), fault.english)


def _column_of(rule: Rule, fault: Fault) -> str:
    known = _COLUMN_OF_PROBLEM.get(fault.problem)
    if known == "node" and fault.name == rule.subject.under:
        return "under"
    if known is not None:
        return known
    if fault.name in (rule.subject.tag, rule.subject.node):
        return "tag" if fault.name == rule.subject.tag else "node"
    if rule.condition.kind == "deviation":
        return "reference"
    return "formula" if rule.condition.kind == "expression" else "suppressed_while"
