"""The two drawings of performance: alarms over time, and over the hours of the week."""

from collections.abc import Awaitable, Callable, Sequence

import nicegui.elements.echart  # noqa: F401  (announces the ECharts that NiceGUI carries to the browser)
import numpy as np
from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.web.language import _


class RateChart(ui.element, component="performance_rate.js"):
    """Bars by step of time.

    Parameters
    ----------
    edges_us, counts
        The steps and how many alarms came in each; one edge more than counts. [µs]
    bands_us
        Floods, from and to. [µs]
    lines
        Levels with their names, as alarms a step.
    on_pick
        Called with the number of the step that somebody pressed.
    """

    def __init__(
        self,
        edges_us: np.ndarray,
        counts: np.ndarray,
        *,
        bands_us: Sequence[tuple[int, int]],
        lines: Sequence[tuple[str, float]],
        zone: str,
        with_time: bool,
        summary: str,
        on_pick: Callable[[int], Awaitable[None] | None],
    ) -> None:
        super().__init__()
        self.props["edges"] = (edges_us // 1000).tolist()
        self.props["counts"] = counts.tolist()
        self.props["bands"] = [[begin // 1000, end // 1000] for begin, end in bands_us]
        self.props["lines"] = [{"name": name, "value": value} for name, value in lines]
        self.props["zone"] = zone
        self.props["with-time"] = with_time
        self.props["summary"] = summary
        self.props["texts"] = {"alarms": _("alarms")}

        def picked(event: GenericEventArguments) -> Awaitable[None] | None:
            place = int(event.args)
            return on_pick(place) if 0 <= place < len(counts) else None

        self.on("pick", picked)


class WeekMap(ui.element, component="performance_week.js"):
    """A map of seven days by 24 hours."""

    def __init__(self, counts: np.ndarray) -> None:
        super().__init__()
        self.props["counts"] = counts.tolist()
        self.props["caption"] = _("Alarms by weekday and hour")
        self.props["unit"] = _("alarms")
        self.props["days"] = [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]
