"""Rules as a person writes and looks for them: texts in, a rule out, with what is wrong told by field."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from athanor.kernel.alarms.faults import Fault
from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.instances import Expansion
from athanor.kernel.alarms.rule import Rule, Subject
from athanor.kernel.alarms.rule_errors import FaultyRuleError
from athanor.kernel.alarms.rulebook import KeptRule, Revision, RuleBook
from athanor.kernel.alarms.rules_sheet import SheetRule, SheetTrial, read_trial
from athanor.kernel.alarms.sheet_columns import COLUMNS, cells_of, content_of_cells, invalid
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import JobResult, Jobs, Progress

Said = Mapping[str, str]  # by column's id, as in the sheet; and `about`, a key of ABOUT

IMPORT_KIND = "alarms.import-rules"

ABOUT: Mapping[str, tuple[str, ...]] = {
    "tag": ("tag",),
    "type": ("type", "tag", "under"),
    "limit": ("plant_limit", "under"),
    "node": ("node",),
}
CONDITION: Mapping[str, tuple[str, ...]] = {
    "limit": ("side", "at", "deadband"),
    "rate": ("side", "at", "window_s", "deadband"),
    "deviation": ("reference", "side", "at", "deadband"),
    "ramp": ("side", "at", "window_s", "horizon_s"),
    "state": ("states", "is_in"),
    "stale": ("after_s",),
    "quality": (),
    "frozen": ("for_s", "band"),
    "jump": ("by", "calm_s"),
    "ewma": ("mean", "sigma", "weight", "width"),
    "cusum": ("mean", "sigma", "slack", "interval"),
    "expression": ("formula",),
    "reported": (),
}


class UnreadableRuleError(AthanorError):
    """Fields of a rule that make none. `faults` are by field."""

    code = "alarms.unreadable-rule"

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults = faults
        titles = {column.id: column.english for column in COLUMNS}
        said = "; ".join(f"{titles.get(name, name)}: {text}" for name, text in faults.items())
        super().__init__(f"This is no alarm rule yet. {said}")


class RefusedRuleError(AthanorError):
    """A rule that could not be judged as it is; said in the reader's language."""

    code = "alarms.refused-rule"

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))


def rule_of(said: Said) -> Rule:
    """The rule that somebody wrote; fields that its kind does not have are left aside. Raises UnreadableRuleError."""
    shown = {"kind", *ABOUT.get(said.get("about", ""), ()), *CONDITION.get(said.get("kind", ""), ())}
    columns = [one for one in COLUMNS if one.place[0] not in ("subject", "condition") or one.id in shown]
    content, faults = content_of_cells((column, said.get(column.id, "")) for column in columns)
    for name in ("key", "enabled"):
        content.pop(name, None)
    for name in ("name", "subject", "condition"):
        content.setdefault(name, {})
    if faults:
        raise UnreadableRuleError(faults)
    try:
        return Rule.model_validate(content)
    except ValidationError as error:
        found = dict(invalid(one) for one in error.errors(include_url=False))
        raise UnreadableRuleError(found) from error


def said_of(rule: Rule) -> dict[str, str]:
    """A rule as its fields say it."""
    return cells_of(rule) | {"about": about_of(rule.subject)}


def about_of(subject: Subject) -> str:
    """Which key of ABOUT."""
    if subject.type is not None:
        return "type"
    return "tag" if subject.tag is not None else "limit" if subject.limit is not None else "node"


@dataclass(frozen=True, slots=True)
class Wish:
    """Which rules somebody wants to see; empty where all."""

    text: str = ""
    priority: str = ""
    category: str = ""
    kind: str = ""
    state: str = ""  # enabled, disabled, faulty
    area: str = ""  # path of a node


@dataclass(frozen=True, slots=True)
class Listed:
    """A rule of the list."""

    kept: KeptRule
    alarms: int
    faults: Sequence[Fault]

    @property
    def about(self) -> str:
        """What it is about, by its path or id."""
        subject = self.kept.rule.subject
        return subject.tag or subject.node or subject.limit or ""


async def listed(book: RuleBook, viewer: User, wish: Wish) -> list[Listed]:
    """The rules that the viewer sees and wants to see."""
    found = [Listed(one, told.alarms, told.faults) for one in await book.all(viewer) for told in (book.told(one),)]
    return [one for one in found if _is_wanted(one, wish)]


def _is_wanted(one: Listed, wish: Wish) -> bool:
    rule = one.kept.rule
    state = "faulty" if one.faults else "enabled" if one.kept.is_enabled else "disabled"
    asked = (
        (wish.priority, str(int(rule.priority))),
        (wish.category, rule.category.value),
        (wish.kind, rule.condition.kind),
    )
    if any(wanted and wanted != given for wanted, given in asked):
        return False
    if wish.state and wish.state != state and not (wish.state == "enabled" and one.kept.is_enabled):
        return False
    return _is_in(rule.subject, wish.area) and _holds(one, wish.text)


def _is_in(subject: Subject, area: str) -> bool:
    """Rules for the whole plant are about every part of it."""
    path = subject.under or subject.node or (subject.tag if subject.type is None else None)
    return not area or path is None or path == area or path.startswith(f"{area}.") or area.startswith(f"{path}.")


def _holds(one: Listed, text: str) -> bool:
    rule = one.kept.rule
    subject = rule.subject
    words = (one.kept.key, one.about, subject.type or "", subject.under or "", rule.owner, *rule.name.values())
    within = "\n".join(words).casefold()
    return all(word in within for word in text.casefold().split())


def place_to_try(key: str, expansion: Expansion, path: str | None) -> Instance:
    """The alarm at this place, or the first. Raises FaultyRuleError, NotFoundError."""
    found = next((one for one in expansion.instances if path in (None, one.path)), None)
    if found is not None:
        return found
    if expansion.faults:
        raise FaultyRuleError(key, expansion.faults)
    raise NotFoundError("alarm of this rule", path or "")


def differences(old: Revision, new: Revision) -> list[tuple[str, str, str]]:
    """What changed from one revision to another: field, before, after."""
    before, after = cells_of(old.rule), cells_of(new.rule)
    before["enabled"], after["enabled"] = (("no", "yes")[one.is_enabled] for one in (old, new))
    names = [column.id for column in COLUMNS if before.get(column.id, "") != after.get(column.id, "")]
    return [(name, before.get(name, ""), after.get(name, "")) for name in names]


async def sheet_trial(book: RuleBook, viewer: User, path: Path, name: str, tenant: str | None) -> SheetTrial:
    """What importing a sheet would do; nothing is changed. Raises BadFileError."""
    owner = viewer.tenant if viewer.tenant is not None else tenant
    known = {one.key: one for one in await book.all(viewer) if one.tenant == owner}
    return await asyncio.to_thread(read_trial, path, name, known, lambda key, rule: book.check(key, rule, owner))


def start_import(
    jobs: Jobs, book: RuleBook, viewer: User, name: str, rules: Sequence[SheetRule], tenant: str | None, reason: str
) -> str:
    """Keep what a trial found good, as a job: its id. Raises NotYourRuleError, BadRuleError."""
    book.check_import(viewer, tenant, reason)

    async def work(progress: Progress) -> JobResult:
        progress.tell(stage="keeping", rows=len(rules))
        kept = [(one.key, one.rule, one.is_enabled) for one in rules]
        changed = await book.save_many(viewer, kept, tenant=tenant, reason=reason)
        progress.tell(fraction=1.0)
        return JobResult({"rules": len(rules), "changed": changed})

    return jobs.start(IMPORT_KIND, name, viewer, work)
