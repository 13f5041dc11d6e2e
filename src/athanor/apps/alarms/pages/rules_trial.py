"""What a rule would have done in the last days: how often, when, on a trend with its limit."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from athanor.apps.alarms.domain.suggestions import Suggestion
from athanor.apps.alarms.services import rules as services
from athanor.apps.alarms.services.rules_trial import DAYS, MOST_EPISODES, Episode, Trial, span_of, tried
from athanor.kernel.alarms.instances import Expansion
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.port import Historian, Span, moment
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import numpy_column
from athanor.kernel.units import display_unit
from athanor.web.components import (
    Cell,
    Column,
    Stretch,
    TrendChart,
    TrendSeries,
    ViewChange,
    Words,
    button,
    choice,
    data_table,
    region,
)
from athanor.web.components.data_table import Row
from athanor.web.components.trend_chart import Limit
from athanor.web.formatting import NOTHING, date_time, duration, number, percent, value_text
from athanor.web.language import _, text_of

_MOST_PLACES = 200
_STEPS = frozenset({TagKind.STATE, TagKind.SETPOINT})


class TrialPanel:
    """The card. `expanded` gives the rule as it is written now; `take_over` puts a suggestion into its fields."""

    def __init__(
        self,
        plant: RunningPlant,
        historian: Historian,
        expanded: Callable[[], Expansion],
        take_over: Callable[[Mapping[str, str]], None] | None,
    ) -> None:
        self._plant, self._historian = plant, historian
        self._expanded, self._take_over = expanded, take_over
        self._path = ""

    def build(self) -> None:
        """Draw it, empty."""
        with region("ath-card", "section", aria_label=_("Trial")):
            with region("ath-card-head"):
                Words(_("Trial on the last {n} days").format(n=DAYS), "h2")
                region("ath-space")
                button(_("Try it"), self.run, glyph="play_arrow")
            self._places = region("ath-card-body ath-fields")
            self._places.set_visibility(False)
            self._body = region("ath-card-body ath-fields")
        with self._body:
            Words(_("Shows when this rule would have been raised, before it is saved."), "p")

    async def run(self) -> None:
        """Judge the place that is chosen."""
        self._body.clear()
        with self._body:
            Words(_("Judging the samples of the last days …"), "p")
        try:
            expansion = self._expanded()
            paths = [one.path for one in expansion.instances]
            instance = services.place_to_try("", expansion, self._path if self._path in paths else None)
            trial = await tried(self._historian, instance, datetime.now(UTC))
        except AthanorError as error:
            self._body.clear()
            with self._body:
                Words(str(error), "p", "ath-correct-trouble")
            return
        if self._body.is_deleted:
            return
        self._offer(paths, trial.path)
        self._body.clear()
        with self._body:
            self._show(trial)

    def _offer(self, paths: list[str], chosen: str) -> None:
        self._places.clear()
        self._places.set_visibility(len(paths) > 1)

        async def turned(path: str) -> None:
            self._path = path
            await self.run()

        with self._places:
            choice(_("Place"), {path: path for path in paths[:_MOST_PLACES]}, chosen, turned, name="place")

    def _show(self, trial: Trial) -> None:
        Words(_summary(trial), "p")
        if not trial.samples:
            return
        tag = self._plant.model.tags.get(trial.path)
        if tag is not None:
            self._chart(trial, tag)
        for one in trial.suggestions[:3] if self._take_over is not None else ():
            self._suggest(one, tag)
        if trial.episodes:
            self._table(trial, tag)

    def _suggest(self, one: Suggestion, tag: Tag | None) -> None:
        unit = "" if tag is None else display_unit(tag.unit)
        text = _(
            "With a deadband of {deadband} {unit}, an on-delay of {on} s and an off-delay of {off} s, {share} of these "
            "would not have been, and none that was true would have been hidden."
        )
        setting = one.setting
        values = {
            "deadband": f"{setting.deadband:g}", "on_delay_s": f"{setting.on_delay_s:g}",
            "off_delay_s": f"{setting.off_delay_s:g}",
        }  # fmt: skip

        async def take() -> None:
            if self._take_over is not None:
                self._take_over(values)
            await self.run()

        with region("ath-actions"):
            words = text.format(
                deadband=values["deadband"], unit=unit, on=values["on_delay_s"], off=values["off_delay_s"],
                share=percent(one.removed, 0),
            )  # fmt: skip
            Words(words, "p")
            button(_("Take it over"), take, glyph="tune")

    def _chart(self, trial: Trial, tag: Tag) -> None:
        tag_id, (from_ms, to_ms) = self._plant.ids[tag.path], span_of(trial)
        width = 1000

        async def load(change: ViewChange) -> None:
            epoch = datetime(1970, 1, 1, tzinfo=UTC)
            begin, end = (epoch + timedelta(milliseconds=one) for one in (change.from_ms, change.to_ms))
            if begin >= end:
                return
            points = await self._historian.downsample([tag_id], Span(begin, end), width)
            if chart.is_deleted:
                return
            columns = numpy_column(points, "time") // 1000, numpy_column(points, "value").astype(np.float64)
            chart.load(change, {tag.path: columns})

        async def sized(width_px: int) -> None:
            nonlocal width
            width = width_px
            states = {value: text_of(state) for value, state in tag.states.items()}
            limits = [] if trial.at is None else [Limit(_("Limit"), trial.at, is_urgent=True)]
            is_step = tag.kind in _STEPS
            unit = display_unit(tag.unit)
            chart.define(
                [TrendSeries(tag.path, text_of(tag.name), unit, tag.decimals, is_step, states=states, limits=limits)]
            )
            await load(ViewChange(from_ms, to_ms, is_live=False))
            chart.mark_stretches([_stretch(one, tag.path, to_ms) for one in trial.episodes])

        chart = TrendChart(self._plant.model.timezone, on_view=load, on_sized=sized)

    def _table(self, trial: Trial, tag: Tag | None) -> None:
        zone = ZoneInfo(self._plant.model.timezone)
        columns = [
            Column("raised", _("Raised"), is_number=True),
            Column("lasted", _("Stood for"), is_number=True),
            Column("value", _("Value"), is_number=True),
        ]
        if any(one.lead_s is not None for one in trial.episodes):
            columns.append(Column("lead", _("Limit reached after"), is_number=True))
        data_table(
            [_row(one, tag, zone) for one in reversed(trial.episodes)],
            columns,
            caption=_("When it would have been raised"),
            page_size=10,
            is_searchable=False,
        )


def _summary(trial: Trial) -> str:
    if not trial.samples:
        return _("There are no samples of the last days here, so nothing can be tried.")
    if not trial.count:
        return _("It would not have been raised. {n} samples were judged.").format(n=number(trial.samples))
    text = _("It would have been raised {n} times and stood for {time} in all. {samples} samples were judged.")
    summary = text.format(n=number(trial.count), time=duration(trial.standing_s), samples=number(trial.samples))
    if trial.count > MOST_EPISODES:
        summary += " " + _("The last {n} are shown.").format(n=MOST_EPISODES)
    return summary


def _stretch(one: Episode, key: str, end_ms: int) -> Stretch:
    cleared_ms = end_ms if one.cleared_us is None else one.cleared_us // 1000
    return Stretch(key, one.raised_us // 1000, cleared_ms, _("would have stood"))


def _row(one: Episode, tag: Tag | None, zone: ZoneInfo) -> Row:
    lasted_s = None if one.cleared_us is None else (one.cleared_us - one.raised_us) / 1e6
    is_known = one.value == one.value
    value = (
        value_text(tag, one.value) if tag is not None and is_known else number(one.value, 2) if is_known else NOTHING
    )
    return {
        "raised": Cell(date_time(moment(one.raised_us), zone), sort=float(one.raised_us)),
        "lasted": _("stands still") if lasted_s is None else Cell(duration(lasted_s), sort=lasted_s),
        "value": value,
        "lead": NOTHING if one.lead_s is None else Cell(duration(one.lead_s), sort=one.lead_s),
    }
