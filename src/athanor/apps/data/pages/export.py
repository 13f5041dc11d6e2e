"""Taking history out: which tags, which range, in which form; as a job with progress."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.data.domain.ranges import Preset, range_of
from athanor.apps.data.pages import exporting_words as words
from athanor.apps.data.pages.chosen_tags import ChosenTags
from athanor.apps.data.pages.tabs import tabs
from athanor.apps.data.services import exporting
from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.calendar import parse_step
from athanor.kernel.historian.gaps import parse_gap_policy
from athanor.kernel.historian.port import Historian, Span
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Jobs
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.exporting import Export, FileFormat
from athanor.kernel.transfer.series import How, Series, Shape
from athanor.web.components import Choice, MomentField, TagFinder, Words, button, job_card, job_list, region
from athanor.web.exporting import export_for_reader, note_export
from athanor.web.formatting import number
from athanor.web.language import _

_SIZES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def export_history(
    request: Request, plant: RunningPlant, historian: Historian, jobs: Jobs, db: Database, viewer: User
) -> None:
    """Choose, see how much it is, start, watch, fetch. The address may name tags and a range."""
    tabs("/data/export", viewer)
    ExportPage(request, plant, historian, jobs, db, viewer)


class ExportPage:
    """What one person is about to export."""

    def __init__(
        self, request: Request, plant: RunningPlant, historian: Historian, jobs: Jobs, db: Database, viewer: User
    ) -> None:
        self._plant, self._historian = plant, historian
        self._jobs, self._db, self._viewer = jobs, db, viewer
        self._address = request.client.host if request.client else ""
        self._zone = ZoneInfo(plant.model.timezone)
        self._turn = 0  # grows with every change, so that the estimate of an older choice is dropped
        self._export: Export | None = None  # what would be exported, when the choices go together
        asked = request.query_params
        self._start, self._end = self._asked_range(asked.get("from", ""), asked.get("to", ""))
        tags = exporting.known_tags(plant, asked.get("tags", "").split(","))
        with region("ath-trends") as self._root:
            with region("ath-trends-side is-open"):
                self._finder = TagFinder(plant, self._toggle, add_all=self._add)
            with region("ath-trends-main"):
                self._chosen = ChosenTags(plant, tags, self._changed)
                self._build_settings()
                self._running = region("ath-trends-main")
                with region("ath-card", "section"):
                    job_list(
                        jobs,
                        viewer,
                        kind=exporting.KIND,
                        caption=_("Recent exports"),
                        nothing=_("Nothing was exported since the server started."),
                    )
        self._changed()

    def _build_settings(self) -> None:
        with region("ath-card", "section", aria_label=_("What to export")):
            with region("ath-card-head"):
                Words(_("What to export"), "h2")
            with region("ath-form"):
                self._build_range()
                with region("ath-choices"):
                    self._step = Choice(_("Values"), words.steps(), words.ALL_SAMPLES, self._changed, name="step")
                    self._how = Choice(
                        _("What a step comes to"), words.measures(), How.USUAL, self._changed, name="how"
                    )
                    self._gaps = Choice(
                        _("Between samples"), words.gaps(), words.AS_KINDS_SAY, self._changed, name="gaps"
                    )
                with region("ath-choices"):
                    self._shape = Choice(_("Table"), words.shapes(), Shape.LONG, self._changed, name="shape")
                    self._form = Choice(_("File"), words.formats(), FileFormat.CSV, self._changed, name="format")
            with region("ath-form-foot"):
                self._size = Words("", "p", "ath-form-size")
                self._size.props["aria-live"] = "polite"
                region("ath-space")
                self._begin = button(_("Export"), self._begin_export, glyph="download", classes="is-main")

    def _build_range(self) -> None:
        with region("ath-choices"), region("ath-segments", role="group", aria_label=_("Range")):
            self._presets = {
                preset: button(text, lambda preset=preset: self._preset_chosen(preset))
                for preset, text in words.presets().items()
            }
        with region("ath-choices"):
            self._from = MomentField(_("From"), self._start, self._start_chosen)
            self._to = MomentField(_("To"), self._end, self._end_chosen)

    # ---- what the person does

    def _toggle(self, tag: Tag) -> None:
        self._chosen.toggle(tag)

    def _add(self, tags: Sequence[Tag]) -> None:
        self._chosen.add(tags)

    def _preset_chosen(self, preset: Preset) -> None:
        self._start, self._end = range_of(preset, datetime.now(self._zone))
        self._from.show(self._start)
        self._to.show(self._end)
        self._changed(preset)

    def _start_chosen(self, moment: datetime) -> None:
        self._start = moment.replace(tzinfo=self._zone)
        self._changed()

    def _end_chosen(self, moment: datetime) -> None:
        self._end = moment.replace(tzinfo=self._zone)
        self._changed()

    async def _begin_export(self) -> None:
        if self._export is None:
            return
        export = self._export
        await note_export(self._db, self._viewer, export, self._address)
        job = exporting.start_export(self._jobs, self._historian, self._plant, self._viewer, export)
        self._running.clear()
        with self._running:
            job_card(self._jobs, job, self._viewer, stages={})

    # ---- what is shown

    def _changed(self, preset: Preset | None = None) -> None:
        """Something was chosen: say how large it will be, or what does not go together."""
        self._turn += 1
        for one, pressed in self._presets.items():
            pressed.props["aria-pressed"] = str(one is preset).lower()
            pressed.update()
        self._finder.mark(self._chosen.paths)
        has_steps = self._step.value != words.ALL_SAMPLES
        self._how.show(is_shown=has_steps)
        self._gaps.show(is_shown=has_steps and self._how.value is not How.DELTA)
        try:
            self._export = self._wanted()
        except AthanorError as error:
            self._refuse(str(error))
            return
        if self._export is None:
            self._refuse("")
            return
        self._allow(is_allowed=True)
        self._size.show(_("Estimating …"), "ath-form-size")
        with self._root:  # what was pressed may be gone by now
            ui.timer(0, self._estimate, once=True)

    def _refuse(self, reason: str) -> None:
        self._export = None
        self._allow(is_allowed=False)
        self._size.show(reason, "ath-form-size is-urgent")

    def _allow(self, *, is_allowed: bool) -> None:
        self._begin.props["disabled"] = not is_allowed
        self._begin.update()

    def _wanted(self) -> Export | None:
        """What the choices come to; None where something is still to be chosen. Raises AthanorError."""
        if not self._chosen.tags:
            return None
        if self._end <= self._start:
            raise exporting.BadRangeError
        has_steps = self._step.value != words.ALL_SAMPLES
        series = Series(
            tags=tuple(self._chosen.tags),
            span=Span(self._start.astimezone(UTC), self._end.astimezone(UTC)),
            step=parse_step(self._step.value) if has_steps else None,
            how=self._how.value if has_steps else How.USUAL,
            gaps=parse_gap_policy(self._gaps.value) if has_steps and self._gaps.value else None,
            shape=self._shape.value,
        )
        return exporting.checked(export_for_reader(series, self._form.value, self._plant))

    async def _estimate(self) -> None:
        turn, export = self._turn, self._export
        if export is None:
            return
        found = await exporting.estimate(export, self._historian, self._plant)
        if turn != self._turn:
            return
        if found.is_too_long_for_excel:
            self._refuse(
                _("About {n} rows: more than an Excel sheet holds. Take longer steps or another file.").format(
                    n=number(found.rows)
                )
            )
            return
        text = _("About {n} rows, {size}").format(n=number(found.rows), size=_size(found.size_bytes))
        self._size.show(text, "ath-form-size")

    def _asked_range(self, start: str, end: str) -> tuple[datetime, datetime]:
        """The range in the address; the last 24 h where there is none that can be."""
        try:
            asked = tuple(datetime.fromisoformat(text).astimezone(self._zone) for text in (start, end))
        except ValueError:
            return range_of(Preset.LAST_DAY, datetime.now(self._zone))
        return asked[0], asked[1]


def _size(size_bytes: float) -> str:
    name, unit = next(((name, unit) for name, unit in _SIZES if size_bytes >= unit), ("kB", 1e3))
    return f"{number(size_bytes / unit, 1)} {name}"
