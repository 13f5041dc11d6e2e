"""A rule at one place of the plant: what `judging` judges by, with every name looked up and every default filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from athanor.kernel.alarms.rule import Condition, Hours, Priority
from athanor.kernel.plant.model import TagId


@dataclass(frozen=True, slots=True)
class Instance:
    """One alarm that there can be.

    Parameters
    ----------
    alarm
        Its id, of the table `alarms_alarms`.
    path
        The tag or node that it is about.
    tag
        The tag whose samples are judged; None where only a formula is, or nothing (`Reported`).
    condition
        With limits and deadbands as numbers: no None is left that judging would need.
    names
        Every tag that the condition's reference or formula, or `suppressed_while`, names: id by the name as written.
    stale_after_us, on_delay_us, off_delay_us
        [µs]
    """

    alarm: int
    path: str
    tag: TagId | None
    condition: Condition
    priority: Priority
    on_delay_us: int = 0
    off_delay_us: int = 0
    stale_after_us: int | None = None
    suppressed_while: str | None = None
    schedule: tuple[Hours, ...] = ()
    timezone: str = "UTC"
    names: Mapping[str, TagId] = field(default_factory=dict)
