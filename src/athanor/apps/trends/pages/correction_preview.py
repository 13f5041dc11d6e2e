"""What a correction would change, before it is made: how many samples, figures before and after, both lines."""

from athanor.apps.trends import services
from athanor.apps.trends.services import correcting
from athanor.apps.trends.services.correcting import Preview
from athanor.kernel.corrections.change import Figures
from athanor.kernel.historian.port import Span
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import display_unit
from athanor.web.components import TrendChart, TrendSeries, ViewChange, Words, region
from athanor.web.formatting import NOTHING, number, value_text
from athanor.web.language import _, text_of


class CorrectionPreview:
    """Empty until `show`."""

    def __init__(self, plant: RunningPlant, tag: Tag) -> None:
        self._plant, self._tag = plant, tag
        self._place = region("ath-correct-preview", aria_live="polite")

    def show(self, seen: Preview) -> None:
        """Show this in place of what was shown before."""
        self._place.clear()
        with self._place:
            Words(_what_changes(seen), "p")
            self._table(seen)
            if services.is_drawn(self._tag):
                with region("ath-correct-chart"):
                    self._chart(seen)
        self._place.run_method("scrollIntoView", {"block": "nearest", "behavior": "smooth"})

    def _table(self, seen: Preview) -> None:
        titles = {
            "count": _("Good samples"),
            "minimum": _("Minimum"),
            "mean": _("Mean"),
            "maximum": _("Maximum"),
        }
        with region("ath-table", "table", aria_label=_("Figures of the samples in the range")):
            with region(tag="thead"), region(tag="tr"):
                Words("", "th")
                for title in (_("Before"), _("After")):
                    Words(title, "th", "is-number")
            with region(tag="tbody"):
                for name, title in titles.items():
                    with region(tag="tr"):
                        Words(title, "td")
                        for figures in (seen.before, seen.after):
                            Words(self._figure(figures, name), "td", "is-number")

    def _figure(self, figures: Figures, name: str) -> str:
        if name == "count":
            return number(figures.count)
        value: float = getattr(figures, name)
        text = number(value, self._tag.decimals) if name == "mean" else value_text(self._tag, value)
        return text if text == NOTHING else f"{text} {display_unit(self._tag.unit)}".strip()

    def _chart(self, seen: Preview) -> None:
        async def moved(change: ViewChange) -> None:
            chart.load(change, {})

        async def sized(_width_px: int) -> None:
            chart.define([self._series(correcting.BEFORE, _("Before")), self._series(correcting.AFTER, _("After"))])
            chart.load(_view(seen.view), seen.lines)

        chart = TrendChart(self._plant.model.timezone, on_view=moved, on_sized=sized)

    def _series(self, key: str, name: str) -> TrendSeries:
        tag = self._tag
        states = {value: text_of(state) for value, state in tag.states.items()}
        is_step = tag.kind in services.STEPS
        return TrendSeries(key, name, display_unit(tag.unit), tag.decimals, is_step=is_step, states=states)


def _what_changes(seen: Preview) -> str:
    if not seen.samples:
        return _("Nothing would change: no sample lies there, or all are so already.")
    if seen.samples == 1:
        return _("One sample is added.") if seen.added else _("One sample changes.")
    if seen.added == seen.samples:
        return _("{n} samples are added.").format(n=number(seen.added))
    if seen.added:
        text = _("{n} samples change; {added} of them are added.")
        return text.format(n=number(seen.samples), added=number(seen.added))
    return _("{n} samples change.").format(n=number(seen.samples))


def _view(span: Span) -> ViewChange:
    return ViewChange(span.start_us // 1000, span.end_us // 1000, is_live=False)
