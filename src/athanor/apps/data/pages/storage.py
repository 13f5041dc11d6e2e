"""What is kept where, how much room is left, how quick the answers are, and how the work in the background goes."""

import time
from datetime import datetime

from fastapi import Request

from athanor.apps.data.pages import storage_words as words
from athanor.apps.data.pages.retention_card import RetentionCard
from athanor.apps.data.pages.tabs import tabs
from athanor.apps.data.services import storing
from athanor.kernel.historian.disk import Disk, DiskLimits, DiskState
from athanor.kernel.historian.worklog import WorkNote
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Jobs
from athanor.kernel.storage.service import Storage, samples_stored
from athanor.kernel.storage.state import StorageState
from athanor.web.components import (
    Cell,
    Column,
    Status,
    TablePage,
    TableQuery,
    Words,
    data_table,
    empty_state,
    kpi,
    kpi_strip,
    region,
    status,
)
from athanor.web.components.data_table import DataTable, Row, Source, page_of
from athanor.web.formatting import NOTHING, duration, number, percent
from athanor.web.language import _
from athanor.web.live import every_second

_LOOK_EVERY = 5  # beats of a second
_HISTORY = ("read", "resample", "downsample")  # kinds of questions for what was
_LONG = 3650  # days beyond which nobody plans


async def storage_page(request: Request, storage: Storage, jobs: Jobs, viewer: User) -> None:
    """Storage as a whole; for the park's own people, since it holds what all enterprises have."""
    tabs("/data/storage", viewer)
    if not storing.may_see(viewer):
        empty_state(_("Storage is looked after by the park."), glyph="database")
        return
    page = StoragePage(storage, await storage.state())
    RetentionCard(storage, jobs, viewer, request.client.host if request.client else "")
    await page.refresh()
    every_second(page.beat)


class StoragePage:
    """The figures, kept up to date."""

    def __init__(self, storage: Storage, state: StorageState) -> None:
        self._storage, self._state = storage, state
        self._rate = storing.IngestRate()
        self._beats = 0
        with region("ath-card ath-notice is-warn", role="status") as self._notice:
            self._trouble = status("", Status.WARN)
            self._cure = Words("", "p")
        with kpi_strip():
            self._free, self._lasts = kpi(_("Free on the disk")), kpi(_("Room lasts for"))
            self._grows, self._comes = kpi(_("Grows by")), kpi(_("Samples per second"))
            self._answers = kpi(_("99 of 100 answers within"))
        with region("ath-card", "section", aria_label=_("Disks")):
            with region("ath-card-head"):
                Words(_("Disks"), "h2")
            self._disks = [DiskBar(disk, state.limits) for disk in state.disks]
        with region("ath-cards"):
            self._tables = [self._tiers(), self._work(), self._latency()]

    async def beat(self) -> None:
        """Once a second: the rate; the rest less often."""
        self._beats += 1
        rate = self._rate.take(time.monotonic(), samples_stored())
        self._comes.set(NOTHING if rate is None else number(rate, 0 if rate >= 10 else 1))
        if self._beats % _LOOK_EVERY == 0:
            self._state = await self._storage.state()
            await self.refresh()

    async def refresh(self) -> None:
        """Show what is known."""
        state = self._state
        worst = max(state.disks, key=lambda disk: disk.state)
        self._notice.set_visibility(worst.state is not DiskState.ENOUGH)
        if worst.state is not DiskState.ENOUGH:
            what, cure = words.trouble(worst.state)
            self._trouble.set(what, Status.WARN if worst.state is DiskState.WARN else Status.URGENT)
            self._cure.show(cure)
        dress = {DiskState.ENOUGH: "", DiskState.WARN: "is-warn"}.get(worst.state, "is-urgent")
        share = percent(worst.free / max(worst.size, 1), 0)
        note = _("{share} of {size}").format(share=share, size=words.size(worst.size))
        self._free.set(words.size(worst.free), note=note, state=dress)
        self._lasts.set(_lasts(state.days_left), note=_("as in the last days") if state.days_left is not None else "")
        growth = state.growth
        note = _("mean of {n} days, rollups included").format(n=growth.days) if growth.days else _("no whole day yet")
        self._grows.set(words.size(growth.bytes_per_day) if growth.days else NOTHING, _("a day"), note=note)
        history = [one for one in state.latencies if one.kind in _HISTORY]
        slowest = max((one.p99_s for one in history), default=None)
        asked = _("{n} questions").format(n=number(sum(one.count for one in history)))
        self._answers.set(NOTHING if slowest is None else words.seconds(slowest), note=asked)
        for bar, disk in zip(self._disks, state.disks, strict=True):
            bar.show(disk)
        for table in self._tables:
            await table.refresh()

    def _tiers(self) -> DataTable:
        def rows(query: TableQuery) -> TablePage:
            names = words.tiers()
            return page_of(
                [
                    {
                        "tier": Cell(names[one.tier][0], note=names[one.tier][1]),
                        "rows": Cell(number(one.rows), sort=float(one.rows)),
                        "files": Cell(NOTHING if one.files is None else number(one.files), sort=float(one.files or 0)),
                        "size": Cell(words.size(one.size), sort=float(one.size)),
                        "oldest": NOTHING if one.oldest is None else f"{one.oldest:%Y-%m-%d}",
                    }
                    for one in self._state.holdings
                ],
                query,
            )

        columns = [
            Column("tier", _("What"), is_wide=True),
            Column("rows", _("Count"), is_number=True),
            Column("files", _("Files"), is_number=True),
            Column("size", _("Size"), is_number=True),
            Column("oldest", _("Oldest")),
        ]
        return _card(rows, columns, _("Where data lies"))

    def _work(self) -> DataTable:
        def rows(query: TableQuery) -> TablePage:
            notes, names = self._state.work, words.work()
            return page_of([_work_row(name, notes.get(kind), self._state.at) for kind, name in names.items()], query)

        columns = [
            Column("work", _("What"), is_wide=True),
            Column("last", _("Last time"), is_number=True),
            Column("took", _("Took"), is_number=True),
            Column("outcome", _("Outcome")),
            Column("done", _("Done"), is_number=True),
            Column("failed", _("Failures"), is_number=True),
        ]
        return _card(rows, columns, _("Work in the background"))

    def _latency(self) -> DataTable:
        def rows(query: TableQuery) -> TablePage:
            names = words.kinds()
            return page_of(
                [
                    {
                        "kind": names.get(one.kind, one.kind),
                        "count": Cell(number(one.count), sort=float(one.count)),
                        "p50": Cell(words.seconds(one.p50_s), sort=one.p50_s),
                        "p99": Cell(words.seconds(one.p99_s), sort=one.p99_s),
                    }
                    for one in self._state.latencies
                ],
                query,
            )

        columns = [
            Column("kind", _("Questions for"), is_wide=True),
            Column("count", _("Count"), is_number=True),
            Column("p50", _("Half within"), is_number=True),
            Column("p99", _("99 of 100 within"), is_number=True),
        ]
        return _card(rows, columns, _("How quick answers are"))


class DiskBar:
    """How full a disk is, with the limits marked."""

    def __init__(self, disk: Disk, limits: DiskLimits) -> None:
        with region("ath-disk"):
            with region("ath-disk-head"):
                Words(str(disk.folder), "code")
                self._text = Words("", "span")
            with region("ath-disk-track", role="meter", aria_valuemin="0", aria_valuemax="100") as self._track:
                self._bar = region("ath-disk-bar")
                marks = (_("warning"), limits.warn_mb), (_("short"), limits.low_mb), (_("full"), limits.reserve_mb)
                for name, limit_mb in marks:
                    share = min(limit_mb * 1024**2 / max(disk.size, 1), 1.0)
                    mark = region("ath-disk-mark", title=f"{name}: {words.size(limit_mb * 1024**2)}")
                    mark.style(f"left: {100 - 100 * share:.2f}%")
            Words(_("Marks: warning, short and full, from the left."), "p", "ath-disk-foot")

    def show(self, disk: Disk) -> None:
        """As it is now."""
        used = 1 - disk.free / max(disk.size, 1)
        dress = {DiskState.ENOUGH: "", DiskState.WARN: "is-warn"}.get(disk.state, "is-urgent")
        self._text.show(
            _("{used} used, {free} free of {size}").format(
                used=percent(used, 0), free=words.size(disk.free), size=words.size(disk.size)
            )
        )
        self._bar.classes(replace=f"ath-disk-bar {dress}".strip())
        self._bar.style(replace=f"width: {100 * used:.1f}%")
        value = f"{100 * used:.0f}"
        if self._track.props.get("aria-valuenow") != value:
            self._track.props["aria-valuenow"] = value
            self._track.update()


def _card(rows: Source, columns: list[Column], caption: str) -> DataTable:
    with region("ath-card", "section"):
        return data_table(rows, columns, caption=caption, is_searchable=False)


def _work_row(name: str, note: WorkNote | None, now: datetime) -> Row:
    if note is None:
        return {
            "work": name,
            "last": NOTHING,
            "took": NOTHING,
            "outcome": _("Not since the start"),
            "done": "0",
            "failed": "0",
        }
    age_s = (now - note.began_at).total_seconds()
    is_good = note.reason is None
    return {
        "work": name,
        "last": Cell(_("{age} ago").format(age=duration(age_s)), sort=age_s),
        "took": Cell(words.seconds(note.seconds), sort=note.seconds),
        "outcome": Cell(
            _("Done") if is_good else _("Ended by an error"),
            note=note.reason or "",
            state="" if is_good else "is-urgent",
        ),
        "done": Cell(number(note.done), sort=float(note.done)),
        "failed": Cell(number(note.failed), sort=float(note.failed), state="is-warn" if note.failed else ""),
    }


def _lasts(days: float | None) -> str:
    if days is None:
        return NOTHING
    return _("over {n} years").format(n=_LONG // 365) if days > _LONG else duration(days * 86_400)
