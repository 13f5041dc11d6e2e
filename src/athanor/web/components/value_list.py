"""Process values with moving analogue indicators (ISA-101): where a value stands in its range shows before it is read.

The rows are sent once; after that only the rows that changed.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from nicegui import ui


@dataclass(frozen=True, slots=True)
class ValueRow:
    """What of a row stays the same. Fractions are places in the indicator, 0 at its left end to 1; None for no bar."""

    name: str
    place: str  # the asset it belongs to
    unit: str
    address: str
    band: tuple[float, float] | None = None  # where normal lies


@dataclass(frozen=True, slots=True)
class ValueState:
    """What of a row changes."""

    text: str
    state: str = ""  # CSS classes, such as is-stale or is-urgent
    flag: str = ""  # the limit that is crossed: HH, H, L, LL
    fraction: float | None = None  # place of the hand, 0 to 1
    note: str = ""


class ValueList(ui.element, component="value_list.js"):
    """A table of process values that a page keeps up to date."""

    def __init__(self, rows: Sequence[ValueRow], *, label: str) -> None:
        super().__init__()
        self.props["rows"] = [asdict(row) for row in rows]
        self.props["label"] = label
        self._shown: list[ValueState | None] = [None] * len(rows)

    def set(self, states: Sequence[ValueState]) -> None:
        """One state for each row, in their order; rows that look as before are not sent."""
        changed = [
            [index, new.text, new.state, new.flag, None if new.fraction is None else round(new.fraction, 3), new.note]
            for index, (old, new) in enumerate(zip(self._shown, states, strict=True))
            if new != old
        ]
        if not changed:
            return
        self._shown = list(states)
        self.run_method("change", changed)
