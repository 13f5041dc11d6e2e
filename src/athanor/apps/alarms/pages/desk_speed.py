"""How quickly alarms reach the operators' screens, measured on the screens themselves."""

from athanor.apps.alarms.pages.tabs import tabs
from athanor.apps.alarms.services.desk_seen import BOUNDS_S, LATE_S, Shown, screen_times
from athanor.kernel.identity.user import User
from athanor.web.components import Words, empty_state, kpi, kpi_strip, region
from athanor.web.formatting import number
from athanor.web.language import _
from athanor.web.live import every_second

_SLOW_S = 1.0  # what a second-level response promises


def speed(viewer: User) -> None:
    """p50, p95 and p99 from source time to screen, and how they are spread; kept up to date."""
    tabs("/alarms/speed", viewer)
    SpeedPage().build()


class SpeedPage:
    """The figures, drawn anew where they changed."""

    def __init__(self) -> None:
        self._shown: Shown | None = None

    def build(self) -> None:
        """Draw it."""
        self._root = region("ath-card", "section", aria_label=_("From the source to the screen"))
        self._refresh()
        every_second(self._refresh)

    def _refresh(self) -> None:
        shown = screen_times.summary()
        if shown == self._shown or self._root.is_deleted:
            return
        if self._shown is not None and shown.measured == self._shown.measured and shown.late == self._shown.late:
            return  # nothing but numbers that are none
        self._shown = shown
        self._root.clear()
        with self._root:
            self._draw(shown)

    def _draw(self, shown: Shown) -> None:
        with region("ath-card-head"):
            Words(_("From the source to the screen"), "h2")
        if not shown.measured:
            empty_state(
                _("Nothing measured yet"),
                _("As soon as an alarm is raised and somebody's page shows it, the time it took stands here."),
                glyph="timer",
            )
            return
        with kpi_strip():
            for name, seconds in (("p50", shown.p50_s), ("p95", shown.p95_s), ("p99", shown.p99_s)):
                kpi(name).set(number(seconds, 2), "s")
            kpi(_("Alarms shown")).set(number(shown.measured), note=_("{n} late ones not counted").format(n=shown.late))
        with region("ath-section"):
            Words(_("How many took how long"))
        self._bars(shown)
        note = _(
            "From the time stamp of the source to the moment the page has drawn the alarm and said so: of this server, "
            "since it began. Alarms whose samples came more than {n} s late are left out."
        )
        with region("ath-card-body"):
            Words(note.format(n=number(LATE_S)), "p", "ath-desk-note")

    def _bars(self, shown: Shown) -> None:
        most = max(shown.bars)
        edges = [0.0, *BOUNDS_S]
        with region("ath-bars"):
            for place, count in enumerate(shown.bars):
                low = edges[place]
                text = f"{low:g}–{edges[place + 1]:g} s" if place < len(BOUNDS_S) else f"> {low:g} s"
                Words(text)
                slow = low >= _SLOW_S
                with region("bar is-slow" if slow else "bar"):
                    region().style(f"width: {100 * count / most:.1f}%")
                Words(number(count))
