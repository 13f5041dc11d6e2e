"""What a person can do to the stored samples of a tag. API, database and pages speak of it in this one form."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from athanor.kernel.historian.port import Span

MOST_ENTERED = 1000  # values that one correction sets by name; longer lists are imported

_INSTANT = timedelta(microseconds=1)


_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _possible(moment: datetime) -> datetime:
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError("no plant has samples before 1970 or after 2199")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_possible)]
Number = FiniteFloat
Word = Annotated[str, Field(min_length=1, max_length=1000)]
Value = Number | Word
Trust = Literal["good", "uncertain"]  # uncertain samples are shown and, like bad ones, counted nowhere
Step = Annotated[timedelta, Field(ge=timedelta(milliseconds=1), le=timedelta(days=366))]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _OverRange(_Part):
    start: Moment = Field(description="Start of the range, ISO 8601 with zone; included.")
    end: Moment = Field(description="Its end; excluded.")

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.end <= self.start:
            raise ValueError("`end` must be after `start`")
        return self

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


class Entered(_Part):
    """A value at a time, in the tag's unit."""

    time: Moment
    value: Value


class SetValues(_Part):
    """Values at times: each replaces the sample of its very time, or is added where there is none."""

    kind: Literal["set"] = "set"
    values: tuple[Entered, ...] = Field(min_length=1, max_length=MOST_ENTERED)
    quality: Trust = "good"

    @model_validator(mode="after")
    def _says_each_time_once(self) -> Self:
        if len({entered.time for entered in self.values}) < len(self.values):
            raise ValueError("two of the values have the same time")
        return self

    @property
    def span(self) -> Span:
        times = [entered.time for entered in self.values]
        return Span(min(times), max(times) + _INSTANT)


class MarkBad(_OverRange):
    """Every sample in the range becomes bad; its value stays to be seen, and counts no more."""

    kind: Literal["bad"] = "bad"


class SetConstant(_OverRange):
    """Every sample in the range gets one value. With `step` samples are added where none came."""

    kind: Literal["constant"] = "constant"
    value: Value
    quality: Trust = "good"
    step: Step | None = Field(None, description="Distance of samples that are added where none came; [s] or ISO 8601.")


class Adjust(_OverRange):
    """Every number in the range becomes number · factor + offset. Qualities stay; bad samples stay as they are."""

    kind: Literal["adjust"] = "adjust"
    factor: Number = 1.0
    offset: Number = Field(0.0, description="In the tag's unit.")


class Interpolate(_OverRange):
    """A straight line from the last good sample before the range to the first at or after its end replaces all in it.

    Estimated, hence uncertain, unless the person says that it is to count.
    """

    kind: Literal["interpolate"] = "interpolate"
    quality: Trust = "uncertain"
    step: Step | None = Field(None, description="Distance of samples that are added where none came; [s] or ISO 8601.")


Action = Annotated[SetValues | MarkBad | SetConstant | Adjust | Interpolate, Field(discriminator="kind")]
