"""The demo's state between two runs: one JSON file, replaced whole or not at all."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from athanor.demo.model import LivingPlant
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.plant.model import Plant


class BadDemoStateError(AthanorError):
    """The state file is damaged, or of another version."""

    code = "demo.bad-state"

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(f"{path} holds no state of the demo ({reason!r}). Start afresh with `athanor demo --reset`.")


def save_state(living: LivingPlant, path: Path) -> None:
    """Write the plant's state; a crash at any time leaves the old file or the new one."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(living.save(), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def load_state(plant: Plant, path: Path) -> LivingPlant | None:
    """The plant as it was saved; None where there is no file. Raises BadDemoStateError."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise BadDemoStateError(path, error) from error
    if not isinstance(saved, Mapping):
        raise BadDemoStateError(path, "no object")
    try:
        return LivingPlant.restored(plant, saved)
    except (KeyError, TypeError, ValueError, NotFoundError) as error:
        raise BadDemoStateError(path, error) from error
