"""Why an alarm cannot be judged. It stays as it is, and all others go on."""

from enum import StrEnum


class Unjudged(StrEnum):
    """What is wrong."""

    FORMULA = "formula"  # it cannot be read
    NAME = "name"  # a tag that it names is not there
    SCHEDULE = "schedule"  # the time zone is not known
    TEXT = "text"  # the tag's values are texts, where a number is needed
    ARITHMETIC = "arithmetic"  # with these values the formula has no result, as after a division by zero
