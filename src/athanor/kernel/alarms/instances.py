"""From rules to alarms: every place of the plant that a rule is about, with each name looked up and each default set.

What cannot be judged somewhere is a fault of that place, and the rest of the rule goes on.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from athanor.kernel.alarms.deadbands import deadband_of, delay_s
from athanor.kernel.alarms.faults import Fault, Problem
from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging.formula import BadAlarmFormulaError, Formula
from athanor.kernel.alarms.rule import (
    Condition,
    Deviation,
    Expression,
    InState,
    Limit,
    Ramp,
    Reported,
    Rule,
    Side,
    Stale,
    Subject,
)
from athanor.kernel.freshness import stale_after_s
from athanor.kernel.plant.model import AlarmLimits, Node, Tag, TagId, TagKind
from athanor.kernel.plant.running import RunningPlant

NO_ALARM = 0  # of an instance that has no row yet
LIMITS = ("low_low", "low", "high", "high_high")

_NUMBERS = frozenset({TagKind.ANALOG, TagKind.SETPOINT, TagKind.COUNTER})
_OF_NUMBERS = frozenset({"limit", "rate", "deviation", "frozen", "jump", "ewma", "cusum", "ramp"})
_OF_NO_TAG = (Expression, Reported)
_NO_NAMES: dict[str, TagId] = {}  # one for the many that name none
_NAME = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule may make an alarm."""

    path: str
    node: Node
    tag: Tag | None = None


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a rule comes to in a plant: its alarms, as yet without their numbers, whose each is, and what is wrong."""

    instances: Sequence[Instance] = ()
    tenants: Sequence[str] = ()
    faults: Sequence[Fault] = ()


class _FaultError(Exception):
    def __init__(self, problem: Problem, name: str = "") -> None:
        self.problem, self.name = problem, name


@dataclass
class Expander:
    """Expands rules over one plant; made once for many rules, since it knows what is of which type."""

    plant: RunningPlant
    _of_type: dict[str, list[Node]] = field(default_factory=dict)
    _with_limit: dict[str, list[Tag]] = field(default_factory=dict)
    _conditions: dict[tuple[object, ...], Condition] = field(default_factory=dict)

    def __post_init__(self) -> None:
        model = self.plant.model
        kinds = {key: tuple(model.kinds_of(key)) for key in {n.type for n in model.nodes.values()} if key is not None}
        for node in model.nodes.values():
            for kind in kinds.get(node.type or "", ()):
                self._of_type.setdefault(kind, []).append(node)
            for tag in node.tags:
                for limit in _limits_of(tag.alarm_limits):
                    self._with_limit.setdefault(limit, []).append(tag)

    def expand(self, rule: Rule, tenant: str | None) -> Expansion:
        """The alarms of a rule; `tenant` is whose rule it is, None for the park's, which is about everybody's."""
        if isinstance(rule.condition, Reported):
            return Expansion()  # whoever reports it says where
        instances: list[Instance] = []
        tenants: list[str] = []
        faults: list[Fault] = []
        try:
            _check_formulas(rule)
            places = self.places(rule.subject, tenant)
        except _FaultError as fault:
            return Expansion(faults=(Fault(_told_to(tenant, fault.problem), name=fault.name),))
        for place in places:
            try:
                instances.append(self._instance(rule, tenant, place))
                tenants.append(place.node.tenant)
            except _FaultError as fault:
                if not (_is_of_many(rule.subject) and fault.problem in (Problem.NO_LIMIT, Problem.NO_PERIOD)):
                    faults.append(Fault(_told_to(tenant, fault.problem), place.path, fault.name))
        return Expansion(instances, tenants, faults)

    def places(self, subject: Subject, tenant: str | None) -> Sequence[Place]:
        """What a rule's subject means here; of a tenant's rule only its own."""
        found = [
            place for place in self._named(subject) if subject.under is None or _is_under(place.path, subject.under)
        ]
        if subject.under is not None and subject.under not in self.plant.model.nodes:
            raise _FaultError(Problem.NO_NODE, subject.under)
        own = [place for place in found if tenant is None or place.node.tenant == tenant]
        if found and not own and not _is_of_many(subject):
            raise _FaultError(Problem.FOREIGN, subject.tag or subject.node or "")
        return own

    def has_of_type(self, subject: Subject, tenant: str) -> bool:
        """Whether a tenant has an asset of the subject's type, with its tag."""
        try:
            return bool(self.places(subject, tenant))
        except _FaultError:
            return False

    def _named(self, subject: Subject) -> Iterator[Place]:
        model = self.plant.model
        if subject.type is not None:
            yield from self._typed(subject.type, subject.tag)
        elif subject.tag is not None:
            tag = model.tags.get(subject.tag)
            if tag is None:
                raise _FaultError(Problem.NO_TAG, subject.tag)
            yield self._place(tag)
        elif subject.limit is not None:
            yield from (self._place(tag) for tag in self._with_limit.get(subject.limit, ()))
        else:
            node = model.nodes.get(subject.node or "")
            if node is None:
                raise _FaultError(Problem.NO_NODE, subject.node or "")
            yield Place(node.path, node)

    def _typed(self, type_id: str, tag_id: str | None) -> Iterator[Place]:
        nodes = self._of_type.get(type_id, ())
        if not nodes and type_id not in self.plant.model.types:
            raise _FaultError(Problem.NO_TYPE, type_id)
        if tag_id is None:
            yield from (Place(node.path, node) for node in nodes)
            return
        tags = [tag for node in nodes if (tag := self.plant.model.tags.get(f"{node.path}.{tag_id}")) is not None]
        if nodes and not tags:
            raise _FaultError(Problem.NOTHING_OF_TYPE, tag_id)
        yield from map(self._place, tags)

    def _place(self, tag: Tag) -> Place:
        return Place(tag.path, self.plant.model.nodes[tag.node_path], tag)

    def _instance(self, rule: Rule, tenant: str | None, place: Place) -> Instance:
        given, tag = rule.condition, place.tag
        names = self._names(rule, tenant, place)
        condition = given if isinstance(given, _OF_NO_TAG) else self._condition(rule, place)
        default = delay_s(condition, tag)
        stale = _stale_us(condition, tag) if isinstance(condition, Stale) else None
        return Instance(
            alarm=NO_ALARM,
            path=place.path,
            tag=None if tag is None or isinstance(condition, _OF_NO_TAG) else self.plant.ids[tag.path],
            condition=condition,
            priority=rule.priority,
            on_delay_us=_us(default if rule.on_delay_s is None else rule.on_delay_s),
            off_delay_us=_us(default if rule.off_delay_s is None else rule.off_delay_s),
            stale_after_us=stale,
            suppressed_while=rule.suppressed_while or None,
            schedule=rule.schedule,
            timezone=self.plant.model.timezone,
            names=names,
        )

    def _names(self, rule: Rule, tenant: str | None, place: Place) -> dict[str, TagId]:
        written = [name for formula in formulas_of(rule) for name in names_in(formula)]
        if isinstance(rule.condition, Deviation):
            written.append(rule.condition.reference)
        return {name: self._look_up(name, tenant, place) for name in written} if written else _NO_NAMES

    def _look_up(self, name: str, tenant: str | None, place: Place) -> TagId:
        path = place.node.path + name if name.startswith(".") else name
        found = self.plant.ids.get(path)
        if found is None:
            raise _FaultError(Problem.NO_TAG, path)
        if tenant is not None and self.plant.model.nodes[path.rpartition(".")[0]].tenant != tenant:
            raise _FaultError(Problem.FOREIGN, path)
        if self.plant.model.tags[path].kind is TagKind.TEXT:
            raise _FaultError(Problem.NOT_A_NUMBER, path)
        return found

    def _condition(self, rule: Rule, place: Place) -> Condition:
        """With limits and deadbands as numbers."""
        condition, tag = rule.condition, place.tag
        if tag is None:
            raise _FaultError(Problem.NEEDS_A_TAG)
        if condition.kind in _OF_NUMBERS and tag.kind not in _NUMBERS:
            raise _FaultError(Problem.NOT_A_NUMBER, tag.path)
        match condition:
            case Limit():
                at = _limit_at(condition, rule.subject, tag)
                deadband = deadband_of(tag) if condition.deadband is None else condition.deadband
                return self._with(condition, at=at, deadband=deadband)
            case Ramp():
                return self._with(condition, at=_limit_at(condition, rule.subject, tag))
            case Deviation():
                self._check_unit(condition, tag, place)
            case InState():
                _check_states(condition, tag)
        return condition

    def _with(self, condition: Limit | Ramp, **filled: float) -> Condition:
        """The condition with these numbers; one object for all places where they are the same."""
        key = (condition, *filled.values())
        if key not in self._conditions:
            self._conditions[key] = condition.model_copy(update=filled)
        return self._conditions[key]

    def _check_unit(self, condition: Deviation, tag: Tag, place: Place) -> None:
        name = condition.reference
        other = self.plant.model.tags[place.node.path + name if name.startswith(".") else name]
        if other.kind not in _NUMBERS:
            raise _FaultError(Problem.NOT_A_NUMBER, other.path)
        if other.unit != tag.unit:
            raise _FaultError(Problem.OTHER_UNIT, other.path)


def names_in(formula: str) -> list[str]:
    """The tags that a formula names, as written between its braces, in order and each once."""
    return list(dict.fromkeys(match.strip() for match in _NAME.findall(formula)))


def formulas_of(rule: Rule) -> list[str]:
    """The condition's, if it is one, and the one that suppresses."""
    written = [rule.condition.formula] if isinstance(rule.condition, Expression) else []
    return written + ([rule.suppressed_while] if rule.suppressed_while else [])


def _check_formulas(rule: Rule) -> None:
    for formula in formulas_of(rule):
        try:
            Formula(formula)
        except BadAlarmFormulaError as error:
            raise _FaultError(Problem.BAD_FORMULA, f"{error.reason}.") from error


def _told_to(tenant: str | None, problem: Problem) -> Problem:
    """A tenant is not told whether what it does not have is somebody else's."""
    is_missing = problem in (Problem.NO_TAG, Problem.NO_NODE)
    return Problem.FOREIGN if tenant is not None and is_missing else problem


def _is_of_many(subject: Subject) -> bool:
    return subject.type is not None or subject.limit is not None


def _is_under(path: str, above: str) -> bool:
    return path == above or path.startswith(f"{above}.")


def _limits_of(limits: AlarmLimits) -> Iterator[str]:
    given = [name for name in LIMITS if getattr(limits, name) is not None]
    yield from given
    if given:
        yield "any"


def _limit_at(condition: Limit | Ramp, subject: Subject, tag: Tag) -> float:
    at = condition.at
    if at is None:
        at = _plant_limit(condition.side, subject, tag.alarm_limits)
    if at is None:
        raise _FaultError(Problem.NO_LIMIT, tag.path)
    if (tag.low is not None and at < tag.low) or (tag.high is not None and at > tag.high):
        raise _FaultError(Problem.BEYOND_RANGE, f"{at:g} {tag.unit}")
    return at


def _plant_limit(side: Side, subject: Subject, limits: AlarmLimits) -> float | None:
    """The limit that the subject names or, where it names none, the one on that side that comes first."""
    if subject.limit not in (None, "any"):
        found: float | None = getattr(limits, subject.limit)
        return found
    inner, outer = (limits.high, limits.high_high) if side is Side.HIGH else (limits.low, limits.low_low)
    return outer if inner is None else inner


def _check_states(condition: InState, tag: Tag) -> None:
    if tag.kind in _NUMBERS:
        raise _FaultError(Problem.NOT_A_STATE, tag.path)
    numbers = [state for state in condition.states if isinstance(state, int)]
    unknown = [state for state in numbers if tag.states and state not in tag.states]
    if unknown:
        raise _FaultError(Problem.NO_SUCH_STATE, str(unknown[0]))


def _stale_us(condition: Stale, tag: Tag | None) -> int:
    if condition.after_s is not None:
        return _us(condition.after_s)
    if tag is None or tag.period_s is None:
        raise _FaultError(Problem.NO_PERIOD, "" if tag is None else tag.path)
    return _us(stale_after_s(tag.period_s))


def _us(seconds: float) -> int:
    return round(seconds * 1e6)
