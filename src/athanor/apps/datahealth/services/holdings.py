"""What the platform holds, by what it is for: how much, how new, whose, for whom, and which apps use it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from athanor.kernel.apps.manifest import Manifest
from athanor.kernel.apps.registry import manifests
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.database.extent import Recorded, recorded
from athanor.kernel.historian.extent import Extent, Tier
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.user import User
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.jobs.port import Jobs
from athanor.kernel.plant.model import Text
from athanor.kernel.plant.running import RunningPlant


class Group(StrEnum):
    """What data is for."""

    STATIC = "static"  # what changes only when somebody changes the plant
    LIVE = "live"  # what is now
    HISTORY = "history"  # what was
    BUSINESS = "business"  # what people did with it
    JUDGEMENT = "judgement"  # what is held against it


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data: the same on every platform."""

    id: str
    group: Group
    owner: str  # part of the kernel, or app, that keeps it
    permission: str  # who may see it
    port: str | None  # by which apps get it
    page: str | None  # where a person sees it
    is_whole: bool = False  # of all enterprises at once, so that only the park's own people are shown it


KINDS: Sequence[Kind] = (
    Kind("nodes", Group.STATIC, "plant", "datahealth.view", "plant", "/overview"),
    Kind("tags", Group.STATIC, "plant", "trends.view", "plant", "/trends"),
    Kind("tenants", Group.STATIC, "plant", "overview.view", "plant", "/overview"),
    Kind("current", Group.LIVE, "ingest", "overview.view", "current", "/overview"),
    Kind("sources", Group.LIVE, "ingest", "datahealth.view", "sources", "/datahealth", is_whole=True),
    Kind("hot", Group.HISTORY, "historian", "trends.view", "historian", "/trends", is_whole=True),
    Kind("lake", Group.HISTORY, "historian", "trends.view", "historian", "/trends", is_whole=True),
    Kind("rollups", Group.HISTORY, "historian", "trends.view", "historian", "/trends", is_whole=True),
    Kind("waveforms", Group.HISTORY, "waveforms", "data.view", "waveforms", None, is_whole=True),
    Kind("jobs", Group.BUSINESS, "jobs", "data.import", "jobs", "/data"),
    Kind("corrections", Group.BUSINESS, "corrections", "trends.view", "corrections", "/trends", is_whole=True),
    Kind("accounts", Group.BUSINESS, "identity", "identity.administer", None, None, is_whole=True),
    Kind("audit", Group.BUSINESS, "identity", "identity.administer", None, None, is_whole=True),
    Kind("limits", Group.JUDGEMENT, "overview", "overview.view", "current", "/overview"),
    Kind("quarantine", Group.JUDGEMENT, "ingest", "datahealth.view", "quarantine", "/datahealth", is_whole=True),
    Kind("scores", Group.JUDGEMENT, "datahealth", "datahealth.view", None, "/datahealth/quality"),
)


@dataclass(frozen=True, slots=True)
class Holding:
    """How much there is of one kind. None where that cannot be said."""

    kind: Kind
    rows: int
    bytes: int | None = None
    newest: datetime | None = None
    oldest: datetime | None = None
    users: Sequence[Text] = ()  # titles of the apps whose manifests name its port


async def holdings(
    plant: RunningPlant,
    historian: TieredHistorian,
    current: CurrentValues,
    quarantine: Quarantine,
    sources: SourceStates,
    jobs: Jobs,
    database: Database,
    viewer: User,
) -> list[Holding]:
    """Every kind of data that the viewer may know of. Who sees one enterprise only gets what can be cut to it."""
    apps = await asyncio.to_thread(manifests)
    counted = _of_plant(plant, current) | _of_jobs(jobs, viewer)
    if viewer.tenants is None:
        counted |= _of_tiers(await historian.extents())
        counted |= _of_tables(await recorded(database))
        counted |= await asyncio.to_thread(_of_quarantine, quarantine)
        counted["sources"] = _of_sources(sources)
    return [
        Holding(kind, *counted[kind.id], users=_users(kind, apps))
        for kind in KINDS
        if kind.id in counted and viewer.may(kind.permission)
    ]


_Counted = tuple[int, int | None, datetime | None, datetime | None]  # rows, bytes, newest, oldest


def _of_plant(plant: RunningPlant, current: CurrentValues) -> dict[str, _Counted]:
    model = plant.model
    tags = list(model.tags.values())
    ids = plant.ids_of(tag.path for tag in tags)
    samples = [sample for one in ids.tolist() if (sample := current.get(one)) is not None]
    return {
        "nodes": (len(model.nodes), None, None, None),
        "tags": (len(tags), None, None, None),
        "tenants": (len(model.tenants), None, None, None),
        "current": (
            len(samples),
            None,
            max((sample.time for sample in samples), default=None),
            min((sample.time for sample in samples), default=None),
        ),
        "limits": (_crossed(plant, current), None, None, None),
        "scores": (len(tags), None, None, None),
    }


def _crossed(plant: RunningPlant, current: CurrentValues) -> int:
    """How many values are beyond an alarm limit now."""
    tags = list(plant.model.tags.values())
    value = current.numbers(plant.ids_of(tag.path for tag in tags))
    limits = [tag.alarm_limits for tag in tags]
    columns = {name: np.array([getattr(one, name) for one in limits], np.float64) for name in _LIMITS}
    with np.errstate(invalid="ignore"):
        high = (value > columns["high"]) | (value > columns["high_high"])
        low = (value < columns["low"]) | (value < columns["low_low"])
    return int(np.count_nonzero(high | low))


_LIMITS = ("low_low", "low", "high", "high_high")


def _of_jobs(jobs: Jobs, viewer: User) -> dict[str, _Counted]:
    there = jobs.jobs(viewer)
    size = sum(job.file_bytes or 0 for job in there)
    times = [job.created_at for job in there]
    return {"jobs": (len(there), size, max(times, default=None), min(times, default=None))}


def _of_tiers(tiers: Mapping[Tier, Extent]) -> dict[str, _Counted]:
    return {tier.value: (one.rows, one.bytes, one.newest, one.oldest) for tier, one in tiers.items()}


def _of_tables(tables: Mapping[str, Recorded]) -> dict[str, _Counted]:
    return {name: (one.rows, one.bytes, one.newest, one.oldest) for name, one in tables.items()}


def _of_quarantine(quarantine: Quarantine) -> dict[str, _Counted]:
    size, entries = quarantine.size(), quarantine.summary()
    newest = max((entry.last_at for entry in entries), default=None)
    oldest = min((entry.first_at for entry in entries), default=None)
    return {"quarantine": (size.samples, size.bytes, newest, oldest)}


def _of_sources(sources: SourceStates) -> _Counted:
    edges = sources.edges()
    newest = max((edge.received_at for edge in edges), default=None)
    return sum(len(edge.sources) for edge in edges), None, newest, None


def _users(kind: Kind, apps: Sequence[Manifest]) -> list[Text]:
    return [] if kind.port is None else [app.title for app in apps if kind.port in app.needs]
