"""A spark line: the shape of the last while, without axes. Only new points travel."""

from collections.abc import Sequence

from nicegui import ui


class Spark(ui.element, component="spark.js"):
    """A small line; times are milliseconds since 1970, values any numbers, None where there is a gap."""

    def load(self, times_ms: Sequence[int], values: Sequence[float | None], span_ms: int) -> None:
        """Show these points; the line covers `span_ms` back from its newest point."""
        self.props["points"] = list(zip(times_ms, values, strict=True))
        self.props["span"] = span_ms
        self.update()

    def append(self, time_ms: int, value: float | None) -> None:
        """Add one point at the right."""
        self.run_method("append", time_ms, value)
