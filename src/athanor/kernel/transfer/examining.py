"""What a file seems to be, as a proposal for a person: how it is read, what its columns are, which tags they mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa

from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.dialect import FileKind
from athanor.kernel.transfer.errors import BadFileError
from athanor.kernel.transfer.matching import Matcher, NameMatch, known_unit, without_unit
from athanor.kernel.transfer.numbers import Decimal
from athanor.kernel.transfer.plan import DialectParts, FilePlan, merged_content, parts_of
from athanor.kernel.transfer.qualities import coding_of
from athanor.kernel.transfer.reading import Head, head_of
from athanor.kernel.transfer.series import Shape
from athanor.kernel.transfer.shape import Rows, ShapeGuess, TimeGuess, names_of, rows_of_table, shape_of, width_of
from athanor.kernel.transfer.times import TimeLayout, joined, layouts_of

_ROLES = ("tag", "value", "quality", "unit", "text")
_DAY_OR_MONTH = {TimeLayout.DMY, TimeLayout.MDY}
_SUGGESTED = 200
_SHOWN_NAMES = 500  # distinct names of a long table that are matched beforehand


class Question(StrEnum):
    """What a file leaves open, and a person must say."""

    NO_TIME = "no-time"  # no column holds times
    DAY_OR_MONTH = "day-or-month"  # 01/02/2026
    DECIMAL = "decimal"  # 1,234
    NO_TAGS = "no-tags"  # no column of a wide table is mapped to a tag
    NO_ROLES = "no-roles"  # nobody knows which column of a long table is the tag, and which the value
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
    matches: Mapping[str, NameMatch]  # by column of a wide table, by name within the file of a long one
    questions: tuple[Question, ...]
    content: dict[str, Any]  # of a plan, as far as it is known

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


def examine(
    path: Path, name: str, plant: RunningPlant, matcher: Matcher, over: Mapping[str, Any] | None = None
) -> Examined:
    """Look at a file. What a person has decided already (`over`, parts of a plan) is kept, and the rest follows it.

    Raises BadFileError, BadPlanError.
    """
    over = parts_of(over or {})
    given = {key: value for key, value in (over.get("file") or {}).items() if value is not None}
    head = head_of(path, name, dialect=DialectParts(**given.get("dialect", {})), sheet=given.get("sheet"))
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
    guess = _as_said(guess, over, names, samples, decimal)
    file = FilePlan(
        dialect=head.dialect,
        sheet=given.get("sheet"),
        header_row=rows.header + 1,
        unit_row=rows.units + 1,
        first_row=rows.first + 1,
    )
    matches = _matches(guess, columns, samples, matcher)
    content = _content(file, plant, columns, samples, guess, matches)
    unfit = "long" if guess.shape is Shape.WIDE else "columns"
    content = merged_content(content, {key: value for key, value in over.items() if key not in ("file", unfit)})
    return Examined(head, file, columns, guess, matches, _questions(head, guess, over, content), content)


def _as_said(
    guess: ShapeGuess, over: Mapping[str, Any], names: Sequence[str], samples: Sequence[Sequence[str]], decimal: Decimal
) -> ShapeGuess:
    """The guess with what a person said of shape, time and roles. Columns that are not there are left to the plan."""
    place = {name: index for index, name in enumerate(names)}
    time = guess.time
    said = tuple(place[name] for name in (over.get("time") or {}).get("columns") or () if name in place)
    if said:
        cells = [samples[index] for index in said]
        whole = joined(*(pa.array(one, pa.string()) for one in cells)).to_pylist() if len(cells) == 2 else cells[0]
        time = TimeGuess(said, tuple(layouts_of([whole], decimal)[0]))
    shape = Shape(over.get("shape") or guess.shape)
    roles = {role: place[name] for role, name in (over.get("long") or {}).items() if role in _ROLES and name in place}
    return ShapeGuess(shape, time, {**guess.long, **roles} if shape is Shape.LONG else {})


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
    guess: ShapeGuess, columns: Sequence[Column], samples: Sequence[Sequence[str]], matcher: Matcher
) -> dict[str, NameMatch]:
    time = guess.time.columns if guess.time else ()
    if guess.shape is Shape.WIDE:
        return _matched([column.name for index, column in enumerate(columns) if index not in time], matcher)
    if "tag" not in guess.long:
        return {}
    names = dict.fromkeys(cell.strip() for cell in samples[guess.long["tag"]] if cell.strip())
    return _matched(list(names)[:_SHOWN_NAMES], matcher)


def _matched(names: Sequence[str], matcher: Matcher) -> dict[str, NameMatch]:
    """What names mean; of very many only the first come with suggestions, which take a while to find."""
    found: dict[str, NameMatch] = {}
    suggested = 0
    for name in names:
        path = matcher.certain(name)
        if path is None and suggested < _SUGGESTED:
            found[name] = matcher.match(name)
            suggested += 1
        else:
            found[name] = NameMatch(path)
    return found


def _content(
    file: FilePlan,
    plant: RunningPlant,
    columns: Sequence[Column],
    samples: Sequence[Sequence[str]],
    guess: ShapeGuess,
    matches: Mapping[str, NameMatch],
) -> dict[str, Any]:
    """A plan's content from what was found; what is not certain is not in it."""
    content: dict[str, Any] = {"file": file.model_dump(mode="json"), "shape": guess.shape.value}
    content["time"] = {"zone": plant.model.timezone}
    if guess.time is not None:
        content["time"]["columns"] = [columns[index].name for index in guess.time.columns]
        if guess.time.layouts:
            content["time"]["layout"] = guess.time.layouts[0].value
    if guess.shape is Shape.WIDE:
        content["columns"] = {
            column.name: {"tag": match.path, "unit": column.unit}
            for column in columns
            if (match := matches.get(column.name)) is not None and match.path is not None
        }
    elif guess.long:
        content["long"] = {role: columns[index].name for role, index in guess.long.items()}
        if "quality" in guess.long:
            content["quality_coding"] = coding_of(list(samples[guess.long["quality"]])).value
    return content


def _questions(
    head: Head, guess: ShapeGuess, over: Mapping[str, Any], content: Mapping[str, Any]
) -> tuple[Question, ...]:
    """What is still open after what a person has decided."""
    found = []
    if not {"columns", "layout"} <= content["time"].keys():
        found.append(Question.NO_TIME)
    elif guess.time and {*guess.time.layouts} >= _DAY_OR_MONTH and not (over.get("time") or {}).get("layout"):
        found.append(Question.DAY_OR_MONTH)
    if not head.is_decimal_certain:
        found.append(Question.DECIMAL)
    if content["shape"] == Shape.WIDE and not content.get("columns"):
        found.append(Question.NO_TAGS)
    if content["shape"] == Shape.LONG and not {"tag", "value"} <= content.get("long", {}).keys():
        found.append(Question.NO_ROLES)
    if head.formulas_without_value:
        found.append(Question.FORMULAS)
    return tuple(found)
