"""Alarms of Athanor itself: an edge not heard, a disk that runs out, judging that is behind or cannot be done."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from athanor.kernel.alarms.judging.faults import Unjudged
from athanor.kernel.alarms.reporting import Kind
from athanor.kernel.alarms.rule import Category, Priority
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.alarms.tables import AlarmRow, RuleRow
from athanor.kernel.database.database import Database
from athanor.kernel.historian.disk import DiskState
from athanor.kernel.ingest.sources import SourceStates

_LOOK_EVERY = timedelta(seconds=5)
_EDGES_COME_WITHIN = timedelta(seconds=60)  # of our start; before, one that is not there may be on its way

EDGE_SILENT, SOURCE_FAILED = "system.edge-silent", "system.source-failed"
DISK_LOW, BEHIND, NOT_JUDGED = "system.disk-low", "system.alarms-behind", "system.not-judged"

KINDS: Mapping[str, Kind] = {
    EDGE_SILENT: Kind(
        {"en": "An edge is not heard", "zh_CN": "边缘节点失联"},
        Priority.HIGH,
        Category.SYSTEM,
        {"en": "Its tags are blind: nothing of them is judged.", "zh_CN": "其测点不可见，相关报警无法判断。"},
        {"en": "Check the edge's machine and the network to it.", "zh_CN": "检查边缘节点主机及其网络。"},
        acknowledges_itself=True,
    ),
    SOURCE_FAILED: Kind(
        {"en": "A source does not answer", "zh_CN": "数据源无应答"},
        Priority.MEDIUM,
        Category.SYSTEM,
        {"en": "Its tags are blind: nothing of them is judged.", "zh_CN": "其测点不可见，相关报警无法判断。"},
        {"en": "Check the device and the way to it.", "zh_CN": "检查该设备及其通信线路。"},
        acknowledges_itself=True,
    ),
    DISK_LOW: Kind(
        {"en": "The historian's disk runs out", "zh_CN": "历史库磁盘空间不足"},
        Priority.HIGH,
        Category.SYSTEM,
        {"en": "The oldest samples go, then new ones are refused.", "zh_CN": "将先删除最早的采样，随后拒收新采样。"},
        {"en": "Make room, or shorten what is kept.", "zh_CN": "释放空间或缩短保留期限。"},
        acknowledges_itself=True,
    ),
    BEHIND: Kind(
        {"en": "Alarms are judged late", "zh_CN": "报警判断滞后"},
        Priority.MEDIUM,
        Category.SYSTEM,
        {"en": "Alarms come later than they should.", "zh_CN": "报警会晚于应有时间出现。"},
        {"en": "Wait; if it lasts, give the machine more room.", "zh_CN": "请等待；若持续则提升服务器资源。"},
        acknowledges_itself=True,
    ),
    NOT_JUDGED: Kind(
        {"en": "An alarm cannot be judged", "zh_CN": "报警无法判断"},
        Priority.LOW,
        Category.SYSTEM,
        {"en": "It stays as it is.", "zh_CN": "该报警保持原状。"},
        {"en": "Correct its rule.", "zh_CN": "修正其规则。"},
        acknowledges_itself=True,
    ),
}


@dataclass
class _Found:
    """What is wrong now: by key and path, what to read beside it."""

    by_place: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, key: str, path: str, detail: str = "") -> None:
        self.by_place[key, path] = detail


class Watch:
    """Reports what began and what ended since the last look; used by one worker.

    Parameters
    ----------
    disk
        The state of the historian's worst disk.
    """

    def __init__(
        self,
        alarms: Alarms,
        database: Database,
        sources: SourceStates,
        disk: Callable[[], Awaitable[DiskState]] | None,
        now: Callable[[], datetime],
    ) -> None:
        self._alarms, self._database, self._sources = alarms, database, sources
        self._disk, self._now = disk, now
        self._began_at = now()
        self._looked_at: datetime | None = None
        self._told: set[tuple[str, str]] | None = None  # None: what stood before the start is not known yet
        self._known_edges: set[str] = set()

    def begin(self, edges: tuple[str, ...]) -> None:
        """These edges delivered before the start."""
        self._began_at = self._now()
        self._known_edges = set(edges)

    @property
    def edges(self) -> tuple[str, ...]:
        """Those that were heard, or were before the start."""
        return tuple(sorted(self._known_edges))

    def is_due(self) -> bool:
        """Whether it is time to look. A clock that was set makes it so."""
        return self._looked_at is None or abs(self._now() - self._looked_at) >= _LOOK_EVERY

    async def look(self, *, is_behind: bool, unjudged: Mapping[str, Unjudged]) -> None:
        """Report changes. Raises what the database does; then they are reported with the next look.

        Parameters
        ----------
        unjudged
            Why alarms cannot be judged, by the path of one of them.
        """
        if self._told is None:
            self._told = await self._standing()
        found = _Found()
        now = self._now()
        self._look_at_edges(found, now)
        if self._disk is not None and (state := await self._disk()) is not DiskState.ENOUGH:
            found.add(DISK_LOW, "server:historian", state.name.lower())
        if is_behind:
            found.add(BEHIND, "server:alarms")
        for path, why in unjudged.items():
            found.add(NOT_JUDGED, path, why.value)
        for place in sorted(found.by_place.keys() ^ self._told):
            key, path = place
            is_active = place in found.by_place
            detail = found.by_place.get(place, "")
            await self._alarms.report(key, path, is_active=is_active, at=now, kind=KINDS[key], detail=detail)
            self._told ^= {place}
        self._looked_at = now

    async def _standing(self) -> set[tuple[str, str]]:
        """What was told before the start and still stands."""
        query = select(RuleRow.key, AlarmRow.path).join(AlarmRow, AlarmRow.rule_id == RuleRow.id)
        query = query.where(RuleRow.tenant.is_(None), RuleRow.key.in_(list(KINDS)), AlarmRow.is_active)
        async with self._database.reading() as session:
            return {(key, path) for key, path in await session.execute(query)}

    def _look_at_edges(self, found: _Found, now: datetime) -> None:
        states = {edge.edge: edge for edge in self._sources.edges()}
        self._known_edges |= states.keys()
        for name in self._known_edges:
            edge = states.get(name)
            if edge is None:
                is_overdue = now - self._began_at > _EDGES_COME_WITHIN
                if is_overdue or (EDGE_SILENT, f"edge:{name}") in (self._told or ()):
                    found.add(EDGE_SILENT, f"edge:{name}")
            elif edge.is_silent(now):
                found.add(EDGE_SILENT, f"edge:{name}")
            else:
                for source in edge.sources:
                    if source.state == "failed":
                        found.add(SOURCE_FAILED, f"edge:{name}/{source.id}", source.error or "")
