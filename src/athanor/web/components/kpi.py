"""One number that matters: label, value, unit, what is wrong with it if anything, and how it got here."""

from nicegui import ui

from athanor.web.components.spark import Spark
from athanor.web.components.words import Words, region
from athanor.web.formatting import Reading, Trust


class Kpi(ui.element):
    """A KPI that can be set again and again; only what changed is sent."""

    def __init__(self, label: str, *, is_small: bool = False, with_spark: bool = False) -> None:
        super().__init__("div")
        self.classes("ath-kpi is-small" if is_small else "ath-kpi")
        with self:
            Words(label, "div", "ath-kpi-label").describe(label)
            with region("ath-kpi-row"):
                self._value = Words("", "span", "ath-kpi-value")
                self._unit = Words("", "span", "ath-kpi-unit")
            self._note = Words("", "div", "ath-kpi-note")
            self.spark = Spark() if with_spark else None

    def set(self, value: str, unit: str = "", *, note: str = "", state: str = "") -> None:
        """Show a value as formatted; `state` is a CSS class such as `is-warn`, empty when all is well."""
        self._value.show(value, f"ath-kpi-value {state}".strip())
        self._unit.show(unit, "ath-kpi-unit")
        self._note.show(note, "ath-kpi-note")

    def read(self, reading: Reading, note: str = "") -> None:
        """Show a tag's reading, marked when it is not to be trusted."""
        state = "" if reading.trust is Trust.GOOD else f"is-{reading.trust}"
        self.set(reading.text, reading.unit, note=reading.note or note, state=state)


def kpi(label: str, *, is_small: bool = False, with_spark: bool = False) -> Kpi:
    """A KPI at this place of the page."""
    return Kpi(label, is_small=is_small, with_spark=with_spark)


def kpi_strip() -> ui.element:
    """A row of KPIs that wraps where the screen ends."""
    return region("ath-kpis")
