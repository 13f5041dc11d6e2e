"""Process values of some tags, with indicators, kept up to date."""

from collections.abc import Sequence
from datetime import datetime

from athanor.apps.overview import services
from athanor.apps.overview.domain.indicator import Scale, scale_for
from athanor.kernel.current import CurrentValues
from athanor.kernel.plant.model import Tag, TagId
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import display_unit
from athanor.web.components import ValueList, ValueRow
from athanor.web.components.value_list import ValueState
from athanor.web.formatting import Trust, read
from athanor.web.language import text_of

FLAGS = {-2: "LL", -1: "L", 0: "", 1: "H", 2: "HH"}  # by Crossing


class ProcessValues(ValueList):
    """A row for each tag; a value beyond a limit shows which one."""

    def __init__(self, plant: RunningPlant, tags: Sequence[Tag], *, label: str) -> None:
        self._plant = plant
        self._tags = tags
        self._ids = [plant.id_of(tag.path) for tag in tags]
        self._scales = [_scale(tag) for tag in tags]
        rows = [self._row(tag, scale) for tag, scale in zip(tags, self._scales, strict=True)]
        super().__init__(rows, label=label)

    def refresh(self, current: CurrentValues, now: datetime) -> None:
        """Show what changed."""
        self.set(
            [
                _state(tag, scale, current, tag_id, now)
                for tag, scale, tag_id in zip(self._tags, self._scales, self._ids, strict=True)
            ]
        )

    def _row(self, tag: Tag, scale: Scale | None) -> ValueRow:
        band = (scale.place(scale.normal_low), scale.place(scale.normal_high)) if scale else None
        return ValueRow(
            name=text_of(tag.name),
            place=text_of(self._plant.model.node(tag.node_path).name),
            unit=display_unit(tag.unit),
            address=f"/trends?tags={tag.path}",
            band=band,
        )


def _scale(tag: Tag) -> Scale | None:
    return scale_for(tag.low, tag.high, tag.alarm_limits.low, tag.alarm_limits.high)


def _state(tag: Tag, scale: Scale | None, current: CurrentValues, tag_id: TagId, now: datetime) -> ValueState:
    value = current.get(tag_id)
    reading = read(tag, value, now)
    number = value.value if value is not None and isinstance(value.value, float) else None
    crossing = services.crossing_of(tag, number) if reading.trust is not Trust.BAD else 0
    state = {0: "", 1: "is-warn", 2: "is-urgent"}[abs(crossing)]
    if reading.trust is not Trust.GOOD:
        state = f"{state} is-{reading.trust}".strip()
    fraction = scale.place(number) if scale and number is not None else None
    return ValueState(reading.text, state, FLAGS[crossing], fraction, reading.note)
