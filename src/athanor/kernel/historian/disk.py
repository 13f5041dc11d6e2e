"""Room on the disks under the historian: what is said of it, once, and once more when there is room again."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import structlog

from athanor.kernel.metrics import DISK_FREE_BYTES

_log = structlog.get_logger(__name__)

DISK_LOW_TOPIC = "historian.disk.low"
DISK_RECOVERED_TOPIC = "historian.disk.recovered"

_MARGIN = 1.05  # times a limit that must be free again, so that what hovers about it is not said again and again

Tell = Callable[[str, Mapping[str, Any]], None]  # a topic and what is said; returns at once, from any thread


class DiskState(IntEnum):
    """The worse, the larger."""

    ENOUGH = 0
    WARN = 1  # it runs out
    LOW = 2  # the oldest samples go, where they may
    FULL = 3  # samples are refused, and stay at the edges


@dataclass(frozen=True, slots=True)
class DiskLimits:
    """Free room below which a disk is in each state. [MB]"""

    warn_mb: int = 0
    low_mb: int = 0
    reserve_mb: int = 0

    def state_of(self, free: float) -> DiskState:
        """The state of a disk with so much free room. [B]"""
        limits = {DiskState.FULL: self.reserve_mb, DiskState.LOW: self.low_mb, DiskState.WARN: self.warn_mb}
        return next((state for state, limit_mb in limits.items() if free < limit_mb * 1024**2), DiskState.ENOUGH)


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk, as it was when it was looked at."""

    folder: Path
    size: int  # [B]
    free: int  # [B]
    state: DiskState


class DiskWatch:
    """The disks that the hot tail and the lake are on: two, or one."""

    def __init__(
        self,
        hot: Path,
        lake: Path | None,
        limits: DiskLimits,
        tell: Tell,
        usage: Callable[[Path], Any] = shutil.disk_usage,
    ) -> None:
        """`lake` is None where it lies on no disk of this machine."""
        self.limits = limits
        self._has_lake = lake is not None
        by_disk = {folder.stat().st_dev: folder for folder in (hot, lake) if folder is not None}
        self._folders = tuple(by_disk.values())  # the lake's last
        self._tell = tell
        self._usage = usage
        self._said = dict.fromkeys(self._folders, DiskState.ENOUGH)

    def now(self) -> list[Disk]:
        """The disks as they are; nothing is said. Raises OSError."""
        return [self._disk(folder) for folder in self._folders]

    def under_lake(self) -> Disk | None:
        """The disk that the lake is on, as it is. Raises OSError."""
        return self._disk(self._folders[-1]) if self._has_lake else None

    def look(self) -> None:
        """Say of each disk whose state is worse than before, and where there is enough again. Raises OSError."""
        for disk in self.now():
            DISK_FREE_BYTES.labels(str(disk.folder)).set(disk.free)
            said = self._said[disk.folder]
            if disk.state > said:
                self._said[disk.folder] = disk.state
                self._say(disk)
            elif (calmer := self.limits.state_of(disk.free / _MARGIN)) < said:
                self._said[disk.folder] = calmer
                if calmer is DiskState.ENOUGH:
                    _log.info("historian.disk-recovered", folder=str(disk.folder), free_mb=disk.free >> 20)
                    self._tell(DISK_RECOVERED_TOPIC, _said_of(disk))

    def _say(self, disk: Disk) -> None:
        log = _log.warning if disk.state is DiskState.WARN else _log.error
        log("historian.disk-low", folder=str(disk.folder), free_mb=disk.free >> 20, state=disk.state.name.lower())
        self._tell(DISK_LOW_TOPIC, _said_of(disk))

    def _disk(self, folder: Path) -> Disk:
        usage = self._usage(folder)
        return Disk(folder, usage.total, usage.free, self.limits.state_of(usage.free))


def _said_of(disk: Disk) -> Mapping[str, Any]:
    return {"folder": str(disk.folder), "free_mb": disk.free >> 20, "state": disk.state.name.lower()}
