"""What a person decided about a file: how it is read, what its columns are, what becomes of what does not fit.

A plan is data: a page makes it from what was detected, `athanor import --map` reads it from a TOML file, the API takes
it as JSON.
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from athanor.kernel.telemetry import Quality
from athanor.kernel.transfer.dialect import Dialect
from athanor.kernel.transfer.errors import BadPlanError
from athanor.kernel.transfer.numbers import Decimal
from athanor.kernel.transfer.qualities import QualityCoding
from athanor.kernel.transfer.series import Shape
from athanor.kernel.transfer.times import TimeLayout
from athanor.kernel.transfer.zones import ClockChange, UnknownZoneError, zone_of


class Part(BaseModel):
    """A table of a plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OutOfRange(StrEnum):
    """What becomes of a value outside its instrument's range."""

    UNCERTAIN = "uncertain"  # kept, of uncertain quality, as live samples are
    REFUSE = "refuse"


def _known_zone(name: str) -> str:
    try:
        zone_of(name)
    except UnknownZoneError as error:
        raise ValueError(str(error)) from error
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


class FilePlan(Part):
    """Where in the file the table is. Rows count from 1, as a spreadsheet shows them."""

    dialect: Dialect | None = Field(default=None, description="Of a text file.")
    sheet: str | None = Field(default=None, description="Of an Excel file; its first when left out.")
    header_row: int = Field(default=1, ge=0, description="The row of column names; 0 when there is none.")
    unit_row: int = Field(default=0, ge=0, description="The row of units below the names; 0 when there is none.")
    first_row: int = Field(default=2, ge=1, description="The first row of samples.")


class TimePlan(Part):
    """How times are read."""

    columns: tuple[str, ...] = Field(min_length=1, max_length=2, description="One column, or date and time of day.")
    layout: TimeLayout
    zone: Zone = Field(description="The clock that wrote times without an offset, by IANA name.")
    clock_change: ClockChange = Field(
        ClockChange.REFUSE, description="For times that the clock showed twice, or never."
    )


class TagChoice(Part):
    """Which tag something is, and the unit it is in; the tag's own when left out."""

    tag: str
    unit: str | None = None


class LongPlan(Part):
    """The columns of a long table, and what its names mean where they are no tags' paths or names."""

    tag: str
    value: str
    text: str | None = None
    quality: str | None = None
    unit: str | None = None
    names: Mapping[str, TagChoice] = Field(default_factory=dict)


class ImportPlan(Part):
    """How a file becomes samples."""

    file: FilePlan = FilePlan()
    shape: Shape
    time: TimePlan
    columns: Mapping[str, TagChoice] = Field(default_factory=dict, description="Of a wide table: column to tag.")
    long: LongPlan | None = None
    quality: Quality = Field(
        Quality.GOOD, description="Of samples whose file says nothing: 0 good, 1 uncertain, 2 bad."
    )
    quality_coding: QualityCoding = QualityCoding.OPC_UA
    out_of_range: OutOfRange = OutOfRange.UNCERTAIN

    @model_validator(mode="after")
    def _fits_its_shape(self) -> Self:
        if self.shape is Shape.LONG and self.long is None:
            raise ValueError("a long table needs `long`: its columns of tag and value")
        if self.shape is Shape.WIDE and self.long is not None:
            raise ValueError("a wide table has no `long`")
        return self


class DialectParts(Part):
    """What of a dialect is decided."""

    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    decimal: Decimal | None = None


class FileParts(Part):
    """What of a `FilePlan` is decided."""

    dialect: DialectParts | None = None
    sheet: str | None = None
    header_row: int | None = Field(default=None, ge=0)
    unit_row: int | None = Field(default=None, ge=0)
    first_row: int | None = Field(default=None, ge=1)


class TimeParts(Part):
    """What of a `TimePlan` is decided."""

    columns: tuple[str, ...] | None = Field(default=None, max_length=2)
    layout: TimeLayout | None = None
    zone: Zone | None = None
    clock_change: ClockChange | None = None


class TagParts(Part):
    """What of a `TagChoice` is decided."""

    tag: str | None = None
    unit: str | None = None


class LongParts(Part):
    """What of a `LongPlan` is decided."""

    tag: str | None = None
    value: str | None = None
    text: str | None = None
    quality: str | None = None
    unit: str | None = None
    names: dict[str, TagParts | None] | None = None


class PlanParts(Part):
    """What of an `ImportPlan` is decided; None takes back what was found."""

    file: FileParts | None = None
    shape: Shape | None = None
    time: TimeParts | None = None
    columns: dict[str, TagParts | None] | None = None
    long: LongParts | None = None
    quality: Quality | None = None
    quality_coding: QualityCoding | None = None
    out_of_range: OutOfRange | None = None


def parts_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Parts of a plan, checked, as they were given. Raises BadPlanError that names every fault."""
    try:
        return PlanParts.model_validate(content).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        raise _bad_plan(error) from error


def plan_of(content: Mapping[str, Any]) -> ImportPlan:
    """A plan from JSON or TOML as read. Raises BadPlanError that names every fault."""
    try:
        return ImportPlan.model_validate(content)
    except ValidationError as error:
        raise _bad_plan(error) from error


def _bad_plan(error: ValidationError) -> BadPlanError:
    faults = [f"{'.'.join(str(part) for part in one['loc']) or 'the plan'}: {one['msg']}" for one in error.errors()]
    return BadPlanError("; ".join(faults) + ". docs/import.md shows a complete plan.")


def read_plan(file: Path) -> dict[str, Any]:
    """The content of a TOML file; a part of a plan, which what is detected completes. Raises BadPlanError."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadPlanError(f"{file} is no TOML file that can be read ({error}).") from error


def merged_content(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A plan's content with parts of another laid over it, table by table; None takes out what is there."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = merged_content(below, value)
        else:
            result[key] = value
    return result
