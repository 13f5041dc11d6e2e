"""What every server of the demo is given, each second."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from athanor.demo.model import Block
from athanor.kernel.telemetry import Quality


@dataclass(frozen=True)
class Instant:
    """All tags at one source time."""

    time_us: int
    columns: dict[str, int]  # tag path to its place in the arrays
    values: np.ndarray  # float64 [P]; NaN where there is none
    quality: np.ndarray  # uint8 [P]
    due: np.ndarray  # bool [P]
    texts: dict[str, str]

    @classmethod
    def of(cls, block: Block, columns: dict[str, int], row: int = -1) -> "Instant":
        """One row of a block; the last where none is named."""
        return cls(
            int(block.time_us[row]),
            columns,
            block.values[row],
            block.quality[row],
            block.due[row],
            {path: texts[row] for path, texts in block.texts.items()},
        )

    def value(self, path: str) -> float | str | None:
        """None where a bad sensor gives no value."""
        if path in self.texts:
            return self.texts[path]
        number = float(self.values[self.columns[path]])
        return None if np.isnan(number) else number

    def quality_of(self, path: str) -> Quality:
        return Quality(self.quality[self.columns[path]])

    def is_due(self, path: str) -> bool:
        return bool(self.due[self.columns[path]])


class Server(Protocol):
    """One protocol's view of the plant. `start` it with its first instant, then `show` each new one, then `stop` it."""

    async def start(self, first: Instant) -> None:
        """Listen, with every value of `first` to be read. Raises OSError where the port is taken."""

    async def show(self, instant: Instant) -> None:
        """Serve these values from now on, and tell subscribers of those that are due."""

    async def stop(self) -> None:
        """Stop listening; ends all connections."""
