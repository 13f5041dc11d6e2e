"""What a file seems to be, as a proposal for a person: how it is read, what its columns are, which tags they mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.dialect import Dialect, FileKind
from athanor.kernel.transfer.errors import BadFileError
from athanor.kernel.transfer.matching import Matcher, NameMatch, known_unit, without_unit
from athanor.kernel.transfer.numbers import Decimal
from athanor.kernel.transfer.plan import FilePlan, merged_content
from athanor.kernel.transfer.qualities import coding_of
from athanor.kernel.transfer.reading import Head, head_of
from athanor.kernel.transfer.series import Shape
from athanor.kernel.transfer.shape import Rows, ShapeGuess, names_of, rows_of_table, shape_of, width_of
from athanor.kernel.transfer.times import TimeLayout

_DAY_OR_MONTH = {TimeLayout.DMY, TimeLayout.MDY}
_SHOWN_NAMES = 500  # distinct names of a long table that are matched beforehand


class Question(StrEnum):
    """What a file leaves open, and a person must say."""

    NO_TIME = "no-time"  # no column holds times
    DAY_OR_MONTH = "day-or-month"  # 01/02/2026
    DECIMAL = "decimal"  # 1,234
    NO_TAGS = "no-tags"  # no column's name means a tag
    FORMULAS = "formulas"  # cells whose value nobody has computed


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file. `unit` is what its name or the row of units says, where that is a unit."""

    name: str
    samples: tuple[str, ...]
    unit: str | None


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found, and what is proposed."""

    head: Head
    file: FilePlan
    columns: tuple[Column, ...]
    guess: ShapeGuess
    shape: Shape
    matches: Mapping[str, NameMatch]  # by column of a wide table, by name within the file of a long one
    questions: tuple[Question, ...]
    content: dict[str, Any]  # of a plan; lacks `time` where no column holds times

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


def examine(
    path: Path, name: str, plant: RunningPlant, matcher: Matcher, over: Mapping[str, Any] | None = None
) -> Examined:
    """Look at a file. What a person has decided already (`over`, parts of a plan) is kept, and the rest follows it.

    Raises BadFileError.
    """
    over = over or {}
    given = over.get("file", {})
    dialect = Dialect.model_validate(given["dialect"]) if given.get("dialect") else None
    head = head_of(path, name, dialect=dialect, sheet=given.get("sheet"))
    decimal = head.dialect.decimal if head.dialect else Decimal.POINT
    rows = _rows(head, given, decimal)
    width = width_of(head.cells, rows)
    if width == 0:
        raise BadFileError(name, f"there is nothing from row {rows.first + 1} on.")
    names = names_of(head.cells[rows.header] if rows.header >= 0 else [], width)
    samples = [[row[index] for row in head.cells[rows.first :] if len(row) == width] for index in range(width)]
    units = head.cells[rows.units] if rows.units >= 0 else []
    columns = tuple(
        Column(one, tuple(cells[:5]), _unit_of(one, units[index] if index < len(units) else ""))
        for index, (one, cells) in enumerate(zip(names, samples, strict=True))
    )
    guess = shape_of(names, samples, lambda text: matcher.certain(text) is not None, decimal)
    shape = Shape(over.get("shape", guess.shape))
    file = FilePlan(
        dialect=head.dialect,
        sheet=given.get("sheet"),
        header_row=rows.header + 1,
        unit_row=rows.units + 1,
        first_row=rows.first + 1,
    )
    matches = _matches(guess, shape, columns, samples, matcher)
    content = _content(file, plant, columns, samples, guess, shape, matches)
    content = merged_content(content, {key: value for key, value in over.items() if key != "file"})
    questions = _questions(head, guess, over, content)
    return Examined(head, file, columns, guess, shape, matches, questions, content)


def _rows(head: Head, given: Mapping[str, Any], decimal: Decimal) -> Rows:
    """Where header, units and samples are: where a person said, else where they seem to be."""
    if head.kind is FileKind.PARQUET:
        return Rows(0, -1, 1)
    found = rows_of_table(head.cells, decimal)
    if not {"header_row", "first_row", "unit_row"} & given.keys():
        return found
    header = int(given.get("header_row", found.header + 1)) - 1
    units = int(given.get("unit_row", 0)) - 1
    return Rows(header, units, int(given.get("first_row", max(header, units) + 2)) - 1)


def _unit_of(name: str, cell: str) -> str | None:
    return known_unit(cell) if cell.strip() else without_unit(name)[1]


def _matches(
    guess: ShapeGuess, shape: Shape, columns: Sequence[Column], samples: Sequence[Sequence[str]], matcher: Matcher
) -> dict[str, NameMatch]:
    time = guess.time.columns if guess.time else ()
    if shape is Shape.WIDE:
        return {column.name: matcher.match(column.name) for index, column in enumerate(columns) if index not in time}
    if "tag" not in guess.long:
        return {}
    names = dict.fromkeys(cell.strip() for cell in samples[guess.long["tag"]] if cell.strip())
    return {name: matcher.match(name) for name in list(names)[:_SHOWN_NAMES]}


def _content(
    file: FilePlan,
    plant: RunningPlant,
    columns: Sequence[Column],
    samples: Sequence[Sequence[str]],
    guess: ShapeGuess,
    shape: Shape,
    matches: Mapping[str, NameMatch],
) -> dict[str, Any]:
    """A plan's content from what was found; what is not certain is not in it."""
    content: dict[str, Any] = {"file": file.model_dump(mode="json"), "shape": shape.value}
    if guess.time is not None:
        content["time"] = {
            "columns": [columns[index].name for index in guess.time.columns],
            "layout": guess.time.layouts[0].value,
            "zone": plant.model.timezone,
        }
    if shape is Shape.WIDE:
        content["columns"] = {
            column.name: {"tag": match.path, "unit": column.unit}
            for column in columns
            if (match := matches.get(column.name)) is not None and match.path is not None
        }
    elif "tag" in guess.long:
        content["long"] = {role: columns[index].name for role, index in guess.long.items()}
        if "quality" in guess.long:
            content["quality_coding"] = coding_of(list(samples[guess.long["quality"]])).value
    return content


def _questions(
    head: Head, guess: ShapeGuess, over: Mapping[str, Any], content: Mapping[str, Any]
) -> tuple[Question, ...]:
    """What is still open after what a person has decided."""
    found = []
    if "time" not in content:
        found.append(Question.NO_TIME)
    elif guess.time and {*guess.time.layouts} >= _DAY_OR_MONTH and "layout" not in over.get("time", {}):
        found.append(Question.DAY_OR_MONTH)
    if not head.is_decimal_certain:
        found.append(Question.DECIMAL)
    if content["shape"] == Shape.WIDE and not content.get("columns"):
        found.append(Question.NO_TAGS)
    if head.formulas_without_value:
        found.append(Question.FORMULAS)
    return tuple(found)
