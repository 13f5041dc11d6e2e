"""Alarm rules for programs: list, change, try, bring in and take out."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from athanor.apps.alarms.services import rules as services
from athanor.apps.alarms.services.rules_trial import Trial, tried
from athanor.kernel.alarms.rule import Category, Priority, Rule
from athanor.kernel.alarms.rulebook import NEW, KeptRule, Revision, RuleBook
from athanor.kernel.alarms.rules_sheet import SheetTrial, What, as_excel
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.historian.port import moment
from athanor.web.routes import Handed, HistorianPort, ImportsPort, JobsPort, RowNumber, Viewer, permits
from athanor.web.sessions import address_of

AlarmsPort = Annotated[Alarms, Depends(Handed("alarms"))]
CONFIGURES = [Depends(permits("alarms.configure"))]
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SHOWN_FAULTS = 100
_MOST_RULES = 1000

Reason = Annotated[str, Field(min_length=1, max_length=1000, description="Why, for the record.")]
router = APIRouter(prefix="/rules", tags=["alarm rules"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FaultAnswer(BaseModel):
    """What is wrong with a rule at one place, and the cure."""

    path: str
    problem: str
    message: str


class RuleAnswer(BaseModel):
    """A rule as it is kept. `alarms` is how many it makes in the plant that runs."""

    id: int
    tenant: str | None
    key: str
    revision: int
    is_enabled: bool
    rule: Rule
    alarms: int
    faults: list[FaultAnswer]
    made_by: str
    made_at: datetime
    changed_by: str
    changed_at: datetime
    retired_at: datetime | None

    @classmethod
    def of(cls, kept: KeptRule, book: RuleBook) -> Self:
        """With what it comes to now."""
        told = book.told(kept)
        names = ("id", "tenant", "key", "revision", "is_enabled", "rule", "made_by", "made_at", "changed_by",
                 "changed_at", "retired_at")  # fmt: skip
        faults = [
            FaultAnswer(path=one.path, problem=one.problem, message=one.english) for one in told.faults[:_SHOWN_FAULTS]
        ]
        return cls(**{name: getattr(kept, name) for name in names}, alarms=told.alarms, faults=faults)


class RuleList(BaseModel):
    """A part of the list."""

    total: int
    rules: list[RuleAnswer]


class NewRule(_Body):
    """A rule that is to be. `tenant` is heeded for the park's own people only."""

    key: str = Field(min_length=1, max_length=200)
    rule: Rule
    tenant: str | None = Field(None, max_length=100)
    is_enabled: bool = True
    reason: Reason


class ChangedRule(_Body):
    """A rule as it is to be; `revision` is the one that was read."""

    rule: Rule
    revision: int = Field(ge=1)
    is_enabled: bool | None = None
    reason: Reason


class RevisionAnswer(BaseModel):
    """What a rule was from `at` on."""

    revision: int
    rule: Rule
    is_enabled: bool
    by: str
    at: datetime
    reason: str

    @classmethod
    def of(cls, one: Revision) -> Self:
        return cls(
            revision=one.number, rule=one.rule, is_enabled=one.is_enabled, by=one.by, at=one.at, reason=one.reason
        )


class TrialWish(_Body):
    """A rule that is to be tried on history; `path` is the place, the first where it is left out."""

    rule: Rule
    path: str | None = Field(None, max_length=400)
    tenant: str | None = Field(None, max_length=100)
    days: int = Field(7, ge=1, le=31)


class EpisodeAnswer(BaseModel):
    """One time that it would have been raised. `lead_s`: how long before the limit was truly reached."""

    raised_at: datetime
    cleared_at: datetime | None
    value: float | None
    limit: float | None
    lead_s: float | None


class TrialAnswer(BaseModel):
    """What a rule would have done at one place."""

    path: str
    samples: int
    raised: int
    standing_s: float
    episodes: list[EpisodeAnswer]

    @classmethod
    def of(cls, trial: Trial) -> Self:
        episodes = [
            EpisodeAnswer(
                raised_at=moment(one.raised_us),
                cleared_at=None if one.cleared_us is None else moment(one.cleared_us),
                value=_known(one.value), limit=_known(one.limit), lead_s=one.lead_s,
            )
            for one in trial.episodes
        ]  # fmt: skip
        return cls(
            path=trial.path, samples=trial.samples, raised=trial.count, standing_s=trial.standing_s, episodes=episodes
        )


class ImportWish(_Body):
    """A sheet that was sent; `trial`: say what would be done, and do nothing."""

    file: str = Field(max_length=200)
    tenant: str | None = Field(None, max_length=100)
    trial: bool = True
    reason: str = Field("", max_length=1000)


class RowFaultAnswer(BaseModel):
    """A row that cannot come in, where, and the cure."""

    row: int
    column: str
    message: str


class ImportAnswer(BaseModel):
    """What an import does; `job` keeps the rules, where it was no trial."""

    new: int
    changed: int
    same: int
    faults: list[RowFaultAnswer]
    job: str | None = None

    @classmethod
    def of(cls, trial: SheetTrial, job: str | None) -> Self:
        faults = [RowFaultAnswer(row=one.row, column=one.column, message=one.text) for one in trial.faults]
        counts = {what.value: trial.count(what) for what in What}
        return cls(**counts, faults=faults, job=job)


@router.get("")
async def rules(
    alarms: AlarmsPort,
    viewer: Viewer,
    text: Annotated[str, Query(max_length=200)] = "",
    priority: Priority | None = None,
    category: Category | None = None,
    kind: Annotated[str, Query(max_length=40)] = "",
    state: Literal["", "enabled", "disabled", "faulty"] = "",
    area: Annotated[str, Query(max_length=400)] = "",
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST_RULES)] = 100,
) -> RuleList:
    """Rules that the caller sees: the park's first, then by enterprise and key."""
    chosen = "" if priority is None else str(int(priority))
    wish = services.Wish(text, chosen, "" if category is None else category.value, kind, state, area)
    found = await services.listed(alarms.rules, viewer, wish)
    some = found[offset : offset + limit]
    return RuleList(total=len(found), rules=[RuleAnswer.of(one.kept, alarms.rules) for one in some])


@router.post("", status_code=HTTPStatus.CREATED, dependencies=CONFIGURES)
async def make_rule(wish: NewRule, alarms: AlarmsPort, viewer: Viewer, request: Request) -> RuleAnswer:
    """Make a rule."""
    kept = await alarms.rules.save(
        viewer, wish.key, wish.rule, revision=NEW, reason=wish.reason, tenant=wish.tenant,
        is_enabled=wish.is_enabled, address=address_of(request),
    )  # fmt: skip
    return RuleAnswer.of(kept, alarms.rules)


@router.get("/export", dependencies=[Depends(permits("alarms.export"))])
async def export_rules(
    alarms: AlarmsPort, viewer: Viewer, request: Request, language: Literal["en", "zh_CN"] = "en"
) -> Response:
    """The master alarm database as an Excel sheet, which can be imported again."""
    found = await alarms.rules.exported(viewer, address=address_of(request))
    content = as_excel(found, is_chinese=language == "zh_CN")
    return Response(
        content, media_type=_EXCEL, headers={"Content-Disposition": 'attachment; filename="alarm-rules.xlsx"'}
    )


@router.post("/trial", dependencies=CONFIGURES)
async def try_rule(wish: TrialWish, alarms: AlarmsPort, historian: HistorianPort, viewer: Viewer) -> TrialAnswer:
    """What a rule would have done in the last days. Changes nothing."""
    owner = viewer.tenant if viewer.tenant is not None else wish.tenant
    expansion = alarms.rules.expand(wish.rule, owner)
    instance = services.place_to_try("trial", expansion, wish.path)
    return TrialAnswer.of(await tried(historian, instance, datetime.now(UTC), days=wish.days))


@router.post("/files", status_code=HTTPStatus.CREATED, dependencies=CONFIGURES)
async def send_file(
    name: Annotated[str, Query(min_length=1, max_length=500)], imports: ImportsPort, viewer: Viewer, request: Request
) -> dict[str, Any]:
    """Send a sheet as the body; it stays for a day at most."""
    upload = await imports.receive(name, viewer, request.stream())
    return {"file": upload.id, "name": upload.name, "bytes": upload.size}


@router.post("/import", dependencies=CONFIGURES)
async def import_rules(
    wish: ImportWish, alarms: AlarmsPort, imports: ImportsPort, jobs: JobsPort, viewer: Viewer
) -> ImportAnswer:
    """Try a sheet, or keep its good rows; the others are explained either way."""
    upload = imports.upload(wish.file, viewer)
    trial = await services.sheet_trial(alarms.rules, viewer, upload.path, upload.name, wish.tenant)
    if wish.trial:
        return ImportAnswer.of(trial, None)
    job = services.start_import(jobs, alarms.rules, viewer, upload.name, trial.rules, wish.tenant, wish.reason)
    return ImportAnswer.of(trial, job)


@router.get("/{rule_id}")
async def rule(rule_id: RowNumber, alarms: AlarmsPort, viewer: Viewer) -> RuleAnswer:
    """One of them, also a retired one."""
    return RuleAnswer.of(await alarms.rules.get(viewer, rule_id), alarms.rules)


@router.put("/{rule_id}", dependencies=CONFIGURES)
async def change_rule(
    rule_id: RowNumber, wish: ChangedRule, alarms: AlarmsPort, viewer: Viewer, request: Request
) -> RuleAnswer:
    """Let it be this; enabled or not as it was where that is left out."""
    kept = await alarms.rules.change(
        viewer, rule_id, wish.rule, revision=wish.revision, reason=wish.reason, is_enabled=wish.is_enabled,
        address=address_of(request),
    )  # fmt: skip
    return RuleAnswer.of(kept, alarms.rules)


@router.delete("/{rule_id}", status_code=HTTPStatus.NO_CONTENT, dependencies=CONFIGURES)
async def retire_rule(
    rule_id: RowNumber,
    revision: Annotated[int, Query(ge=1, le=2**31 - 1)],
    reason: Annotated[str, Query(min_length=1, max_length=1000)],
    alarms: AlarmsPort,
    viewer: Viewer,
    request: Request,
) -> None:
    """Remove it: its alarms end, its history stays."""
    address = address_of(request)
    await alarms.rules.retire(viewer, rule_id, revision=revision, reason=reason, address=address)


@router.get("/{rule_id}/revisions")
async def revisions(rule_id: RowNumber, alarms: AlarmsPort, viewer: Viewer) -> list[RevisionAnswer]:
    """Every revision there was, the newest first."""
    return [RevisionAnswer.of(one) for one in await alarms.rules.revisions(viewer, rule_id)]


def _known(number: float) -> float | None:
    return None if number != number else number  # noqa: PLR0124 NaN
