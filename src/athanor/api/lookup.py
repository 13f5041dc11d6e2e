"""One query for a tag's master record, its present value and its last day."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from athanor.kernel.looking_up import Hit, age_s, look_up
from athanor.kernel.plant.finding import MOST_FOUND
from athanor.web.routes import CurrentPort, HistorianPort, PlantPort, permits

router = APIRouter(prefix="/api/v1", tags=["data"], dependencies=[Depends(permits("data.view"))])


class PlaceAnswer(BaseModel):
    """A node on the way from the site down to a tag."""

    path: str
    level: str
    name: dict[str, str]


class NowAnswer(BaseModel):
    """The newest sample."""

    time: datetime
    age_s: float
    value: float | str | None
    quality: Literal["good", "uncertain", "bad"]


class DayAnswer(BaseModel):
    """The last 24 hours. `points` are time [ms since 1970 UTC] and value, and look as all samples would."""

    min: float | None
    mean: float | None
    max: float | None
    samples: int
    known: float | None
    points: list[tuple[int, float]]


class HitAnswer(BaseModel):
    """A tag with all that is known of it. Values are in `unit`."""

    path: str
    name: dict[str, str]
    asset: list[PlaceAnswer]
    tenant: str
    tenant_name: dict[str, str]
    kind: str
    unit: str
    range: tuple[float | None, float | None]
    alarm_limits: dict[str, float | None]
    period_s: float | None
    now: NowAnswer | None
    day: DayAnswer

    @classmethod
    def of(cls, hit: Hit, at: datetime) -> Self:
        """A hit as it is sent."""
        tag, current, day = hit.tag, hit.current, hit.day
        limits = tag.alarm_limits
        return cls(
            path=tag.path,
            name=dict(tag.name),
            asset=[PlaceAnswer(path=node.path, level=node.level, name=dict(node.name)) for node in hit.way],
            tenant=hit.tenant.id,
            tenant_name=dict(hit.tenant.name),
            kind=tag.kind,
            unit=tag.unit,
            range=(tag.low, tag.high),
            alarm_limits={name: getattr(limits, name) for name in ("low_low", "low", "high", "high_high")},
            period_s=tag.period_s,
            now=None
            if current is None
            else NowAnswer(
                time=current.time,
                age_s=age_s(current, at) or 0.0,
                value=current.value,
                quality=current.quality.name.lower(),  # type: ignore[arg-type]  # Quality's names are these words
            ),
            day=DayAnswer(
                min=day.minimum,
                mean=day.mean,
                max=day.maximum,
                samples=day.samples,
                known=day.known,
                points=list(zip(day.times_ms, day.values, strict=True)),
            ),
        )


class LookupAnswer(BaseModel):
    """The best matches first, and how many there are in all."""

    total: int
    hits: list[HitAnswer]


@router.get("/lookup")
async def lookup(
    plant: PlantPort,
    current: CurrentPort,
    historian: HistorianPort,
    search: Annotated[str, Query(min_length=1, max_length=200, description="Words of a tag, its assets or its path.")],
    most: Annotated[int, Query(ge=1, le=MOST_FOUND, description="How many tags at most.")] = 20,
) -> LookupAnswer:
    """Tags by words, each with its master record, its present value and its last 24 hours, in one answer."""
    now = datetime.now(UTC)
    answer = await look_up(plant, current, historian, search, now, most)
    return LookupAnswer(total=answer.total, hits=[HitAnswer.of(hit, now) for hit in answer.hits])
