"""What the fields, kinds and faults of rules are called."""

from collections.abc import Mapping

from athanor.kernel.alarms.faults import Fault, Problem
from athanor.kernel.alarms.rule import Category, Rule
from athanor.kernel.alarms.sheet_columns import COLUMNS
from athanor.kernel.plant.running import RunningPlant
from athanor.web import severity
from athanor.web.language import _, text_of


def kinds() -> Mapping[str, str]:
    """Kinds of condition, the common ones first."""
    return {
        "limit": _("Beyond a limit"),
        "rate": _("Changes too fast"),
        "deviation": _("Away from a setpoint or tag"),
        "ramp": _("On its way to a limit"),
        "state": _("In a state"),
        "stale": _("No values come any more"),
        "quality": _("Values cannot be used"),
        "frozen": _("Frozen"),
        "jump": _("Jumps"),
        "ewma": _("Off its mean (EWMA)"),
        "cusum": _("Drifts off its mean (CUSUM)"),
        "expression": _("A formula is true"),
        "reported": _("Reported by an app"),
    }


def abouts() -> Mapping[str, str]:
    """What a rule can be about."""
    return {
        "tag": _("One tag"),
        "type": _("All assets of a type"),
        "limit": _("All tags with an alarm limit in the plant"),
        "node": _("One asset, by a formula"),
    }


def plant_limits() -> Mapping[str, str]:
    """The plant's alarm limits."""
    return {
        "low_low": _("Very low limit"),
        "low": _("Low limit"),
        "high": _("High limit"),
        "high_high": _("Very high limit"),
        "any": _("Any of them"),
    }


def sides(kind: str) -> Mapping[str, str]:
    """On which side of a limit; conditions of movement know both."""
    both = {"high": _("above"), "low": _("below")}
    return both if kind in ("limit", "ramp") else {"either": _("either"), **both}


def labels() -> Mapping[str, str]:
    """Each field's label, by the id that its column has in the sheet."""
    return {
        "key": _("Key"),
        "enabled": _("Enabled"),
        "name_en": _("Name in English"),
        "name_zh": _("Name in Chinese"),
        "tag": _("Tag"),
        "type": _("Equipment type"),
        "plant_limit": _("Limit of the plant"),
        "node": _("Asset"),
        "under": _("Only at or below"),
        "kind": _("When it is abnormal"),
        "side": _("Side"),
        "at": _("Limit"),
        "deadband": _("Deadband"),
        "window_s": _("Window [s]"),
        "horizon_s": _("Looks ahead [s]"),
        "reference": _("Compared with"),
        "states": _("States"),
        "is_in": _("Abnormal is"),
        "after_s": _("Stale after [s]"),
        "for_s": _("Unchanged for [s]"),
        "band": _("By no more than"),
        "by": _("Jump of more than"),
        "calm_s": _("Normal after calm of [s]"),
        "mean": _("Mean in control"),
        "sigma": _("Standard deviation"),
        "weight": _("Weight λ"),
        "width": _("Control limits L [σ]"),
        "slack": _("Slack k [σ]"),
        "interval": _("Decision interval h [σ]"),
        "formula": _("Formula"),
        "on_delay_s": _("On-delay [s]"),
        "off_delay_s": _("Off-delay [s]"),
        "priority": _("Priority"),
        "category": _("Category"),
        "consequence_en": _("Consequence if nobody acts, in English"),
        "consequence_zh": _("Consequence if nobody acts, in Chinese"),
        "action_en": _("Operator action, in English"),
        "action_zh": _("Operator action, in Chinese"),
        "respond_within_s": _("Time to respond [s]"),
        "owner": _("Owner"),
        "is_safety": _("Safety alarm"),
        "is_latched": _("Stays until somebody resets it"),
        "acknowledges_itself": _("Goes by itself once it is over"),
        "repeats_after_s": _("Announced again after [s]"),
        "suppressed_while": _("Suppressed while"),
        "schedule": _("Hours in which it counts"),
        "camera": _("Camera"),
        "documents": _("Documents, by number"),
        "note": _("Note"),
    }


def notes() -> Mapping[str, str]:
    """What helps to fill some fields in."""
    return {
        "deadband": _("Empty: by the kind of signal."),
        "on_delay_s": _("Empty: by the kind of signal."),
        "off_delay_s": _("Empty: by the kind of signal."),
        "after_s": _("Empty: three of the tag's periods."),
        "reference": _("A tag's path, or .id for a tag of the same asset."),
        "states": _("Numbers or texts with semicolons between: 0; 3"),
        "formula": _("Tags in braces, .id for one of the same asset: {.temperature} > 1250 and {.running} == 1"),
        "suppressed_while": _("By design there is no alarm while this is true: {.running} == 0"),
        "schedule": _("Such as Mon-Fri 06:00-22:00; Sat 06:00-14:00. Empty: always."),
        "camera": _("Path of the camera that looks there."),
        "documents": _("Such as 12; 15"),
        "at": _("Empty: the plant's own alarm limit."),
    }


def faults_text(fault: Fault) -> str:
    """What is wrong, and the cure."""
    texts = {
        Problem.NO_TAG: _("There is no tag {name}. Correct the path, or retire the rule if the tag is gone for good."),
        Problem.NO_NODE: _("There is no asset {name}. Correct the path, or retire the rule if it is gone for good."),
        Problem.NO_TYPE: _("The plant has no equipment type {name}. Choose one that it has."),
        Problem.NOTHING_OF_TYPE: _("No asset of this type has a tag {name}. Correct the tag's id or the type."),
        Problem.FOREIGN: _(
            "{name} is not among this enterprise's tags and assets, and rules name only these. Correct it."
        ),
        Problem.NOT_A_NUMBER: _("{name} is no measured number. Use a rule on its states, or on another tag."),
        Problem.NOT_A_STATE: _("{name} is a measured number and has no states. Use a limit."),
        Problem.NO_SUCH_STATE: _("The tag has no state {name}. Choose among its states."),
        Problem.NEEDS_A_TAG: _("This kind of rule judges a tag. Name one."),
        Problem.OTHER_UNIT: _("{name} is measured in another unit. Compare tags of one unit, or write a formula."),
        Problem.NO_LIMIT: _("The plant gives {name} no such alarm limit. Write the limit into the rule or the plant."),
        Problem.BEYOND_RANGE: _("The limit {name} lies outside the instrument's range: nothing ever reaches it."),
        Problem.NO_PERIOD: _("{name} comes as it comes, without a period. Say after how long it is stale."),
        Problem.BAD_FORMULA: _("The formula cannot be judged: {name}"),
    }
    return texts[fault.problem].format(name=fault.name)


def about(rule: Rule, plant: RunningPlant) -> tuple[str, str]:
    """What a rule is about: in words, and by its path."""
    subject, model = rule.subject, plant.model
    if subject.type is not None:
        known = model.types.get(subject.type)
        name = text_of(known.name) if known is not None else subject.type
        path = f"{subject.type}.{subject.tag}" if subject.tag else subject.type
        words = _("Every {type}").format(type=name)
    elif subject.limit is not None:
        path, limit = subject.limit, plant_limits()[subject.limit]
        is_any = subject.limit == "any"
        words = _("All tags with an alarm limit") if is_any else _("All tags: {limit}").format(limit=limit)
    else:
        path = subject.tag or subject.node or ""
        found = model.tags.get(path) or model.nodes.get(path)
        words = text_of(found.name) if found is not None else path
    return words, f"{path} · {subject.under}" if subject.under else path


def field_fault(text: str) -> str:
    """What is wrong with a field, in the reader's language where it is one of the usual things."""
    usual = {
        "This must be filled in for a rule of this kind.": _("This must be filled in for a rule of this kind."),
        "Write a name.": _("Write a name."),
    }
    return usual.get(text, text)


def shown(name: str, text: str) -> str:
    """A field's value as a person reads it."""
    if name == "kind":
        return kinds().get(text, text)
    if name == "priority":
        return {one.casefold(): words for one, words in _priorities().items()}.get(text, text)
    if name == "category":
        return severity.categories().get(Category(text), text) if text in set(Category) else text
    return {"yes": _("yes"), "no": _("no")}.get(text, text)


def _priorities() -> Mapping[str, str]:
    names = ("critical", "high", "medium", "low")
    return dict(zip(names, severity.priorities().values(), strict=True))


def priorities() -> Mapping[str, str]:
    """By the names that the sheet has."""
    return _priorities()


def title_of(name: str) -> str:
    """A field's label; its column's title where it is of the sheet only."""
    known = labels().get(name)
    return known if known is not None else next((one.english for one in COLUMNS if one.id == name), name)
