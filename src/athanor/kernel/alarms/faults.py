"""What can be wrong with a rule in a plant: said when it is saved, and shown when the plant changes later."""

from dataclasses import dataclass
from enum import StrEnum


class Problem(StrEnum):
    """Why a rule cannot be judged somewhere."""

    NO_TAG = "no-tag"
    NO_NODE = "no-node"
    NO_TYPE = "no-type"
    NOTHING_OF_TYPE = "nothing-of-type"
    FOREIGN = "foreign"
    NOT_A_NUMBER = "not-a-number"
    NOT_A_STATE = "not-a-state"
    NO_SUCH_STATE = "no-such-state"
    NEEDS_A_TAG = "needs-a-tag"
    OTHER_UNIT = "other-unit"
    NO_LIMIT = "no-limit"
    BEYOND_RANGE = "beyond-range"
    NO_PERIOD = "no-period"
    BAD_FORMULA = "bad-formula"


SENTENCES = {
    Problem.NO_TAG: "There is no tag {name}. Correct the path, or retire the rule if the tag is gone for good.",
    Problem.NO_NODE: "There is no asset {name}. Correct the path, or retire the rule if it is gone for good.",
    Problem.NO_TYPE: "The plant has no equipment type {name}. Choose one that it has.",
    Problem.NOTHING_OF_TYPE: "No asset of this type has a tag {name}. Correct the tag's id or the type.",
    Problem.FOREIGN: "{name} is not among this enterprise's tags and assets, and rules name only these. Correct it.",
    Problem.NOT_A_NUMBER: "{name} is no measured number. Use a rule on its states, or on another tag.",
    Problem.NOT_A_STATE: "{name} is a measured number and has no states. Use a limit.",
    Problem.NO_SUCH_STATE: "The tag has no state {name}. Choose among its states.",
    Problem.NEEDS_A_TAG: "This kind of rule judges a tag. Name one.",
    Problem.OTHER_UNIT: "{name} is measured in another unit. Compare tags of one unit, or write a formula.",
    Problem.NO_LIMIT: "The plant gives {name} no such alarm limit. Write the limit into the rule or into the plant.",
    Problem.BEYOND_RANGE: "The limit {name} lies outside the instrument's range: nothing ever reaches it. Correct it.",
    Problem.NO_PERIOD: "{name} comes as it comes: the plant gives it no period. Say after how long it is stale.",
    Problem.BAD_FORMULA: "The formula cannot be judged: {name}",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a rule at one place.

    Parameters
    ----------
    path
        Where: a tag or node; empty where it is wrong everywhere.
    name
        What of the rule is meant, as written there.
    """

    problem: Problem
    path: str = ""
    name: str = ""

    @property
    def english(self) -> str:
        """What is wrong, and the cure."""
        return SENTENCES[self.problem].format(name=self.name)
