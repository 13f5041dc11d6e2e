"""What the kernel's words about imports are called on screen."""

from collections.abc import Mapping

from athanor.kernel.transfer.examining import Question
from athanor.kernel.transfer.refusals import Reason
from athanor.kernel.transfer.times import TimeLayout
from athanor.web.language import _


def stages() -> Mapping[str, str]:
    """What a job does now."""
    return {"trying": _("Trying"), "importing": _("Importing")}


def question(asked: Question) -> str:
    """What a person must say before the file can be imported."""
    return {
        Question.NO_TIME: _("No column seems to hold times. Choose the column, and how its times are written."),
        Question.DAY_OR_MONTH: _(
            "These dates can be read with the day or the month first. Choose how they are written."
        ),
        Question.DECIMAL: _("Numbers such as 1,234 can be read in two ways. Choose the decimal mark."),
        Question.NO_TAGS: _("No column's name is a tag's. Choose tags for the columns that are to be imported."),
        Question.NO_ROLES: _("Choose which column names the tag, and which holds the value."),
        Question.FORMULAS: _(
            "Some formulas of this sheet have no value, as the file was never opened in Excel. Their cells count as "
            "empty; open the file in Excel and save it to have them."
        ),
    }[asked]


def layouts() -> dict[str, str]:
    """How times may be written."""
    return {
        TimeLayout.YMD: _("Year first: 2026-03-01 08:05"),
        TimeLayout.DMY: _("Day first: 01.03.2026 08:05"),
        TimeLayout.MDY: _("Month first: 3/1/2026 8:05 AM"),
        TimeLayout.COMPACT: _("Digits alone: 20260301080500"),
        TimeLayout.EXCEL: _("Day numbers of a spreadsheet: 46082.337"),
        TimeLayout.EPOCH_S: _("Seconds since 1970 UTC"),
        TimeLayout.EPOCH_MS: _("Milliseconds since 1970 UTC"),
        TimeLayout.EPOCH_US: _("Microseconds since 1970 UTC"),
        TimeLayout.EPOCH_NS: _("Nanoseconds since 1970 UTC"),
    }


def reasons() -> dict[str, str]:
    """Why cells were refused."""
    return {
        Reason.WRONG_COLUMNS: _("The row has more or fewer cells than the table has columns"),
        Reason.UNREADABLE_TIME: _("The time cannot be read"),
        Reason.TIME_TWICE: _("The clock was set back and showed this time twice"),
        Reason.TIME_NEVER: _("The clock was set forward and never showed this time"),
        Reason.NOT_A_NUMBER: _("The value is no number"),
        Reason.UNKNOWN_QUALITY: _("The quality is none that is known"),
        Reason.OUT_OF_RANGE: _("The value is outside the instrument's range"),
        Reason.UNKNOWN_TAG: _("No tag that you may see has this name"),
        Reason.IMPOSSIBLE_TIME: _("The time is too long ago, or in the future"),
        Reason.UNKNOWN_UNIT: _("The unit is none that is known"),
        Reason.INCOMPATIBLE_UNIT: _("The unit measures something else than the tag's"),
        Reason.WRONG_KIND: _("A text for a tag of numbers, or a number for a tag of texts"),
    }


def quality(code: int) -> str:
    """How good a value is."""
    return (_("Good"), _("Uncertain"), _("Bad"))[code]
