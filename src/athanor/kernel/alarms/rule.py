"""What an alarm rule says: of what, when it is abnormal, how it is announced, and why it is an alarm at all.

A rule is data. `instances` finds what it is about in a plant, `judging` judges samples by it.
"""

from enum import IntEnum, StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Words = dict[str, str]  # by language, as in the plant: {"en": "Bath temperature high", "zh_CN": "熔池温度高"}


class Priority(IntEnum):
    """How soon an operator must act; the smaller the number, the sooner."""

    CRITICAL = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4


class Category(StrEnum):
    """What kind of trouble: for routing, filters and reports."""

    PROCESS = "process"
    EQUIPMENT = "equipment"
    ENERGY = "energy"
    QUALITY = "quality"
    ENVIRONMENT = "environment"
    SAFETY = "safety"
    INSTRUMENT = "instrument"  # the measurement itself is at fault
    SYSTEM = "system"  # of Athanor, its edges and channels
    SECURITY = "security"


class Side(StrEnum):
    """On which side of a limit it is abnormal."""

    HIGH = "high"
    LOW = "low"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Subject(_Part):
    """What a rule is about: one tag, one node, every asset of a type or its tag of this id, or every tag with a limit.

    Parameters
    ----------
    tag
        A tag's path; with `type`, its id on each asset of that type.
    type
        An equipment type of the plant: its assets, and those of types that extend it. Without `tag` the assets
        themselves, for rules whose formula names their tags.
    limit
        Every tag for which the plant gives this alarm limit; `any`: at least one.
    node
        A node's path, for rules whose formula names its tags.
    under
        Only what is at or below this node.
    """

    tag: str | None = Field(default=None, max_length=400)
    type: str | None = Field(default=None, max_length=100)
    limit: Literal["low_low", "low", "high", "high_high", "any"] | None = None
    node: str | None = Field(default=None, max_length=400)
    under: str | None = Field(default=None, max_length=400)

    @model_validator(mode="after")
    def _is_one(self) -> "Subject":
        named = [self.tag or self.type, self.limit, self.node]
        if sum(one is not None for one in named) != 1:
            raise ValueError("name a tag, or a type, or a type and a tag's id, or a limit of the plant's, or a node")
        return self


class Limit(_Part):
    """Beyond `at`; normal again once back by more than the deadband."""

    kind: Literal["limit"] = "limit"
    side: Side
    at: float | None = None  # in the tag's unit; None: the plant's own alarm limit of the subject
    deadband: float | None = Field(
        default=None, ge=0
    )  # in the tag's unit; None: by the kind of signal, see `instances`


class Rate(_Part):
    """Changes faster than `at`, over the window."""

    kind: Literal["rate"] = "rate"
    side: Side | Literal["either"] = "either"  # high: rises faster
    at: float = Field(gt=0)  # in the tag's unit per minute
    window_s: float = Field(default=60, gt=0, le=86_400)
    deadband: float = Field(default=0, ge=0)  # in the tag's unit per minute


class Deviation(_Part):
    """Further than `at` from a setpoint or a sister tag."""

    kind: Literal["deviation"] = "deviation"
    reference: str = Field(min_length=1, max_length=400)  # a tag's path; `.id` for one of the same asset
    side: Side | Literal["either"] = "either"
    at: float = Field(gt=0)  # in the tag's unit
    deadband: float = Field(default=0, ge=0)


class InState(_Part):
    """Is in one of these states, or, the other way round, in none of them."""

    kind: Literal["state"] = "state"
    states: tuple[int | str, ...] = Field(min_length=1, max_length=100)
    is_in: bool = True


class Stale(_Part):
    """No sample for so long."""

    kind: Literal["stale"] = "stale"
    after_s: float | None = Field(
        default=None, gt=0
    )  # None: three of the tag's periods, as everywhere (`kernel.freshness`)


class BadQuality(_Part):
    """The source says that the value cannot be used."""

    kind: Literal["quality"] = "quality"


class Frozen(_Part):
    """Samples come, but none differs from the first by more than `band` for so long."""

    kind: Literal["frozen"] = "frozen"
    for_s: float = Field(gt=0, le=7 * 86_400)
    band: float = Field(default=0, ge=0)


class Jump(_Part):
    """Two good samples in turn differ by more than `by`; normal once `calm_s` pass without another."""

    kind: Literal["jump"] = "jump"
    by: float = Field(gt=0)
    calm_s: float = Field(default=60, ge=0, le=86_400)


class Ewma(_Part):
    """The exponentially weighted mean leaves its control limits. Roberts 1959; Montgomery, SQC, chapter 9."""

    kind: Literal["ewma"] = "ewma"
    mean: float
    sigma: float = Field(gt=0)
    weight: float = Field(default=0.2, gt=0, le=1)  # lambda
    width: float = Field(default=3.0, gt=0)  # L, in standard deviations of the mean


class Cusum(_Part):
    """The tabular cumulative sum leaves its decision interval. Page 1954; Montgomery, SQC, chapter 9."""

    kind: Literal["cusum"] = "cusum"
    mean: float
    sigma: float = Field(gt=0)
    slack: float = Field(default=0.5, ge=0)  # k, in sigma
    interval: float = Field(default=5.0, gt=0)  # h, in sigma


class Ramp(_Part):
    """A pre-alarm: at the slope of the window the value reaches the limit within the horizon."""

    kind: Literal["ramp"] = "ramp"
    side: Side
    at: float | None = None  # None: the plant's own alarm limit on that side
    window_s: float = Field(default=600, gt=0, le=86_400)
    horizon_s: float = Field(default=1800, gt=0, le=7 * 86_400)


class Expression(_Part):
    """A formula over tags is true: `{.temperature} > 1250 and {.running} == 1`."""

    kind: Literal["expression"] = "expression"
    formula: str = Field(min_length=1, max_length=2000)


class Reported(_Part):
    """An app says when it begins and ends, such as a detection on video; nothing is judged here."""

    kind: Literal["reported"] = "reported"


Condition = Annotated[
    Limit
    | Rate
    | Deviation
    | InState
    | Stale
    | BadQuality
    | Frozen
    | Jump
    | Ewma
    | Cusum
    | Ramp
    | Expression
    | Reported,
    Field(discriminator="kind"),
]


class Hours(_Part):
    """A part of the week, on the site's clock; past midnight where it ends before it begins."""

    days: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4, 5, 6)  # 0 is Monday
    from_minute: int = Field(default=0, ge=0, lt=1440)
    to_minute: int = Field(default=1440, gt=0, le=1440)


class Rule(_Part):
    """One entry of the master alarm database: rationalised, and complete enough to judge and to announce by.

    Parameters
    ----------
    on_delay_s, off_delay_s
        How long the condition must hold, or be over, before the alarm is raised or clears; None: by the kind of signal.
    consequence, action
        What happens if nobody acts; what the operator is to do. By language.
    respond_within_s
        The time there is to act.
    is_safety
        Shelved only by whoever may take alarms out of service.
    is_latched
        Stays after its condition is over until somebody resets it.
    acknowledges_itself
        Goes once its condition is over, whether somebody has acknowledged it or not.
    repeats_after_s
        Announced again when acknowledged but standing for so long.
    suppressed_while
        A formula: by design there is no alarm while it is true, as while a unit is stopped.
    schedule
        When it is judged to be an alarm; always where empty.
    camera
        Path of the camera that looks there.
    documents
        Ids of documents that help.
    """

    name: Words = Field(min_length=1)
    subject: Subject
    condition: Condition
    on_delay_s: float | None = Field(default=None, ge=0, le=86_400)
    off_delay_s: float | None = Field(default=None, ge=0, le=86_400)
    priority: Priority = Priority.MEDIUM
    category: Category = Category.PROCESS
    consequence: Words = Field(default_factory=dict)
    action: Words = Field(default_factory=dict)
    respond_within_s: float | None = Field(default=None, gt=0)
    owner: str = Field(default="", max_length=200)
    is_safety: bool = False
    is_latched: bool = False
    acknowledges_itself: bool = False
    repeats_after_s: float | None = Field(default=None, ge=60)
    suppressed_while: str | None = Field(default=None, max_length=2000)
    schedule: tuple[Hours, ...] = Field(default=(), max_length=50)
    camera: str | None = Field(default=None, max_length=400)
    documents: tuple[int, ...] = Field(default=(), max_length=50)
    note: str = Field(default="", max_length=4000)
