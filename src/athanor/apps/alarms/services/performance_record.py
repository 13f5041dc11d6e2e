"""What the figures of performance are computed from: occurrences as columns, and where their alarms are."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from athanor.apps.alarms.domain.log import Log, log_of
from athanor.kernel.alarms import columns
from athanor.kernel.alarms.columns import Occurrences, Placed
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import microseconds
from athanor.kernel.plant.model import Level, Plant
from athanor.kernel.plant.running import RunningPlant


@dataclass(frozen=True, slots=True)
class Wish:
    """Of what performance is asked.

    Parameters
    ----------
    start, end
        The period; it holds its start and not its end.
    tenant
        Only of this one's assets; None for all that the viewer sees.
    area
        Only what is at or below this node.
    position
        Only of this operator position: an area of the plant (IEC 62264), watched by one operator.
    judged_since
        Where alarms began to be judged within the period.
    """

    start: datetime
    end: datetime
    tenant: str | None = None
    area: str | None = None
    position: str | None = None
    judged_since: datetime | None = None

    @property
    def start_us(self) -> int:
        """Where figures begin."""
        return microseconds(self.judged_since or self.start)

    @property
    def end_us(self) -> int:
        return microseconds(self.end)


@dataclass(frozen=True, slots=True)
class Record:
    """A log with the place of each alarm.

    Parameters
    ----------
    log
        What was raised in the period or stood then.
    ids
        The occurrence of each row of the log, int64. [N]
    alarms
        By id.
    position_of
        The operator position of each alarm: path of a node.
    zone
        The plant's clock.
    """

    wish: Wish
    log: Log
    ids: np.ndarray
    alarms: Mapping[int, Placed]
    node_of: Mapping[int, str]
    position_of: Mapping[int, str]
    zone: ZoneInfo

    @property
    def positions(self) -> Sequence[str]:
        """Operator positions that had an alarm."""
        present = set(np.unique(self.log.alarm).tolist())
        return sorted({path for alarm, path in self.position_of.items() if alarm in present})

    def rows_of(self, position: str) -> np.ndarray:
        """The rows of the log that one position had. bool [N]"""
        mine = [alarm for alarm, path in self.position_of.items() if path == position]
        return np.isin(self.log.alarm, np.array(mine, np.int64))


async def read(database: Database, plant: RunningPlant, wish: Wish) -> Record:
    """The record of a period, cut to what the database's viewer may see and to what is wished for.

    Figures begin no earlier than alarms do: a plant of yesterday was not quiet for the 29 days before.
    """
    async with database.reading() as session:
        since = await columns.judged_since(session)
        if since is not None and wish.start < since < wish.end:
            wish = replace(wish, judged_since=since)
        found = await columns.occurrences(session, wish.start, wish.end)
        placed = await columns.placed(session, wish.start)
    return await asyncio.to_thread(_record, found, placed, plant.model, wish)


def _record(found: Occurrences, placed: Mapping[int, Placed], plant: Plant, wish: Wish) -> Record:
    node_of = {alarm: node_path(plant, one.path) for alarm, one in placed.items()}
    position_of = {alarm: position_at(plant, path) for alarm, path in node_of.items()}
    wanted = {
        alarm
        for alarm, one in placed.items()
        if (wish.tenant is None or one.tenant == wish.tenant)
        and (wish.area is None or is_below(node_of[alarm], wish.area))
        and (wish.position is None or position_of[alarm] == wish.position)
    }
    rows = np.isin(found.alarm, np.array(sorted(wanted), np.int64))
    raised = found.raised_us[rows]
    log = log_of(
        found.alarm[rows],
        raised,
        cleared_us=found.cleared_us[rows],
        acknowledged_us=found.acknowledged_us[rows],
        seen_us=found.seen_us[rows],
        priority=found.priority[rows],
    )
    return Record(
        wish,
        log,
        found.id[rows][np.argsort(raised, kind="stable")],
        {alarm: placed[alarm] for alarm in wanted},
        {alarm: node_of[alarm] for alarm in wanted},
        {alarm: position_of[alarm] for alarm in wanted},
        ZoneInfo(plant.timezone),
    )


def node_path(plant: Plant, path: str) -> str:
    """The node that a tag or node is; what is gone from the plant is where it was."""
    tag = plant.tags.get(path)
    return path if tag is None else tag.node_path


def position_at(plant: Plant, path: str) -> str:
    """The operator position that watches a node: the area it is in, else the site."""
    parts = path.split(".")
    above = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    area = next((one for one in above if one in plant.nodes and plant.nodes[one].level is Level.AREA), None)
    return area or above[-1]


def is_below(path: str, node: str) -> bool:
    """Whether a path is a node's or below it."""
    return path == node or path.startswith(f"{node}.")
