"""How long each class keeps what, what goes by now, and letting it go; the second press does it."""

from athanor.apps.data.pages import storage_words as words
from athanor.apps.data.services import storing
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.retention import ClassReport
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Job, Jobs
from athanor.kernel.storage.retaining import KIND, start_retention
from athanor.kernel.storage.service import Due, Storage
from athanor.kernel.waveforms.port import Gone
from athanor.web.components import (
    Cell,
    Column,
    TablePage,
    TableQuery,
    Words,
    button,
    data_table,
    icon,
    job_card,
    region,
)
from athanor.web.components.data_table import Row, page_of
from athanor.web.formatting import NOTHING, number
from athanor.web.language import _
from athanor.web.live import every_second

_SURE_FOR = 10  # beats of a second in which the second press counts


class RetentionCard:
    """The table of classes, and what can be done about it."""

    def __init__(self, storage: Storage, jobs: Jobs, viewer: User, address: str) -> None:
        self._storage, self._jobs, self._viewer, self._address = storage, jobs, viewer, address
        self._due: Due | None = None
        self._asked_ago: int | None = None  # beats since the first press
        with region("ath-card", "section", aria_label=_("How long what is kept")):
            self._table = data_table(
                self._rows, _columns(), caption=_("How long what is kept"), is_searchable=False, export_name="retention"
            )
            self._said = Words("", "p", "ath-retention-said")
            self._said.props["aria-live"] = "polite"
            with region("ath-actions"):
                button(_("See what would go"), self._look, glyph="search")
                with region("is-danger", "button", type="button") as self._apply:
                    icon("delete")
                    self._apply_text = Words("")
                self._apply.on("click", lambda _event: self._pressed(), args=[])
            self._apply.set_visibility(False)
        self._running = region("ath-outcome")
        self._show_running()
        every_second(self._beat)

    def _rows(self, query: TableQuery) -> TablePage:
        rules = self._storage.rules.classes
        if self._due is None:
            return page_of([_row(ClassReport(one.name, one, 0), None) for one in rules], query)
        waveforms = self._due.waveforms
        return page_of([_row(one, waveforms[one.name]) for one in self._due.samples.classes], query)

    async def _look(self) -> None:
        try:
            self._due = await self._storage.due()
        except AthanorError as error:
            self._said.show(str(error), "ath-retention-said is-urgent")
            return
        self._say(self._due)
        await self._table.refresh()

    def _say(self, due: Due) -> None:
        rows, size, waveforms = _sums(due)
        stays = due.samples.stays
        parts = [
            _("{n} samples ({size}) and {m} waveforms would go.").format(
                n=number(rows), size=words.size(size), m=number(waveforms)
            )
            if rows or waveforms
            else _("Nothing has come of age."),
            _("{n} samples ({size}) stay.").format(n=number(stays.rows), size=words.size(stays.size)),
        ]
        if due.samples.unreadable:
            names = ", ".join(due.samples.unreadable)
            parts.append(_("Of days with damaged files nothing goes: {names}").format(names=names))
        self._said.show(" ".join(parts), "ath-retention-said")
        can_go = rows or waveforms or any(one.rollups.rows for one in due.samples.classes)
        self._apply.set_visibility(bool(can_go) and storing.may_apply(self._viewer))
        self._forget_press()

    def _pressed(self) -> None:
        if self._due is None:
            return
        if self._asked_ago is None:
            self._asked_ago = 0
            rows, size, _waveforms = _sums(self._due)
            self._apply_text.text = _("Press again: {n} samples ({size}) go for good").format(
                n=number(rows), size=words.size(size)
            )
            return
        self._forget_press()
        self._apply.set_visibility(False)
        start_retention(self._storage, self._jobs, self._viewer, self._address)
        self._show_running()

    def _forget_press(self) -> None:
        self._asked_ago = None
        self._apply_text.text = _("Let it go now")

    async def _beat(self) -> None:
        if self._asked_ago is not None:
            self._asked_ago += 1
            if self._asked_ago > _SURE_FOR:
                self._forget_press()

    def _show_running(self) -> None:
        """The last job of this kind, if the viewer may see one."""
        jobs = self._jobs.jobs(self._viewer, KIND)
        self._running.clear()
        if jobs:
            with self._running:
                job_card(self._jobs, jobs[0].id, self._viewer, stages={"days": _("Day by day")}, on_over=self._over)

    async def _over(self, job: Job) -> None:
        if "samples" in job.summary:
            went = _("{n} samples and {m} waveforms went.").format(
                n=number(job.summary["samples"]), m=number(job.summary["waveforms"])
            )
            self._said.show(went, "ath-retention-said")
        self._due = None
        await self._table.refresh()


def _columns() -> list[Column]:
    return [
        Column("name", _("Class"), is_wide=True),
        Column("raw", _("Samples kept")),
        Column("rollups", _("Rollups kept")),
        Column("waveforms", _("Waveforms kept")),
        Column("go", _("Samples that would go"), is_number=True),
        Column("days", _("Days")),
        Column("others", _("Rollups and waveforms that would go"), is_number=True),
    ]


def _row(one: ClassReport, waveforms: Gone | None) -> Row:
    rules, raw = one.rules, one.raw
    known = {
        "name": one.name,
        "raw": words.kept(rules.raw_days),
        "rollups": words.kept(rules.rollup_days),
        "waveforms": words.kept(rules.waveform_days),
    }
    if waveforms is None:
        return known | dict.fromkeys(("go", "days", "others"), NOTHING)
    return known | {
        "name": Cell(one.name, note=_("{n} tags").format(n=number(one.tags))),
        "go": Cell(number(raw.rows), note=words.size(raw.size) if raw.rows else "", sort=float(raw.rows)),
        "days": Cell(
            words.span(raw.oldest, raw.newest) or NOTHING, note=_("{n} days").format(n=raw.days) if raw.days else ""
        ),
        "others": f"{number(one.rollups.rows)} · {number(waveforms.waveforms)}",
    }


def _sums(due: Due) -> tuple[int, int, int]:
    """Samples, their bytes, and waveforms."""
    raw = [one.raw for one in due.samples.classes]
    waveforms = sum(one.waveforms for one in due.waveforms.values())
    return sum(one.rows for one in raw), sum(one.size for one in raw), waveforms
