"""What a form is: its fields, and the flow of decisions about what was filled in. Data; nothing here does work."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from athanor.kernel.errors import AthanorError
from athanor.kernel.forms.formula import BadFormulaError, Formula

MOST_FIELDS = 200
MOST_STEPS = 30
MOST_OPTIONS = 200
MOST_COLUMNS = 12
MOST_ROWS = 200

_LANGUAGES = ("en", "zh_CN")
Words = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)]
Text = dict[str, Words]  # by language
Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,79}$")]


class BadDefinitionError(AthanorError):
    """A form that cannot be kept, published or imported as it is."""

    code = "forms.bad-definition"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The form cannot be kept: {reason}")


class Kind(StrEnum):
    """What a field asks for."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"
    MOMENT = "moment"
    CHOICE = "choice"
    CHOICES = "choices"
    YES_NO = "yes_no"
    ASSET = "asset"
    TAG = "tag"
    PERSON = "person"
    TABLE = "table"
    PHOTO = "photo"
    SIGNATURE = "signature"
    POSITION = "position"
    COMPUTED = "computed"
    NOTE = "note"


NUMERIC = frozenset({Kind.NUMBER, Kind.COMPUTED})
COLUMN_KINDS = frozenset({Kind.TEXT, Kind.NUMBER, Kind.CHOICE, Kind.YES_NO, Kind.DATE})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Op(StrEnum):
    """How a condition compares."""

    EQUAL = "eq"
    OTHER = "ne"
    ABOVE = "gt"
    AT_LEAST = "ge"
    BELOW = "lt"
    AT_MOST = "le"
    FILLED = "filled"
    EMPTY = "empty"


class Condition(_Part):
    """What has to hold of another field's value. A value that is not there meets only `empty` and `ne`."""

    field: Id
    op: Op = Op.EQUAL
    value: str | float | bool | None = None


class Option(_Part):
    """One of the values that a choice offers."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    label: Text = Field(default_factory=dict)


class Column(_Part):
    """A column of a table field."""

    id: Id
    kind: Kind = Kind.TEXT
    label: Text = Field(default_factory=dict)
    unit: Annotated[str, StringConstraints(max_length=40)] = ""
    min: float | None = None
    max: float | None = None
    options: tuple[Option, ...] = Field((), max_length=MOST_OPTIONS)
    required: bool = False

    @model_validator(mode="after")
    def _is_simple(self) -> Self:
        if self.kind not in COLUMN_KINDS:
            raise ValueError(f"column {self.id} cannot be a {self.kind.value}")
        if self.kind is Kind.CHOICE and not self.options:
            raise ValueError(f"column {self.id} offers nothing to choose")
        return self


class FormField(_Part):
    """One field. What its kind has no use for is left as it is by default."""

    id: Id
    kind: Kind
    label: Text = Field(default_factory=dict)
    help: Text = Field(default_factory=dict)
    required: bool = False
    shown_if: Condition | None = None
    message: Text = Field(default_factory=dict)  # said where the value will not do, in place of our own
    unit: Annotated[str, StringConstraints(max_length=40)] = ""
    min: float | None = None  # a number's range, in its unit
    max: float | None = None
    decimals: int = Field(2, ge=0, le=9)  # a computed value's
    longest: int = Field(2000, ge=1, le=20_000)  # characters of a text
    options: tuple[Option, ...] = Field((), max_length=MOST_OPTIONS)
    columns: tuple[Column, ...] = Field((), max_length=MOST_COLUMNS)
    most: int = Field(20, ge=1, le=MOST_ROWS)  # rows of a table, photos of a photo field
    formula: Annotated[str, StringConstraints(max_length=500)] = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind in (Kind.CHOICE, Kind.CHOICES):
            values = [option.value for option in self.options]
            if not values:
                raise ValueError(f"field {self.id} offers nothing to choose")
            if len(set(values)) < len(values):
                raise ValueError(f"field {self.id} offers the same value twice")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"field {self.id} has a lowest value above its highest")
        if self.kind is Kind.TABLE:
            ids = [column.id for column in self.columns]
            if not ids:
                raise ValueError(f"table {self.id} has no column")
            if len(set(ids)) < len(ids):
                raise ValueError(f"table {self.id} has two columns of one id")
        if self.kind is Kind.COMPUTED:
            try:
                Formula(self.formula)
            except BadFormulaError as error:
                raise ValueError(f"field {self.id}: {error}") from None
        return self


class Who(StrEnum):
    """By what a step finds who decides."""

    ROLE = "role"
    PERSON = "person"
    POST = "post"  # of the author's department, or one above it
    AUTHOR = "author"


class Step(_Part):
    """One decision of the flow."""

    id: Id
    title: Text = Field(default_factory=dict)
    who: Who = Who.ROLE
    name: Annotated[str, StringConstraints(max_length=100, strip_whitespace=True)] = ""  # role, login or post
    together: bool = False  # asked at the same time as the step before
    signature: bool = False
    only_if: Condition | None = None
    due_h: float | None = Field(None, gt=0, le=24 * 365)  # hours from when it is asked
    escalate_to: Annotated[str, StringConstraints(max_length=100)] = ""  # role that may decide when it is overdue
    author_too: bool = False  # whether the author may decide it where they are one of those asked

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        if self.who is not Who.AUTHOR and not self.name:
            raise ValueError(f"step {self.id} does not say who decides")
        if self.escalate_to and self.due_h is None:
            raise ValueError(f"step {self.id} escalates and has no time to be overdue after")
        return self


class Definition(_Part):
    """A form as it is filled in: one version of it."""

    title: Text
    description: Text = Field(default_factory=dict)
    fields: tuple[FormField, ...] = Field((), max_length=MOST_FIELDS)
    steps: tuple[Step, ...] = Field((), max_length=MOST_STEPS)

    @field_validator("title")
    @classmethod
    def _has_a_title(cls, title: Text) -> Text:
        if not any(title.values()):
            raise ValueError("it has no title")
        if any(len(words) > 200 for words in title.values()):
            raise ValueError("its title is longer than 200 characters")
        return title

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        for ids, what in (([one.id for one in self.fields], "fields"), ([one.id for one in self.steps], "steps")):
            twice = sorted({one for one in ids if ids.count(one) > 1})
            if twice:
                raise ValueError(f"two {what} have the id {twice[0]}")
        for text in _texts(self):
            unknown = sorted(set(text) - set(_LANGUAGES))
            if unknown:
                raise ValueError(f"{unknown[0]!r} is no language that is spoken here; give en, zh_CN")
        _check_references(self)
        return self

    def field(self, field_id: str) -> FormField:
        """Raises KeyError."""
        return next(iter(one for one in self.fields if one.id == field_id)) if self.has(field_id) else _no(field_id)

    def has(self, field_id: str) -> bool:
        """Whether there is such a field."""
        return any(one.id == field_id for one in self.fields)

    def step(self, step_id: str) -> Step:
        """Raises KeyError."""
        found = [one for one in self.steps if one.id == step_id]
        return found[0] if found else _no(step_id)


def _no(name: str) -> Any:
    raise KeyError(name)


def _texts(definition: Definition) -> Iterator[Text]:
    yield from (definition.title, definition.description)
    for one in definition.fields:
        yield from (one.label, one.help, one.message)
        yield from (option.label for option in one.options)
        for column in one.columns:
            yield column.label
            yield from (option.label for option in column.options)
    yield from (step.title for step in definition.steps)


def _check_references(definition: Definition) -> None:
    earlier: set[str] = set()
    numeric: set[str] = set()
    columns: set[str] = set()
    for one in definition.fields:
        if one.shown_if is not None and one.shown_if.field not in earlier:
            raise ValueError(f"field {one.id} is shown depending on {one.shown_if.field}, which is no field before it")
        if one.kind is Kind.COMPUTED:
            formula = Formula(one.formula)
            wrong = sorted((formula.names - numeric) | (formula.columns - columns))
            if wrong:
                raise ValueError(f"the formula of {one.id} uses {wrong[0]}, which is no number field before it")
        earlier.add(one.id)
        if one.kind in NUMERIC:
            numeric.add(one.id)
        columns |= {f"{one.id}.{column.id}" for column in one.columns if column.kind is Kind.NUMBER}
    for step in definition.steps:
        if step.only_if is not None and step.only_if.field not in earlier:
            raise ValueError(f"step {step.id} depends on {step.only_if.field}, which is no field")


def read_definition(content: object) -> Definition:
    """A definition from JSON's values. Raises BadDefinitionError, which names the place that is wrong."""
    try:
        return Definition.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = re.sub(r"^Value error, ", "", first["msg"])
        raise BadDefinitionError(f"{place + ': ' if place else ''}{reason}.") from error
