"""Performance of the alarm system over REST: figures, the alarms behind them, suggestions, reports."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from athanor.apps.alarms.domain.kpis import Figure, Kpi, Level, Verdict
from athanor.apps.alarms.domain.response import Spread
from athanor.apps.alarms.domain.suggestions import TRUE_AFTER_S, Suggestion
from athanor.apps.alarms.services import report_making
from athanor.apps.alarms.services.performance import Figures, figures
from athanor.apps.alarms.services.performance_names import Named, named, shown_alarms, told_after
from athanor.apps.alarms.services.performance_period import asked
from athanor.apps.alarms.services.performance_record import Wish, read
from athanor.apps.alarms.services.performance_suggesting import advise
from athanor.apps.alarms.services.report_making import Form
from athanor.kernel.historian.port import moment
from athanor.kernel.identity.audit import record as audit
from athanor.kernel.plant.running import RunningPlant
from athanor.web.language import DEFAULT, LANGUAGES
from athanor.web.routes import DatabasePort, HistorianPort, PlantPort, RowNumber, Viewer, permits

router = APIRouter(prefix="/performance", tags=["alarms"])

EXPORTS = [Depends(permits("alarms.export"))]
_PDF = "application/pdf"
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Start = Annotated[datetime | None, Query(alias="from", description="30 days before the end where it is left out.")]
End = Annotated[datetime | None, Query(alias="to", description="Now where it is left out.")]
Place = Annotated[str | None, Query(max_length=500, description="Path of a node.")]
Tenant = Annotated[str | None, Query(max_length=100, description="Only this enterprise's.")]


class KpiAnswer(BaseModel):
    """A figure against its goals; null where there was nothing to measure. Shares are 0 to 1."""

    figure: Figure
    value: float | None
    target: float
    maximum: float
    verdict: Verdict

    @classmethod
    def of(cls, one: Kpi) -> Self:
        value = None if np.isnan(one.value) else one.value
        return cls(figure=one.figure, value=value, target=one.goal.target, maximum=one.goal.most, verdict=one.verdict)


class AlarmAnswer(BaseModel):
    """An alarm in a list: how many of its occurrences count, and what share of all announced ones that is."""

    alarm: int
    rule: int
    name: dict[str, str]
    path: str
    count: int
    share: float


class SpreadAnswer(BaseModel):
    """How long it took, in seconds, of how many it is known; null for none."""

    known: int
    median_s: float | None
    p90_s: float | None
    longest_s: float | None

    @classmethod
    def of(cls, one: Spread) -> Self:
        if not one.known:
            return cls(known=0, median_s=None, p90_s=None, longest_s=None)
        return cls(known=one.known, median_s=one.median_s, p90_s=one.p90_s, longest_s=one.longest_s)


class FloodAnswer(BaseModel):
    """A flood: its alarms, most in ten minutes, and the alarm that came first."""

    begin: datetime
    end: datetime
    alarms: int
    peak: int
    first_alarm: int


class PositionAnswer(BaseModel):
    """How one operator position does."""

    path: str
    alarms: int
    level: Level
    figures: dict[Figure, float | None]


class PerformanceAnswer(BaseModel):
    """Everything that the page on performance shows, but for what follows what."""

    start: datetime
    end: datetime
    is_long_enough: bool
    raised: int
    level: Level
    figures: list[KpiAnswer]
    positions: list[PositionAnswer]
    top_ten: list[AlarmAnswer]
    chattering: list[AlarmAnswer]
    fleeting: list[AlarmAnswer]
    priorities: dict[int, int]
    floods: list[FloodAnswer]
    floods_in_all: int
    times: dict[str, SpreadAnswer]
    by_weekday_and_hour: list[list[int]]


class SuggestionAnswer(BaseModel):
    """A setting and what it would have done; shares are 0 to 1, the deadband is in the tag's unit."""

    deadband: float
    on_delay_s: float
    off_delay_s: float
    before: int
    after: int
    removed: float
    true: int
    kept: int
    most_delay_s: float

    @classmethod
    def of(cls, one: Suggestion) -> Self:
        setting = one.setting
        return cls(
            deadband=setting.deadband,
            on_delay_s=setting.on_delay_s,
            off_delay_s=setting.off_delay_s,
            before=one.before,
            after=one.after,
            removed=one.removed,
            true=one.true,
            kept=one.kept,
            most_delay_s=one.most_delay_s,
        )


class AdviceAnswer(BaseModel):
    """What the past says of an alarm's setting: activations as damped now, how many were true, what would do better."""

    alarm: int
    rule: int
    path: str
    limit: float
    start: datetime
    end: datetime
    samples: int
    before: int
    true: int
    suggestions: list[SuggestionAnswer]


@router.get("")
async def performance(
    db: DatabasePort,
    plant: PlantPort,
    viewer: Viewer,
    start: Start = None,
    end: End = None,
    tenant: Tenant = None,
    area: Place = None,
    position: Place = None,
) -> PerformanceAnswer:
    """The figures of a period against ISA-18.2 and EEMUA 191."""
    wish = _wish(plant, start, end, tenant or viewer.tenant, area, position)
    record = await read(db, plant, wish)
    found = await asyncio.to_thread(figures, record)
    names = await named(db, plant.model, record, shown_alarms(found))
    return _answer(found, names, await told_after(db, wish.start, wish.end))


@router.get("/alarms/{alarm_id}/suggestions")
async def suggestions(
    alarm_id: RowNumber,
    db: DatabasePort,
    historian: HistorianPort,
    plant: PlantPort,
    days: Annotated[int, Query(ge=1, le=90, description="How far to look back.")] = 30,
    true_after_s: Annotated[
        float, Query(gt=0, le=86_400, description="What stood for longer was true. [s]")
    ] = TRUE_AFTER_S,
) -> AdviceAnswer:
    """Which deadband and delays would have kept an alarm quiet without hiding a true one, from its tag's samples."""
    advice = await advise(
        db,
        historian,
        plant,
        alarm_id,
        end=datetime.now(UTC),
        look_back=timedelta(days=days),
        true_after_s=true_after_s,
    )
    return AdviceAnswer(
        alarm=advice.alarm,
        rule=advice.rule,
        path=advice.tag.path,
        limit=advice.case.at,
        start=advice.start,
        end=advice.end,
        samples=advice.samples,
        before=advice.before,
        true=advice.true,
        suggestions=[SuggestionAnswer.of(one) for one in advice.suggestions],
    )


@router.get("/report", dependencies=EXPORTS, response_class=Response)
async def report(
    request: Request,
    db: DatabasePort,
    plant: PlantPort,
    viewer: Viewer,
    form: Annotated[Form, Query(description="The kind of file.")] = Form.PDF,
    language: Annotated[str, Query(pattern=f"^({'|'.join(LANGUAGES)})$")] = DEFAULT,
    start: Start = None,
    end: End = None,
    tenant: Tenant = None,
    area: Place = None,
    position: Place = None,
) -> Response:
    """The report on a period as a file."""
    wish = _wish(plant, start, end, tenant or viewer.tenant, area, position)
    material = await report_making.gather(db, plant, wish)
    made = await report_making.make(material, form, language, datetime.now(UTC))
    address = request.client.host if request.client else ""
    async with db.session() as session:
        audit(session, viewer.login, "alarms.report-exported", made.name, address=address)
    name = made.name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(made.content, media_type=_PDF if form is Form.PDF else _EXCEL, headers=headers)


def _wish(
    plant: RunningPlant,
    start: datetime | None,
    end: datetime | None,
    tenant: str | None,
    area: str | None,
    position: str | None,
) -> Wish:
    """Raises BadPeriodError."""
    since, until = asked(start, end, datetime.now(UTC), ZoneInfo(plant.model.timezone))
    return Wish(since, until, tenant, area, position)


def _answer(found: Figures, names: dict[int, Named], told: Spread) -> PerformanceAnswer:
    wish, times = found.record.wish, found.response
    top = zip(found.top.alarm.tolist(), found.top.count.tolist(), found.top.share.tolist(), strict=True)
    return PerformanceAnswer(
        start=wish.start,
        end=wish.end,
        is_long_enough=found.is_enough,
        raised=found.raised,
        level=found.level,
        figures=[KpiAnswer.of(one) for one in found.kpis],
        positions=[
            PositionAnswer(
                path=one.path,
                alarms=one.alarms,
                level=one.level,
                figures={figure: None if np.isnan(value) else value for figure, value in one.values.items()},
            )
            for one in found.positions
        ],
        top_ten=[_alarm(names, alarm, count, share) for alarm, count, share in top if alarm in names],
        chattering=[_alarm(names, one.alarm, one.count, one.share) for one in found.chattering if one.alarm in names],
        fleeting=[_alarm(names, one.alarm, one.count, one.share) for one in found.fleeting if one.alarm in names],
        priorities=dict(enumerate(found.priorities.tolist(), 1)),
        floods=[
            FloodAnswer(
                begin=moment(one.begin_us),
                end=moment(one.end_us),
                alarms=one.alarms,
                peak=one.peak,
                first_alarm=one.first_alarm,
            )
            for one in found.floods
        ],
        floods_in_all=len(found.all_floods),
        times={
            "detected": SpreadAnswer.of(times.detected),
            "told": SpreadAnswer.of(told),
            "acknowledged": SpreadAnswer.of(times.acknowledged),
            "returned": SpreadAnswer.of(times.returned),
            "in_alarm": SpreadAnswer.of(times.in_alarm),
        },
        by_weekday_and_hour=found.week.tolist(),
    )


def _alarm(names: dict[int, Named], alarm: int, count: int, share: float) -> AlarmAnswer:
    one = names[alarm]
    return AlarmAnswer(alarm=alarm, rule=one.rule, name=dict(one.name), path=one.path, count=count, share=share)
