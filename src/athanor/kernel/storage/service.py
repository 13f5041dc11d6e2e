"""What is kept where, and letting go of what has come of age: what the page, the API and the command line ask."""

import asyncio
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from athanor.kernel.database.database import Database
from athanor.kernel.historian import extent
from athanor.kernel.historian.clearing import Progress
from athanor.kernel.historian.disk import DiskState
from athanor.kernel.historian.retention import RetentionClass, RetentionReport, RetentionRules
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.audit import record
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.metrics import HISTORIAN_QUERY_SECONDS, SAMPLES_STORED
from athanor.kernel.storage.classes import Classes
from athanor.kernel.storage.state import Holding, Latency, StorageState, Tier, days_left, growth_of, quantile
from athanor.kernel.waveforms.port import Gone, Selection, Waveforms

ORDERED, WAVEFORMS_GONE = "historian.retention-ordered", "waveforms.expired"  # in the audit trail

_ACTOR = "retention"
_ASSETS = 500  # asked for at once
_COUNTED_EVERY_S = 60.0
_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_NOTHING = Gone(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Due:
    """What goes by now."""

    samples: RetentionReport
    waveforms: dict[str, Gone]  # by class

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        return self.samples.to_json() | {"waveforms": {name: _plain(gone) for name, gone in self.waveforms.items()}}


@dataclass(frozen=True, slots=True)
class Went:
    """What went."""

    days: int
    samples: int
    size: int  # [B]
    waveforms: int


class Storage:
    """Everything that is kept, looked at as a whole."""

    def __init__(
        self,
        historian: TieredHistorian,
        waveforms: Waveforms,
        quarantine: Quarantine,
        database: Database,
        rules: RetentionRules,
        classes: Classes,
    ) -> None:
        self._historian = historian
        self._waveforms = waveforms
        self._quarantine = quarantine
        self._database = database
        self.rules = rules
        self._classes = classes
        self._held: tuple[float, Holding] | None = None  # of waveforms, which take a while to count, and when that was

    async def state(self) -> StorageState:
        """What there is now. Raises WaveformIndexError."""
        now = datetime.now(UTC)
        tiers = await self._historian.extents()
        files = self._historian.sealed_files
        lake, rollups = tiers[extent.Tier.LAKE], tiers[extent.Tier.ROLLUPS]
        growth = growth_of(files, now.date(), beside=rollups.bytes / max(lake.bytes, 1))
        watch = self._historian.disks
        disks, under_lake = await asyncio.to_thread(lambda: (watch.now(), watch.under_lake()))
        return StorageState(
            at=now,
            holdings=[
                *(_holding(tier, tiers[extent.Tier(tier.value)]) for tier in (Tier.HOT, Tier.LAKE, Tier.ROLLUPS)),
                await self._waveforms_held(),
                await asyncio.to_thread(self._quarantined),
            ],
            growth=growth,
            disks=disks,
            limits=watch.limits,
            days_left=days_left(under_lake, watch.limits, growth),
            work=self._historian.work.notes,
            latencies=latencies(),
        )

    async def disk_state(self) -> DiskState:
        """That of the worst disk."""
        disks = await asyncio.to_thread(self._historian.disks.now)
        return max(disk.state for disk in disks)

    async def due(self) -> Due:
        """What has come of age; nothing is changed. Raises LakeUnreachableError, WaveformIndexError."""
        samples = await self._historian.retention_report()
        rules = [one.rules for one in samples.classes]
        waveforms = {one.name: await self._expire_waveforms(one, dry_run=True) for one in rules}
        return Due(samples, waveforms)

    async def apply(self, actor: str, *, address: str = "", progress: Progress | None = None) -> Went:
        """Let go of what has come of age, at once; who said so, and what went, stands in the audit trail.

        Raises HistorianFullError, LakeUnreachableError, WaveformIndexError, and whatever `progress` does.
        """
        async with self._database.session() as session:
            record(session, actor, ORDERED, address=address)
        removals = await self._historian.expire_now(progress)
        waveforms = await self.expire_waveforms()
        return Went(
            len(removals),
            sum(removal.rows for removal in removals),
            sum(removal.size for removal in removals),
            sum(gone.waveforms for gone in waveforms.values()),
        )

    async def expire_waveforms(self) -> dict[str, Gone]:
        """Let go of waveforms that have come of age; how many, by class. Raises WaveformIndexError."""
        went = {one.name: await self._expire_waveforms(one, dry_run=False) for one in self.rules.classes}
        went = {name: gone for name, gone in went.items() if gone.waveforms}
        if went:
            async with self._database.session() as session:
                detail = {name: {"waveforms": gone.waveforms, "bytes": gone.size} for name, gone in went.items()}
                record(session, _ACTOR, WAVEFORMS_GONE, "expired", detail=detail)
        return went

    async def _expire_waveforms(self, rules: RetentionClass, *, dry_run: bool) -> Gone:
        assets, total = self._classes.assets.get(rules.name, ()), _NOTHING
        if rules.waveform_days is None:
            return total
        before = datetime.now(UTC) - timedelta(days=rules.waveform_days)
        for first in range(0, len(assets), _ASSETS):
            selection = Selection(before, assets[first : first + _ASSETS])
            total = _sum(total, await self._waveforms.expire(selection, dry_run=dry_run))
        return total

    async def _waveforms_held(self) -> Holding:
        now = time.monotonic()
        if self._held is None or now - self._held[0] > _COUNTED_EVERY_S:
            held = await self._waveforms.expire(Selection(_EVER), dry_run=True)
            self._held = now, Holding(Tier.WAVEFORMS, held.waveforms, held.size, oldest=held.oldest)
        return self._held[1]

    def _quarantined(self) -> Holding:
        held = self._quarantine.size()
        return Holding(Tier.QUARANTINE, held.samples, held.bytes)


def samples_stored() -> float:
    """How many samples came in since the server started."""
    samples = next(iter(SAMPLES_STORED.collect())).samples
    return sum(sample.value for sample in samples if sample.name.endswith("_total"))


def latencies() -> list[Latency]:
    """How long questions to the historian take, by kind."""
    bounds: dict[str, list[tuple[float, float]]] = {}
    for sample in next(iter(HISTORIAN_QUERY_SECONDS.collect())).samples:
        if sample.name.endswith("_bucket"):
            bounds.setdefault(sample.labels["kind"], []).append((float(sample.labels["le"]), sample.value))
    found = []
    for kind, buckets in sorted(bounds.items()):
        ends, counts = zip(*sorted(buckets), strict=True)
        if counts[-1]:
            p50, p99 = (quantile(ends, counts, share) for share in (0.5, 0.99))
            found.append(Latency(kind, int(counts[-1]), p50, p99))
    return found


def _holding(tier: Tier, held: extent.Extent) -> Holding:
    return Holding(tier, held.rows, held.bytes, held.files, held.oldest)


def _sum(one: Gone, other: Gone) -> Gone:
    oldest = [time for time in (one.oldest, other.oldest) if time is not None]
    newest = [time for time in (one.newest, other.newest) if time is not None]
    return Gone(
        one.waveforms + other.waveforms,
        one.points + other.points,
        one.size + other.size,
        min(oldest, default=None),
        max(newest, default=None),
    )


def _plain(gone: Gone) -> dict[str, Any]:
    times = {"oldest": gone.oldest, "newest": gone.newest}
    return asdict(gone) | {name: None if time is None else time.isoformat() for name, time in times.items()}
