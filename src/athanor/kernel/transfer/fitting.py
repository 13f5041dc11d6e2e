"""Whether a plan fits a file and a plant. Pure."""

from collections import Counter
from collections.abc import Sequence

from athanor.kernel.errors import NotFoundError
from athanor.kernel.plant.model import TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.spelling import suggestion
from athanor.kernel.transfer.errors import BadPlanError
from athanor.kernel.transfer.plan import ImportPlan, TagChoice
from athanor.kernel.transfer.series import Shape
from athanor.kernel.transfer.times import TimeLayout
from athanor.kernel.units import conversion


def check_plan(plan: ImportPlan, names: Sequence[str], plant: RunningPlant) -> None:
    """Whether the file has the columns that a plan names, and the plant its tags, and whether the units fit them.

    Raises BadPlanError, UnknownUnitError, IncompatibleUnitsError.
    """
    for name in _columns_of(plan):
        if name not in names:
            raise BadPlanError(f"the file has no column {name!r}. {suggestion(name, names)}")
    if plan.shape is Shape.WIDE and not plan.columns:
        raise BadPlanError("no column is mapped to a tag. Choose a tag for at least one.")
    for tag, times in Counter(choice.tag for choice in plan.columns.values()).items():
        if times > 1:
            raise BadPlanError(f"{times} columns are mapped to {tag}. Choose one of them.")
    if plan.time.layout is TimeLayout.EXCEL and len(plan.time.columns) > 1:
        raise BadPlanError("a spreadsheet's day number holds the time of day too. Name one column of time.")
    for name, choice in [*plan.columns.items(), *(plan.long.names.items() if plan.long else ())]:
        check_choice(name, choice, plant)


def check_choice(name: str, choice: TagChoice, plant: RunningPlant) -> None:
    """Raises BadPlanError for a tag that is not there, UnknownUnitError and IncompatibleUnitsError for its unit."""
    try:
        tag = plant.model.tag(choice.tag)
    except NotFoundError as error:
        raise BadPlanError(f"{name!r} is mapped to {choice.tag}, which is no tag that you may see.") from error
    if choice.unit is not None and tag.kind is not TagKind.TEXT:
        conversion(choice.unit, tag.unit)


def _columns_of(plan: ImportPlan) -> list[str]:
    """The columns that a plan names."""
    if plan.long is None:
        return [*plan.time.columns, *plan.columns]
    roles = (plan.long.tag, plan.long.value, plan.long.text, plan.long.quality, plan.long.unit)
    return [*plan.time.columns, *(name for name in roles if name is not None)]
